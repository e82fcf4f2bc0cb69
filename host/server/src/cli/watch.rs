//! The watched plugin folder.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    time::SystemTime,
};

use berth_engine::Engine;
use berth_model::{
    limits,
    plugins::plugin::PluginState,
    problem::{Code, Problem},
};

/// Components in one folder that are looked at.
const FILES_MAX: usize = 100;
/// Looks between two tries to deal with a file, at most.
const LOOKS_MAX: u32 = 128;
/// Who acts, in audit rows.
const ACTOR: &str = "operator";
/// From where.
const REQUEST: &str = "plugin-dir";

/// How a file looks from outside: another content has another stamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    changed: SystemTime,
    bytes: u64,
}

/// A file of the folder.
#[derive(Debug, Clone, Copy)]
struct Known {
    stamp: Stamp,
    /// Looks until it is dealt with; none if it was.
    looks: Option<u32>,
    /// How often it could not be dealt with.
    failures: u32,
}

/// What was seen already.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    files: HashMap<PathBuf, Known>,
    /// The folder could not be read, which was said.
    unreadable: bool,
}

impl Seen {
    /// The files to deal with now: those that were not, and did not change since the last look. One that is still being copied
    /// grows from one look to the next.
    fn ripe(&mut self, found: Vec<(PathBuf, Stamp)>) -> Vec<PathBuf> {
        let before = std::mem::take(&mut self.files);
        let mut ripe = Vec::new();
        for (path, stamp) in found {
            let mut known = before
                .get(&path)
                .filter(|known| known.stamp == stamp)
                .copied()
                .unwrap_or(Known { stamp, looks: Some(1), failures: 0 });
            match known.looks {
                Some(0) => {
                    known.looks = None;
                    ripe.push(path.clone());
                }
                Some(left) => known.looks = Some(left - 1),
                None => {}
            }
            self.files.insert(path, known);
        }
        ripe
    }

    /// Deal with this file again later, ever more rarely.
    fn again(&mut self, path: &Path) {
        if let Some(known) = self.files.get_mut(path) {
            let looks = 1_u32.checked_shl(known.failures).unwrap_or(u32::MAX).min(LOOKS_MAX);
            known.looks = Some(looks - 1);
            known.failures = known.failures.saturating_add(1);
        }
    }
}

/// Install what is new in the folder, and activate it if it asks for no more than is granted.
pub(crate) async fn install_new(engine: &Engine, dir: &Path, seen: &mut Seen) {
    let found = match components(dir).await {
        Ok(found) => found,
        Err(error) => {
            if !std::mem::replace(&mut seen.unreadable, true) {
                tracing::warn!(dir = %dir.display(), %error, "the plugin folder cannot be read");
            }
            return;
        }
    };
    seen.unreadable = false;
    for path in seen.ripe(found) {
        if let Err(problem) = install(engine, &path).await {
            let file = path.display();
            // Another try of the same bytes would end the same way.
            if matches!(problem.code, Code::PluginRefused | Code::PluginNotConforming | Code::PluginTooCostly)
            {
                let errors: Vec<&str> = problem.errors.iter().map(|error| error.message.as_str()).collect();
                tracing::warn!(%file, %problem, errors = errors.join("; "), "plugin refused");
            } else {
                tracing::warn!(%file, %problem, "plugin not installed; it is tried again");
                seen.again(&path);
            }
        }
    }
}

async fn components(dir: &Path) -> std::io::Result<Vec<(PathBuf, Stamp)>> {
    let mut entries = tokio::fs::read_dir(dir).await?;
    let mut found = Vec::new();
    while let Some(entry) = entries.next_entry().await? {
        let path = entry.path();
        if path.extension().is_none_or(|e| e != "wasm") {
            continue;
        }
        // Gone in between: it is not there.
        let Ok(metadata) = tokio::fs::metadata(&path).await else { continue };
        found.push((path, Stamp { changed: metadata.modified()?, bytes: metadata.len() }));
        if found.len() == FILES_MAX {
            break;
        }
    }
    Ok(found)
}

async fn install(engine: &Engine, path: &Path) -> Result<(), Problem> {
    let unread = |error: std::io::Error| Problem::new(Code::Internal, error.to_string());
    let bytes = tokio::fs::metadata(path).await.map_err(unread)?.len();
    if usize::try_from(bytes).is_ok_and(|bytes| bytes > limits::COMPONENT_BYTES_MAX) {
        let most = limits::COMPONENT_BYTES_MAX;
        return Err(Problem::new(
            Code::PluginRefused,
            format!("has {bytes} bytes; at most {most} are allowed"),
        ));
    }
    let component = tokio::fs::read(path).await.map_err(unread)?;
    let version = engine.plugins.install_plugin(ACTOR, REQUEST, component).await?.version;
    let (file, digest) = (path.display(), version.digest.short());
    match version.state {
        PluginState::Staged => {
            engine.plugins.activate_plugin(ACTOR, REQUEST, &version.digest).await?;
            tracing::info!(%file, plugin = %version.plugin, digest, "plugin installed and active");
        }
        PluginState::Held => tracing::warn!(
            %file, plugin = %version.plugin, digest, reason = version.reason,
            "plugin installed and held: grant what it asks for (berth plugin grant), then activate it"
        ),
        // The same bytes were installed before; what was decided about them then stands.
        state => {
            tracing::info!(%file, plugin = %version.plugin, digest, ?state, "plugin is installed already");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(seen: &mut Seen, files: &[(&str, u64)]) -> Vec<String> {
        let stamp = |bytes| Stamp { changed: SystemTime::UNIX_EPOCH, bytes };
        let found = files.iter().map(|(name, bytes)| (PathBuf::from(name), stamp(*bytes))).collect();
        seen.ripe(found).iter().map(|path| path.display().to_string()).collect()
    }

    #[test]
    fn a_file_is_dealt_with_once_it_stands_still() {
        let mut seen = Seen::default();
        assert!(look(&mut seen, &[("a", 1)]).is_empty(), "perhaps being copied");
        assert!(look(&mut seen, &[("a", 2)]).is_empty(), "still growing");
        assert_eq!(look(&mut seen, &[("a", 2), ("b", 1)]), ["a"]);
        assert_eq!(look(&mut seen, &[("a", 2), ("b", 1)]), ["b"]);
        assert!(look(&mut seen, &[("a", 2), ("b", 1)]).is_empty());
        assert!(look(&mut seen, &[("a", 3), ("b", 1)]).is_empty(), "replaced");
        assert_eq!(look(&mut seen, &[("a", 3), ("b", 1)]), ["a"]);
        assert!(look(&mut seen, &[("b", 1)]).is_empty());
        assert!(look(&mut seen, &[("a", 3), ("b", 1)]).is_empty(), "taken away and put back");
        assert_eq!(look(&mut seen, &[("a", 3), ("b", 1)]), ["a"]);
    }

    #[test]
    fn what_failed_for_now_is_tried_again_ever_more_rarely() {
        let mut seen = Seen::default();
        look(&mut seen, &[("a", 1)]);
        assert_eq!(look(&mut seen, &[("a", 1)]), ["a"]);
        for looks in [1, 2, 4, 8, 16, 32, 64, 128, 128] {
            seen.again(Path::new("a"));
            for _ in 1..looks {
                assert!(look(&mut seen, &[("a", 1)]).is_empty(), "{looks}");
            }
            assert_eq!(look(&mut seen, &[("a", 1)]), ["a"], "{looks}");
        }
        assert!(look(&mut seen, &[("a", 1)]).is_empty());
    }
}
