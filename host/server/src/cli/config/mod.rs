//! `berth config`: all settings of a tenant as one document, compared and carried out over the API with a tenant's key.

mod apply;
#[cfg(test)]
mod complete;
mod current;
mod document;
mod objects;
mod plan;
mod secrets;
mod yaml;

use std::{io::Read as _, path::PathBuf, process::ExitCode};

use berth_model::limits;
use clap::{Args, Subcommand};
use serde_json::json;

use self::{
    apply::Applying,
    document::Document,
    plan::{Credentials, Plan, plan},
};
use super::{CliError, client::Api, output};

#[derive(Debug, Args)]
#[command(
    after_help = "The document has the tenant's own words, connections, members, restriction schedules, schedules, listings with their event types, rules, and
texts that people consent to. Slugs are keys; members have the tenant's id of them, connections and schedules their name. A section that it
does not have is not looked at. Secrets do not stand in it: credentials are env:NAME or file:PATH, of the machine where it is applied.

The exit code is 0 if all is well, 1 if `diff` found something or a step of `apply` was refused, 2 if the document cannot be read, 3 if the
server does not answer.

Examples:
  export BERTH_KEY=berth_…                    a key of the tenant
  berth config export > salon.yaml            all of it
  berth config diff salon.yaml                what is different
  berth config apply salon.yaml               make it so; a second time there is nothing to do
  berth config apply --prune salon.yaml       and remove what the document does not have"
)]
pub(super) struct Configs {
    /// The server.
    #[arg(
        long,
        global = true,
        env = "BERTH_URL",
        value_name = "URL",
        default_value = "http://127.0.0.1:8080"
    )]
    url: String,
    /// A key of the tenant. Better in the environment: other users of this machine see arguments.
    #[arg(long, global = true, env = "BERTH_KEY", value_name = "KEY", hide_env_values = true)]
    key: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write all of it to standard output.
    Export,
    /// Say what is different. The exit code is 1 if something is.
    Diff {
        /// The document; - for standard input.
        file: PathBuf,
        /// What the document does not have counts, too.
        #[arg(long)]
        prune: bool,
    },
    /// Make it as the document says, in an order in which everything is there when something refers to it. What is done before a step is
    /// refused stays done; the rest is done by applying it again.
    Apply {
        /// The document; - for standard input.
        file: PathBuf,
        /// Remove what the document does not have, in the sections that it has.
        #[arg(long)]
        prune: bool,
        /// Send the credentials of all connections again, not only of those that have none.
        #[arg(long)]
        credentials: bool,
    },
}

fn read(file: &PathBuf) -> Result<Document, CliError> {
    let most = u64::try_from(limits::CONFIG_DOCUMENT_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    let mut text = String::new();
    let read = if file.as_os_str() == "-" {
        std::io::stdin().lock().take(most).read_to_string(&mut text)
    } else {
        std::fs::File::open(file).and_then(|file| file.take(most).read_to_string(&mut text))
    };
    read.map_err(|error| CliError::Usage(format!("{}: {error}", file.display())))?;
    yaml::read(&text)
}

fn show(plan: &Plan, json: bool) {
    if json {
        let rows: Vec<_> = plan
            .steps
            .iter()
            .map(|step| vec![("what", json!(step.title)), ("differences", json!(step.lines))])
            .collect();
        output::rows(true, &rows);
        return;
    }
    for planned in &plan.steps {
        output::line(&planned.title);
        planned.lines.iter().for_each(|line| output::line(&format!("    {line}")));
    }
    for left in &plan.left {
        output::line(&format!("  stays without --prune: {left}"));
    }
    if plan.steps.is_empty() {
        output::line("nothing to do");
    }
}

async fn carried_out(api: &Api, current: current::Current, mut plan: Plan) -> Result<(), CliError> {
    let mut applying = Applying::new(api, current, &mut plan);
    let all = plan.steps.len();
    for (done, planned) in plan.steps.iter().enumerate() {
        if let Err(error) = applying.step(planned).await {
            let said = format!(
                "{}: {error}\n  {done} of {all} steps are done, and stay; this one and what comes after it is not. Apply the document again once it is mended.",
                planned.title
            );
            return Err(match error {
                CliError::Unreachable(_) => CliError::Unreachable(said),
                _ => CliError::Other(said),
            });
        }
    }
    if all > 0 {
        output::note(&format!("done: {all}"));
    }
    Ok(())
}

/// Carry a command out.
pub(super) async fn config(of: Configs, json: bool) -> Result<ExitCode, CliError> {
    let hint = "a key of the tenant is needed: set BERTH_KEY, or --key\n  Make one with: berth key create --tenant SLUG --name config";
    let document = match &of.command {
        Command::Export => None,
        Command::Diff { file, .. } | Command::Apply { file, .. } => Some(read(file)?),
    };
    let api = Api::new(&of.url, of.key, hint)?;
    let current = current::read(&api).await?;
    match (of.command, document) {
        (Command::Diff { prune, .. }, Some(mut document)) => {
            current.normalise(&mut document);
            let plan = plan(&document, &current, prune, Credentials::None)?;
            show(&plan, json);
            Ok(if plan.steps.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        (Command::Apply { prune, credentials, .. }, Some(mut document)) => {
            current.normalise(&mut document);
            let credentials = if credentials { Credentials::All } else { Credentials::Missing };
            let plan = plan(&document, &current, prune, credentials)?;
            show(&plan, json);
            carried_out(&api, current, plan).await?;
            Ok(ExitCode::SUCCESS)
        }
        _ => {
            if json {
                output::line(&format!("{:#}", yaml::lean(&current.document)));
            } else {
                output::line(yaml::written(&current.document).trim_end());
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}
