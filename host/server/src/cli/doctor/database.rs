//! The database: reachable, with the schema of this program, and the key that opens what is sealed in it.

use berth_model::time::Clock;
use berth_store::Store;

use super::{Finding, zones::Known};
use crate::{
    config::Config,
    ports::{MachineClock, MachineRandom},
    wiring,
};

/// What was found, and whether plugins can be looked at.
pub(super) async fn findings(config: &Config, zones: &Known) -> (Vec<Finding>, bool) {
    if let Err(error) = config.make_data_dir().and_then(|()| config.vault_keys(&MachineRandom::new())) {
        let advice = "set vault-key (BERTH_VAULT_KEY) to the key that sealed the credentials";
        return (vec![Finding::fail("vault key", error.to_string(), advice)], false);
    }
    let store = match wiring::open_store(config).await {
        Ok(store) => store,
        Err(error) => return (vec![unreachable_database(&error.to_string())], false),
    };
    let mut findings = vec![schema(&store).await];
    let current = findings.iter().all(|finding| finding.advice.is_empty());
    if current {
        findings.push(statements(&store).await);
        findings.push(sealed(&store).await);
        findings.push(zones.of_tenants(&store, MachineClock.now()).await);
    }
    store.close().await;
    (findings, current)
}

fn unreachable_database(error: &str) -> Finding {
    Finding::fail("database", error, "check database-url (DATABASE_URL), and that its server runs")
}

async fn schema(store: &Store) -> Finding {
    if let Err(error) = store.ping().await {
        return unreachable_database(&error.to_string());
    }
    match store.pending_migrations().await {
        Ok(pending) if pending.is_empty() => {
            Finding::ok("database", format!("{}, schema up to date", store.engine()))
        }
        Ok(pending) => Finding::fail(
            "database",
            format!("{}, not applied: {}", store.engine(), pending.join(", ")),
            "run `berth migrate`, or start `berth serve`, which does it",
        ),
        Err(error) => {
            Finding::fail("database", error.to_string(), "run the berth that is as new as the schema")
        }
    }
}

async fn statements(store: &Store) -> Finding {
    let advice = "the schema was changed by hand: restore it from a backup";
    match store.prepare_all().await {
        Ok(refused) if refused.is_empty() => Finding::ok("statements", "all understood by the database"),
        Ok(refused) => Finding::fail("statements", refused.join("; "), advice),
        Err(error) => Finding::fail("statements", error.to_string(), advice),
    }
}

async fn sealed(store: &Store) -> Finding {
    match store.sealed_state().await {
        Ok(state) if state.closed > 0 => Finding::fail(
            "vault key",
            format!("it does not open the credentials of {} connections", state.closed),
            "give back the key that sealed them, as vault-key or vault-key-old",
        ),
        Ok(state) if state.tenants_closed > 0 => Finding::fail(
            "vault key",
            format!(
                "it does not open the key by which {} tenants find their customers",
                state.tenants_closed
            ),
            "give back the key that sealed them, as vault-key or vault-key-old",
        ),
        Ok(state) if state.tenants_older > 0 && state.older == 0 => Finding::warn(
            "vault key",
            format!("keys of {} tenants are sealed with the key before this one", state.tenants_older),
            "run `berth vault rotate`",
        ),
        Ok(state) if state.older > 0 => Finding::warn(
            "vault key",
            format!("{} connections are sealed with the key before this one", state.older),
            "run `berth vault rotate`",
        ),
        Ok(state) => {
            Finding::ok("vault key", format!("opens the credentials of {} connections", state.current))
        }
        Err(error) => Finding::fail("vault key", error.to_string(), "see the database's log"),
    }
}
