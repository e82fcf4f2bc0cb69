//! The watched plugin folder.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    time::SystemTime,
};

use berth_engine::Engine;
use berth_model::plugin::PluginState;

/// Components in one folder that are looked at.
const FILES_MAX: usize = 100;

/// What was seen already: a file is looked at again when its time of change moves.
#[derive(Debug, Default)]
pub(crate) struct Seen(HashMap<PathBuf, SystemTime>);

/// Install what is new in the folder, and activate it if it asks for no more than is granted.
pub(crate) async fn install_new(engine: &Engine, dir: &Path, seen: &mut Seen) {
    let Ok(mut entries) = tokio::fs::read_dir(dir).await else {
        tracing::warn!(dir = %dir.display(), "the plugin folder cannot be read");
        return;
    };
    for _ in 0..FILES_MAX {
        let Ok(Some(entry)) = entries.next_entry().await else { return };
        let path = entry.path();
        let changed = entry.metadata().await.and_then(|m| m.modified());
        let (Ok(changed), true) = (changed, path.extension().is_some_and(|e| e == "wasm")) else { continue };
        if seen.0.get(&path) == Some(&changed) {
            continue;
        }
        seen.0.insert(path.clone(), changed);
        let Ok(bytes) = tokio::fs::read(&path).await else { continue };
        match engine.install_plugin("operator", "plugin-dir", bytes).await {
            Ok(installed) if installed.version.state == PluginState::Staged => {
                let digest = &installed.version.digest;
                match engine.activate_plugin("operator", "plugin-dir", digest).await {
                    Ok(_) => {
                        tracing::info!(file = %path.display(), digest = digest.short(), "plugin installed and active");
                    }
                    Err(problem) => {
                        tracing::warn!(file = %path.display(), %problem, "plugin installed, not active");
                    }
                }
            }
            Ok(installed) => {
                tracing::info!(file = %path.display(), state = ?installed.version.state, "plugin installed");
            }
            Err(problem) => tracing::warn!(file = %path.display(), %problem, "plugin refused"),
        }
    }
}
