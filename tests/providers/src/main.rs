//! `berth-simulator`: a provider simulator alone on a port.

use berth_simulators::{
    booksy, calcom, calendly, faults::Rates, gohighlevel, google, machine_clock, outlook,
};
use clap::{Parser, Subcommand};

/// Provider simulators for Berth. They listen on 127.0.0.1 only.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Example: berth-simulator calcom --port 4010 --api-key cal_demo_not_a_real_key"
)]
struct Cli {
    /// End when standard input ends: with whoever started it.
    #[arg(long)]
    until_stdin_ends: bool,
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
    /// Google Calendar, API v3, with the OAuth 2 endpoints of Google accounts.
    Google {
        /// Port on 127.0.0.1; 0 for any free one.
        #[arg(long, default_value_t = 4020)]
        port: u16,
        /// An access token that it always accepts.
        #[arg(long, default_value = "ya29_demo_not_a_real_token")]
        access_token: String,
        /// Faults by chance, as JSON: {"drop_after": 0.1, "latency_ms": [50, 200]}
        #[arg(long)]
        faults: Option<String>,
        /// Seed of chance.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Calendly, API v2.
    Calendly {
        /// Port on 127.0.0.1; 0 for any free one.
        #[arg(long, default_value_t = 4011)]
        port: u16,
        /// The access token it accepts.
        #[arg(long, default_value = "calendly_demo_not_a_real_token")]
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
    /// Outlook calendars, Microsoft Graph v1.0, with the OAuth 2 endpoints of Microsoft accounts.
    Outlook {
        /// Port on 127.0.0.1; 0 for any free one.
        #[arg(long, default_value_t = 4014)]
        port: u16,
        /// An access token that it always accepts.
        #[arg(long, default_value = "outlook_demo_not_a_real_token")]
        access_token: String,
        /// Faults by chance, as JSON: {"drop_after": 0.1, "latency_ms": [50, 200]}
        #[arg(long)]
        faults: Option<String>,
        /// Seed of chance.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// A business behind the Berth Booksy contract, v1.
    Booksy {
        /// Port on 127.0.0.1; 0 for any free one.
        #[arg(long, default_value_t = 4016)]
        port: u16,
        /// The client that its token endpoint knows.
        #[arg(long, default_value = "booksy_demo_client")]
        client_id: String,
        /// The secret of this client.
        #[arg(long, default_value = "booksy_demo_not_a_real_secret")]
        client_secret: String,
        /// The access token that it accepts without its token endpoint.
        #[arg(long, default_value = "booksy_demo_not_a_real_token")]
        access_token: String,
        /// Faults by chance, as JSON: {"drop_after": 0.1, "latency_ms": [50, 200]}
        #[arg(long)]
        faults: Option<String>,
        /// Seed of chance.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
}

/// Until it is to end: by Ctrl-C, or with its standard input.
async fn stopped(until_stdin_ends: bool) -> std::io::Result<()> {
    let (ended, stdin_ends) = tokio::sync::oneshot::channel();
    // Kept where nobody reads: it never ends then.
    let _kept = if until_stdin_ends {
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
            ended.send(())
        });
        None
    } else {
        Some(ended)
    };
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = stdin_ends => Ok(()),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Cli { until_stdin_ends, provider } = Cli::parse();
    match provider {
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
            stopped(until_stdin_ends).await?;
        }
        Provider::Google { port, access_token, faults, seed } => {
            let config = google::Config {
                port,
                seed,
                access_token: access_token.clone(),
                clock: machine_clock(),
                control: true,
                deliver_pushes: true,
                ..google::Config::default()
            };
            let client = config.oauth.clone();
            let calendars: Vec<String> = config.calendars.iter().map(|c| c.id.clone()).collect();
            let simulator = google::Simulator::start(config).await?;
            if let Some(faults) = faults {
                simulator.set_rates(serde_json::from_str::<Rates>(&faults)?);
            }
            println!("{}", simulator.api_url());
            eprintln!(
                "Google Calendar simulator: access token {access_token}; calendars: {}",
                calendars.join(", ")
            );
            eprintln!("OAuth client {} with secret {}:", client.id, client.secret);
            eprintln!("  {0}/o/oauth2/v2/auth, {0}/token, {0}/revoke", simulator.url());
            eprintln!("Control: GET /_simulator/state, POST /_simulator/faults. Stop with Ctrl-C.");
            stopped(until_stdin_ends).await?;
        }
        Provider::Calendly { port, api_key, faults, seed } => {
            let config = calendly::Config {
                port,
                seed,
                api_key: api_key.clone(),
                control: true,
                deliver_webhooks: true,
                ..calendly::Config::default()
            };
            let simulator = calendly::Simulator::start(config).await?;
            if let Some(faults) = faults {
                simulator.set_rates(serde_json::from_str::<Rates>(&faults)?);
            }
            println!("{}", simulator.url());
            eprintln!("Calendly simulator: access token {api_key}; event types:");
            for event_type in simulator.event_types() {
                eprintln!("  {} {} ({} minutes)", event_type.id, event_type.slug, event_type.length_minutes);
            }
            eprintln!("Control: GET /_simulator/state, POST /_simulator/faults. Stop with Ctrl-C.");
            stopped(until_stdin_ends).await?;
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
            stopped(until_stdin_ends).await?;
        }
        Provider::Outlook { port, access_token, faults, seed } => {
            let mut config = outlook::Config {
                port,
                seed,
                access_token: access_token.clone(),
                control: true,
                deliver_webhooks: true,
                ..outlook::Config::default()
            };
            // Whoever tries it out has addresses of their own.
            config.client.redirect_uris.clear();
            let client = config.client.clone();
            let simulator = outlook::Simulator::start(config).await?;
            if let Some(faults) = faults {
                simulator.set_rates(serde_json::from_str::<Rates>(&faults)?);
            }
            println!("{}", simulator.url());
            eprintln!("Outlook simulator: access token {access_token}; calendars:");
            for calendar in simulator.calendars() {
                eprintln!("  {} {}", calendar.id, calendar.name);
            }
            eprintln!("OAuth client {} with secret {}:", client.id, client.secret);
            eprintln!("  {0}/common/oauth2/v2.0/authorize, {0}/common/oauth2/v2.0/token", simulator.url());
            eprintln!("Control: GET /_simulator/state, POST /_simulator/faults. Stop with Ctrl-C.");
            stopped(until_stdin_ends).await?;
        }
        Provider::Booksy { port, client_id, client_secret, access_token, faults, seed } => {
            let config = booksy::Config {
                port,
                seed,
                client_id: client_id.clone(),
                client_secret,
                access_token: access_token.clone(),
                control: true,
                deliver_webhooks: true,
                ..booksy::Config::default()
            };
            let business = config.business_id.clone();
            let simulator = booksy::Simulator::start(config).await?;
            if let Some(faults) = faults {
                simulator.set_rates(serde_json::from_str::<Rates>(&faults)?);
            }
            println!("{}", simulator.url());
            eprintln!(
                "Booksy simulator: business {business}; client {client_id}, or token {access_token}; services:"
            );
            for service in simulator.services() {
                eprintln!("  {} {} ({} minutes)", service.id, service.name, service.duration_minutes);
            }
            eprintln!("Control: GET /_simulator/state, POST /_simulator/faults. Stop with Ctrl-C.");
            stopped(until_stdin_ends).await?;
        }
    }
    Ok(())
}
