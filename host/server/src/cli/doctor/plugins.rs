//! The sandbox, its cache, and the plugins in it.

use berth_model::plugins::plugin::{PluginState, PluginVersion};

use super::{Finding, machine::writable};
use crate::{config::Config, wiring};

pub(super) async fn findings(config: &Config) -> Vec<Finding> {
    let mut findings = vec![cache(config)];
    let wired = match wiring::wire(config).await {
        Ok(wired) => wired,
        Err(error) => {
            findings.push(Finding::fail("wasm runtime", error.to_string(), "see what it names"));
            return findings;
        }
    };
    findings.push(if wired.runtime.is_pooled() {
        Finding::ok("wasm runtime", "starts, with pooled instances")
    } else {
        Finding::warn(
            "wasm runtime",
            "starts, without pooled instances: there is too little address space",
            "lift the limit (ulimit -v unlimited, or the container's); calls start more slowly without",
        )
    });
    match wired.engine.plugins.list_plugins().await {
        Ok(versions) => findings.extend(states(&versions)),
        Err(problem) => {
            findings.push(Finding::fail("plugins", problem.to_string(), "see the database's log"));
        }
    }
    let unloaded = match wired.engine.plugins.load_active_plugins().await {
        Ok(unloaded) => unloaded,
        Err(problem) => {
            findings.push(Finding::fail("plugins", problem.to_string(), "see the database's log"));
            Vec::new()
        }
    };
    for (version, problem) in &unloaded {
        findings.push(Finding::fail(
            "plugins",
            format!("{}@{} is active and does not load: {}", version.plugin, version.version, problem.detail),
            format!("berth plugin rollback {}", version.plugin),
        ));
    }
    wired.engine.store().close().await;
    findings
}

fn cache(config: &Config) -> Finding {
    let folder = config.compiled_dir();
    match writable(&folder) {
        Ok(()) => Finding::ok("compiled components", folder.display().to_string()),
        Err(error) => Finding::fail(
            "compiled components",
            format!("{}: {error}", folder.display()),
            "give this user the folder; it may be removed, and is made again",
        ),
    }
}

fn states(versions: &[PluginVersion]) -> Vec<Finding> {
    let names = |state: PluginState| -> Vec<String> {
        let of_state = versions.iter().filter(|v| v.state == state);
        of_state
            .map(|v| match &v.reason {
                Some(reason) => format!("{}@{} ({reason})", v.plugin, v.version),
                None => format!("{}@{}", v.plugin, v.version),
            })
            .collect()
    };
    let (active, held, aside) =
        (names(PluginState::Active), names(PluginState::Held), names(PluginState::Quarantined));
    let mut findings = vec![if active.is_empty() {
        Finding::warn(
            "plugins",
            "none active",
            "berth plugin install --activate <file>, if providers are wanted",
        )
    } else {
        Finding::ok("plugins", format!("active: {}", active.join(", ")))
    }];
    if !held.is_empty() {
        let found = format!("held: {}", held.join(", "));
        findings.push(Finding::warn(
            "plugins",
            found,
            "approve what they ask for: berth plugin grant <id> <hosts>",
        ));
    }
    if !aside.is_empty() {
        let found = format!("quarantined: {}", aside.join(", "));
        let advice = "install a mended version, or berth plugin quarantine --lift <name>";
        findings.push(Finding::warn("plugins", found, advice));
    }
    findings
}
