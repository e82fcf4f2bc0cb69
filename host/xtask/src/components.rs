//! Building the provider components.

use std::{fs, path::PathBuf};

use crate::{
    run::{Advice, cargo, root, step, target_dir},
    target::{self, TARGET},
};

/// Folders whose crates are components, and what is no component among them.
const FOLDERS: &[&str] = &["plugins", "tests/guests"];
const NOT_COMPONENTS: &[&str] = &["sdk"];

/// Crate names of all components with the short names of their files.
fn all() -> Result<Vec<(String, String)>, Advice> {
    let mut found = Vec::new();
    for folder in FOLDERS {
        let entries = fs::read_dir(root().join(folder)).map_err(|error| format!("{folder}: {error}"))?;
        for entry in entries.flatten() {
            let short = entry.file_name().to_string_lossy().into_owned();
            let manifest = entry.path().join("Cargo.toml");
            if NOT_COMPONENTS.contains(&short.as_str()) || !manifest.is_file() {
                continue;
            }
            let text =
                fs::read_to_string(&manifest).map_err(|error| format!("{}: {error}", manifest.display()))?;
            let name = text.lines().find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
            let name = name.ok_or_else(|| format!("{} has no package name", manifest.display()))?;
            if text.contains("cdylib") {
                found.push((name.to_owned(), short));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Build every component and put it into `target/components/<short name>.wasm`. The folder.
pub(crate) fn build() -> Result<PathBuf, Advice> {
    let toolchain = target::ensure()?;
    let components = all()?;
    let folder = target_dir().join("components");
    // A target directory of its own: cargo locks the one it builds in, and host builds need not wait for guests.
    let build_dir = target_dir().join("guests");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut command = cargo(&["build", "--quiet", "--profile", "component", "--target", TARGET]);
    command.env("CARGO_TARGET_DIR", &build_dir);
    for (name, _) in &components {
        command.args(["--package", name]);
    }
    toolchain.apply(&mut command);
    step(&format!("build {} provider components for {TARGET}", components.len()), &mut command)?;
    for (name, short) in &components {
        let built = build_dir.join(TARGET).join("component").join(format!("{}.wasm", name.replace('-', "_")));
        let bytes = fs::read(&built).map_err(|error| format!("{}: {error}", built.display()))?;
        let to = folder.join(format!("{short}.wasm"));
        // Left alone when unchanged, so that a watching host does not see a new version.
        if fs::read(&to).ok().as_ref() != Some(&bytes) {
            fs::write(&to, &bytes).map_err(|error| format!("{}: {error}", to.display()))?;
        }
    }
    Ok(folder)
}
