//! `berth-simulator`: a provider simulator alone on a port.

use berth_simulators::{calcom, faults::Rates, machine_clock, outlook};
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
    /// Outlook calendars, Microsoft Graph v1.0.
    Outlook {
        /// Port on 127.0.0.1; 0 for any free one.
        #[arg(long, default_value_t = 4014)]
        port: u16,
        /// The access token that it accepts without a login.
        #[arg(long, default_value = "outlook_demo_not_a_real_token")]
        access_token: String,
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
            until_told().await?;
        }
        Provider::Outlook { port, access_token, faults, seed } => {
            let config = outlook::Config {
                port,
                seed,
                access_token: access_token.clone(),
                control: true,
                deliver_webhooks: true,
                ..outlook::Config::default()
            };
            let simulator = outlook::Simulator::start(config).await?;
            if let Some(faults) = faults {
                simulator.set_rates(serde_json::from_str::<Rates>(&faults)?);
            }
            println!("{}", simulator.url());
            eprintln!("Outlook simulator: access token {access_token}; calendars:");
            for calendar in simulator.calendars() {
                eprintln!("  {} {}", calendar.id, calendar.name);
            }
            until_told().await?;
        }
    }
    Ok(())
}

async fn until_told() -> std::io::Result<()> {
    eprintln!("Control: GET /_simulator/state, POST /_simulator/faults. Stop with Ctrl-C.");
    tokio::signal::ctrl_c().await
}
