//! The command line.

mod client;
mod compute;
mod config;
mod demo;
mod doctor;
mod keys;
mod output;
mod plugins;
mod serve;
mod vault;
pub(crate) mod watch;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};

use crate::{
    Readiness,
    config::{Config, ConfigError},
    zones::ZoneKeeper,
};

/// Booking engine with sandboxed, hot-loaded providers.
#[derive(Debug, Parser)]
#[command(
    name = "berth",
    version,
    after_help = "Examples:\n  berth serve                              start on SQLite in .berth/\n  berth key create --operator --name ops   make an operator's key\n  berth plugin install acme.wasm           check, compile and store a component\n  berth plugin activate acme               let it serve\n  berth doctor                             what is wrong with this set-up?\n  berth compute < request.json             slots from rules and busy times, nothing stored"
)]
struct Cli {
    /// Configuration file (default: berth.toml, if it is there).
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    /// Print JSON instead of tables.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start the server.
    #[command(
        after_help = "Stops on Ctrl-C or SIGTERM after it finished what is under way; a second one ends it at once.

Examples:
  berth serve                                          on http://127.0.0.1:8080, with SQLite in .berth/
  BERTH_LISTEN=127.0.0.1:9000 berth serve              another port
  DATABASE_URL=postgres://berth@db/berth berth serve   on PostgreSQL (needs BERTH_VAULT_KEY)
  BERTH_PLUGIN_DIR=plugins berth serve                 install components that are dropped into plugins/
  BERTH_LOG_FORMAT=json berth --config /etc/berth.toml serve"
    )]
    Serve,
    /// Bring the database's schema up to date. `serve` does it as well.
    Migrate,
    /// Make, list and revoke API keys.
    #[command(
        subcommand,
        after_help = "Examples:
  berth key create --operator --name ops                     an operator's key
  berth key create --tenant studio --name website --scopes availability:read,bookings:write --days 365
  berth key create --tenant studio --name import --requests-per-minute 6000
  berth key create --tenant studio --name backend --source 192.0.2.0/24 --source 2001:db8::7
  berth key list --tenant studio
  berth key revoke 019f… --tenant studio"
    )]
    Key(keys::Key),
    /// Make, list, suspend and delete tenants.
    #[command(
        subcommand,
        after_help = "Examples:
  berth tenant create --tenant studio --name \"Studio Lisbon\"
  berth tenant list --json
  berth tenant suspend --tenant studio       its keys and links are refused until it is resumed
  berth tenant delete --tenant studio        show what would go
  berth tenant delete --tenant studio --yes  delete all of it"
    )]
    Tenant(keys::Tenant),
    /// Install, activate and roll back provider plugins.
    Plugin(plugins::Plugins),
    /// Write all settings of a tenant to a file, compare them with one, and make them so.
    Config(config::Configs),
    /// Start with a demo tenant, and a provider connected if a seed says so.
    #[command(after_help = "`cargo xtask demo` builds everything and calls this.")]
    Demo(demo::Demo),
    /// Say what is wrong with this set-up, and how to mend it.
    #[command(
        after_help = "Each check is ok, warn (it works, but not for long or not for everybody) or FAIL. The exit code is 1 if one failed.

Examples:
  berth doctor
  berth doctor --json | jq '.[] | select(.result != \"ok\")'"
    )]
    Doctor,
    /// Answer a scheduling question (JSON on standard input) from its rules and busy times alone.
    Compute(compute::Compute),
    /// Compile the component on standard input. For `berth` itself.
    #[command(name = berth_runtime::compile::COMMAND, hide = true)]
    CompileComponent,
    /// The key that seals credentials.
    #[command(subcommand)]
    Vault(vault::Vault),
}

/// What every command is given.
pub(crate) struct Context {
    pub(crate) config: Config,
    pub(crate) json: bool,
}

/// An error for the person at the terminal.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    #[error("{0}")]
    Config(#[from] ConfigError),
    #[error("{} {}\n  {}", .0.code.as_str(), .0.detail, .0.hint.as_deref().unwrap_or_else(|| .0.code.hint()))]
    Problem(#[from] berth_model::problem::Problem),
    #[error("{0}")]
    Other(String),
    /// What was given cannot be worked on.
    #[error("{0}")]
    Usage(String),
    /// A server does not answer.
    #[error("{0}")]
    Unreachable(String),
}

impl CliError {
    /// 1 a failure, 2 what was given is wrong, 3 a server does not answer.
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Config(_) | Self::Problem(_) | Self::Other(_) => ExitCode::FAILURE,
            Self::Usage(_) => ExitCode::from(2),
            Self::Unreachable(_) => ExitCode::from(3),
        }
    }
}

/// Options of commands that work on one tenant.
#[derive(Debug, Args)]
pub(crate) struct OfTenant {
    /// Slug of the tenant.
    #[arg(long)]
    pub(crate) tenant: String,
}

/// The help of every command, by its words: for a test that shows what changed.
#[must_use]
pub fn help_pages() -> Vec<(String, String)> {
    fn pages(command: &mut clap::Command, words: &str, all: &mut Vec<(String, String)>) {
        all.push((words.to_owned(), command.render_long_help().to_string()));
        for sub in command.get_subcommands_mut().filter(|sub| sub.get_name() != "help" && !sub.is_hide_set())
        {
            let words = format!("{words} {}", sub.get_name());
            pages(sub, &words, all);
        }
    }
    let mut all = Vec::new();
    let mut command = <Cli as clap::CommandFactory>::command();
    command.build();
    pages(&mut command, "berth", &mut all);
    all
}

/// Run the program.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    // Before any thread: it bounds its process.
    if matches!(cli.command, Command::CompileComponent) {
        return berth_runtime::compile::compile_component();
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            output::note(&format!("berth: {error}"));
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(cli)) {
        Ok(code) => code,
        Err(error) => {
            output::note(&format!("berth: {error}"));
            error.exit_code()
        }
    }
}

async fn run(cli: Cli) -> Result<ExitCode, CliError> {
    if let Command::Config(command) = cli.command {
        return config::config(command, cli.json).await;
    }
    let mut config = Config::load(cli.config.as_deref());
    if let (Command::Compute(_), Err(error)) = (&cli.command, &config) {
        output::note(&format!("berth: no folder of time zones is looked for: {error}"));
        config = Ok(Config::default());
    }
    if matches!(cli.command, Command::Doctor) {
        return doctor::doctor(cli.json, config).await;
    }
    let context = Context { config: config?, json: cli.json };
    if matches!(cli.command, Command::Serve | Command::Demo(_)) {
        crate::telemetry::start_logging(&context.config)?;
    }
    // Before anything asks a clock.
    let zones = ZoneKeeper::new(&context.config);
    zones.keep(true, &Readiness::default());
    match cli.command {
        Command::Serve => serve::serve(context.config, zones).await?,
        Command::Migrate => serve::migrate(&context).await?,
        Command::Key(command) => keys::key(&context, command).await?,
        Command::Tenant(command) => keys::tenant(&context, command).await?,
        Command::Plugin(command) => plugins::plugin(&context, command).await?,
        Command::Demo(demo) => demo::demo(context.config, zones, demo).await?,
        Command::Vault(command) => vault::vault(&context, command).await?,
        Command::Compute(compute) => {
            if !compute::compute_stdin(&compute)? {
                return Ok(ExitCode::FAILURE);
            }
        }
        // Answered above: they need no good configuration.
        Command::Doctor | Command::CompileComponent | Command::Config(_) => {}
    }
    Ok(ExitCode::SUCCESS)
}
