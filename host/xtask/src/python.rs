//! A Python of our own with the packages that tests need, in the target folder. Nothing is installed on the machine.

use std::{fs, path::PathBuf, process::Command};

use crate::run::{output, root, target_dir};

/// Its interpreter; the error says why there is none.
pub(crate) fn python() -> Result<PathBuf, String> {
    let wanted = root().join("tests/python/requirements.txt");
    let list = fs::read(&wanted).map_err(|error| format!("{}: {error}", wanted.display()))?;
    let folder = target_dir().join("python");
    let interpreter = folder.join("bin/python");
    // What was installed, so that a changed list is installed again.
    let installed = folder.join("installed.txt");
    if interpreter.is_file() && fs::read(&installed).is_ok_and(|found| found == list) {
        return Ok(interpreter);
    }
    println!("==> install the Python packages of the tests (into {})", folder.display());
    let made = output(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder));
    made.ok_or("python3 -m venv failed; install your system's python3 and python3-venv")?;
    let pip = Command::new(&interpreter)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"])
        .arg(&wanted)
        .status();
    if !pip.is_ok_and(|status| status.success()) {
        return Err("pip could not install tests/python/requirements.txt; is there a network?".to_owned());
    }
    fs::write(&installed, list).map_err(|error| format!("{}: {error}", installed.display()))?;
    Ok(interpreter)
}
