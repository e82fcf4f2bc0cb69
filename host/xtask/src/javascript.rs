//! What is done with npm: building the provider components that are written in JavaScript, and the packages that tests need.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::SystemTime,
};

use crate::run::{output, root, step, target_dir};

/// Folders of npm, which say nothing of what was written here.
const MADE: &[&str] = &["node_modules", "build"];

/// Build those that changed and put them beside the others. The error says why there are none; then none is left from before.
pub(crate) fn build(components: &Path) -> Result<(), String> {
    let mut outcome = Ok(());
    for folder in folders() {
        let short = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let component = components.join(format!("{short}.wasm"));
        if let Err(reason) = one(&folder, &short, &component) {
            let _ = fs::remove_file(&component);
            outcome = Err(reason);
        }
    }
    outcome
}

/// A folder with the packages of `tests/javascript`; the error says why there is none.
pub(crate) fn packages() -> Result<PathBuf, String> {
    let wanted = root().join("tests/javascript");
    let folder = target_dir().join("javascript");
    let list = wanted.join("package-lock.json");
    // What was installed, so that a changed list is installed again.
    let installed = folder.join("installed.json");
    let is_there = || Some(fs::read(&installed).ok()? == fs::read(&list).ok()?);
    if is_there() == Some(true) {
        return Ok(folder);
    }
    println!("==> install the JavaScript packages of the tests (into {})", folder.display());
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    fs::create_dir_all(&folder).map_err(failed)?;
    for name in ["package.json", "package-lock.json", ".npmrc"] {
        fs::copy(wanted.join(name), folder.join(name)).map_err(failed)?;
    }
    let mut npm = Command::new("npm");
    npm.args(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]).current_dir(&folder);
    if !npm.status().is_ok_and(|status| status.success()) {
        return Err("npm could not install them; is Node.js there, and a network?".to_owned());
    }
    fs::copy(&list, &installed).map_err(failed)?;
    Ok(folder)
}

fn folders() -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join("plugins")).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.join("package.json").is_file()).collect()
}

fn one(folder: &Path, short: &str, component: &Path) -> Result<(), String> {
    let changed = newest(folder).max(newest(&root().join("wit")));
    if modified(component) > changed {
        return Ok(());
    }
    output(Command::new("npm").arg("--version"))
        .ok_or("npm is not installed; install Node.js to build them")?;
    let npm = |args: &[&str]| {
        let mut command = Command::new("npm");
        command.args(args).current_dir(folder);
        step(&format!("{short}: npm {}", args.join(" ")), &mut command)
    };
    // Not `npm ci`: it refuses a lock file that lacks optional packages for machines that nobody published them for.
    npm(&["install", "--no-audit", "--no-fund", "--silent"])?;
    npm(&["run", "build", "--silent"])?;
    let built = folder.join("build").join(format!("{short}.wasm"));
    fs::copy(&built, component).map_err(|error| format!("{}: {error}", built.display()))?;
    Ok(())
}

/// When the newest of what was written in a folder was written.
fn newest(folder: &Path) -> Option<SystemTime> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let written = entries.filter(|entry| !MADE.iter().any(|made| entry.file_name() == *made));
    written
        .map(|entry| if entry.path().is_dir() { newest(&entry.path()) } else { modified(&entry.path()) })
        .max()?
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}
