//! A copy of the `RustSec` database of advisories, against which `tests/tidy/advisories.rs` holds `Cargo.lock`.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use crate::run::target_dir;

const SOURCE: &str = "https://github.com/RustSec/advisory-db";
/// Longest time that the database may take to come; it is small.
const LONGEST: Duration = Duration::from_mins(1);

/// A folder with the database: what `BERTH_ADVISORIES` names, or a copy under `target`, brought up to date if that can be done. The error says
/// why there is none.
pub(crate) fn database() -> Result<PathBuf, String> {
    if let Some(named) = std::env::var_os("BERTH_ADVISORIES").map(PathBuf::from) {
        return if named.join("crates").is_dir() {
            Ok(named)
        } else {
            Err(format!("BERTH_ADVISORIES: {} has no folder crates", named.display()))
        };
    }
    let folder = target_dir().join("advisories");
    let there = folder.to_string_lossy().into_owned();
    if folder.join("crates").is_dir() {
        // An older copy is better than none.
        if git(&["-C", &there, "fetch", "--quiet", "--depth", "1", "origin", "HEAD"]) {
            git(&["-C", &there, "reset", "--quiet", "--hard", "FETCH_HEAD"]);
        }
        return Ok(folder);
    }
    // What is left of a copy that was not finished would be in the way.
    let _ = std::fs::remove_dir_all(&folder);
    if git(&["clone", "--quiet", "--depth", "1", SOURCE, &there]) {
        return Ok(folder);
    }
    Err(format!("the database could not be had from {SOURCE}; BERTH_ADVISORIES may name a copy"))
}

/// Nobody is asked for a password, and where nothing comes it is given up: whoever is without a network waits no longer than this.
fn git(args: &[&str]) -> bool {
    let mut command = Command::new("git");
    command.args(["-c", "http.lowSpeedLimit=1000", "-c", "http.lowSpeedTime=20"]).args(args);
    command.env("GIT_TERMINAL_PROMPT", "0").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let Ok(mut child) = command.spawn() else { return false };
    let until = Instant::now() + LONGEST;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) if Instant::now() < until => std::thread::sleep(Duration::from_millis(50)),
            _ => {
                // It may have ended in this moment, which is as good.
                let _ = child.kill();
                let _ = child.wait();
                return false;
            }
        }
    }
}
