//! `berth-simulator`: a provider simulator alone on a port.

use berth_simulators::{calcom, faults::Rates, gohighlevel, machine_clock};
use clap::{Parser, Subcommand};

/// Provider simulators for Berth. They listen on 127.0.0.1 only.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Example: berth-simulator calcom --port 4010 --api-key cal_demo_not_a_real_key"
)]
struct Cli {
    #[command(subcommand)]
    provider: Provider,
}

#[derive(Debug, Subcommand)]
enum Provider {
    /// Cal.com, API v2.
    Calcom {
        /// Port on 127.0.0.1; 0 for any free one.
        #[arg(long, default_value_t = 4010)]
        port: u16,
        /// The API key it accepts.
        #[arg(long, default_value = "cal_demo_not_a_real_key")]
        api_key: String,
        /// Faults by chance, as JSON: {"drop_after": 0.1, "latency_ms": [50, 200]}
        #[arg(long)]
        faults: Option<String>,
        /// Seed of chance.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// HighLevel (GoHighLevel), API v2.
    Gohighlevel {
        /// Port on 127.0.0.1; 0 for any free one.
        #[arg(long, default_value_t = 4040)]
        port: u16,
        /// The private integration token it accepts.
        #[arg(long, default_value = "pit-demo-not-a-real-token")]
        token: String,
        /// Where webhooks go, as in the settings of a Marketplace app.
        #[arg(long)]
        webhook_url: Option<String>,
        /// Faults by chance, as JSON: {"drop_after": 0.1, "latency_ms": [50, 200]}
        #[arg(long)]
        faults: Option<String>,
        /// Seed of chance.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    match Cli::parse().provider {
        Provider::Calcom { port, api_key, faults, seed } => {
            let config = calcom::Config {
                port,
                seed,
                api_key: api_key.clone(),
                clock: machine_clock(),
                control: true,
                deliver_webhooks: true,
                ..calcom::Config::default()
            };
            let simulator = calcom::Simulator::start(config).await?;
            if let Some(faults) = faults {
                simulator.set_rates(serde_json::from_str::<Rates>(&faults)?);
            }
            println!("{}", simulator.url());
            eprintln!("Cal.com simulator: API key {api_key}; event types:");
            for event_type in simulator.event_types() {
                eprintln!("  {} {} ({} minutes)", event_type.id, event_type.slug, event_type.length_minutes);
            }
            eprintln!("Control: GET /_simulator/state, POST /_simulator/faults. Stop with Ctrl-C.");
            tokio::signal::ctrl_c().await?;
        }
        Provider::Gohighlevel { port, token, webhook_url, faults, seed } => {
            let config = gohighlevel::Config {
                port,
                seed,
                token: token.clone(),
                control: true,
                deliver_webhooks: webhook_url.is_some(),
                webhook_url: webhook_url.unwrap_or_default(),
                ..gohighlevel::Config::default()
            };
            let location = config.location_id.clone();
            let simulator = gohighlevel::Simulator::start(config).await?;
            if let Some(faults) = faults {
                simulator.set_rates(serde_json::from_str::<Rates>(&faults)?);
            }
            println!("{}", simulator.url());
            eprintln!("HighLevel simulator: token {token}; location {location}; calendars:");
            for calendar in simulator.calendars() {
                eprintln!("  {} {} ({} minutes)", calendar.id, calendar.slug, calendar.length_minutes);
            }
            eprintln!("Webhooks are signed under the public key {}", simulator.webhook_public_key());
            eprintln!("Control: GET /_simulator/state, POST /_simulator/faults. Stop with Ctrl-C.");
            tokio::signal::ctrl_c().await?;
        }
    }
    Ok(())
}
