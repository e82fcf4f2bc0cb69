//! `berth vault rotate`: rotate the key that seals credentials.

use clap::Subcommand;
use serde_json::json;

use super::{CliError, Context, output};
use crate::wiring;

/// The steps, for `--help`.
const STEPS: &str = "To rotate the key, while servers run:
  1. Make a new one and keep the old one at hand.
     SQLite:      cd .berth && mv vault.key vault.key.old && head -c 32 /dev/urandom | base64 > vault.key && chmod 600 vault.key
     PostgreSQL:  BERTH_VAULT_KEY=<new> BERTH_VAULT_KEY_OLD=<old>, the same on every replica
  2. Restart the servers: they seal with the new key and open with both.
  3. berth vault rotate                    seals with the new key what the old one sealed
  4. Remove vault.key.old (or BERTH_VAULT_KEY_OLD), restart. `berth doctor` says whether everything opens.";

#[derive(Debug, Subcommand)]
pub(super) enum Vault {
    /// Seal all credentials with the new key, after it was rotated.
    #[command(after_help = STEPS)]
    Rotate,
}

pub(super) async fn vault(context: &Context, command: Vault) -> Result<(), CliError> {
    let Vault::Rotate = command;
    let store = wiring::open_store(&context.config).await?;
    let failed =
        |error: berth_store::StoreError| CliError::Other(format!("the key was not rotated: {error}"));
    let rotated = store.reseal_credentials().await.map_err(failed)?;
    let state = store.sealed_state().await.map_err(failed)?;
    store.close().await;
    output::rows(context.json, &[vec![("rotated", json!(rotated)), ("connections", json!(state.current))]]);
    Ok(())
}
