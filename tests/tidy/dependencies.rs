//! What the crates stand on: no dependency that nobody uses, none twice without a reason, and a model that stays pure.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::Command,
};

use toml::{Table, Value};

use super::{files, root};

/// A package of ours: its manifest, and its code without lines of comment.
struct Package {
    path: PathBuf,
    manifest: Table,
    code: String,
}

fn packages() -> Vec<Package> {
    let manifests = files(".", "Cargo.toml");
    let homes: Vec<&Path> = manifests.iter().filter_map(|(path, _)| path.parent()).collect();
    let mut code: BTreeMap<&Path, String> = BTreeMap::new();
    for (path, text) in files(".", ".rs") {
        let inner =
            homes.iter().filter(|home| path.starts_with(home)).max_by_key(|home| home.components().count());
        let of_it = code.entry(inner.unwrap()).or_default();
        let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        lines.for_each(|line| of_it.extend([line, "\n"]));
    }
    let package = |(path, text): &(PathBuf, String)| Package {
        path: path.clone(),
        manifest: text.parse().unwrap(),
        code: code.get(path.parent().unwrap()).cloned().unwrap_or_default(),
    };
    manifests.iter().map(package).collect()
}

/// The dependencies of a manifest, by the name that code calls them.
fn dependencies<'a>(manifest: &'a Table, kind: &str) -> Vec<(&'a String, &'a Value)> {
    let platforms = manifest.get("target").and_then(Value::as_table).into_iter().flatten();
    let tables = platforms.filter_map(|(_, platform)| platform.as_table()).chain([manifest]);
    tables.filter_map(|table| table.get(kind)?.as_table()).flatten().collect()
}

/// Is the crate named in this code: `name::`, `use name`, `extern crate name`?
fn names(code: &str, dependency: &str) -> bool {
    let name = dependency.replace('-', "_");
    code.match_indices(&name).any(|(at, _)| {
        let (before, after) = (&code[..at], &code[at + name.len()..]);
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let whole = !before.ends_with(|c| is_word(c) || c == ':') && !after.starts_with(is_word);
        whole && (after.starts_with("::") || before.ends_with("use ") || before.ends_with("extern crate "))
    })
}

#[test]
fn every_dependency_is_used() {
    let (mut unused, mut inherited) = (Vec::new(), BTreeSet::new());
    let packages = packages();
    for Package { path, manifest, code } in &packages {
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            for (name, spec) in dependencies(manifest, kind) {
                if spec.get("workspace").is_some() {
                    inherited.insert(name.as_str());
                }
                if !names(code, name) {
                    unused.push(format!("{}: {name}", path.display()));
                }
                let twice = kind == "dev-dependencies" && spec.get("features").is_none();
                if twice && dependencies(manifest, "dependencies").iter().any(|(other, _)| *other == name) {
                    unused.push(format!("{}: {name}, which is a dependency already", path.display()));
                }
            }
        }
    }
    let workspace = packages.iter().find_map(|package| package.manifest.get("workspace")).unwrap();
    let said = workspace["dependencies"].as_table().unwrap();
    unused.extend(
        said.keys()
            .filter(|name| !inherited.contains(name.as_str()))
            .map(|name| format!("workspace: {name}")),
    );
    assert!(unused.is_empty(), "dependencies that nobody uses: {unused:#?}");
}

#[test]
fn a_crate_is_used_where_code_names_it() {
    for code in
        ["serde_json::json!()", "use serde_json as json;", "extern crate serde_json;", "(serde_json::Value)"]
    {
        assert!(names(code, "serde-json"), "{code}");
    }
    for code in ["my_serde_json::x", "other::serde_json::x", "let serde_json = 1;", "serde_json_path::x"] {
        assert!(!names(code, "serde-json"), "{code}");
    }
}

/// A version of a package in the lock file.
type Locked = (String, String);

struct Lock(BTreeMap<Locked, Vec<Locked>>);

impl Lock {
    fn read() -> Self {
        let lock: Table = std::fs::read_to_string(root().join("Cargo.lock")).unwrap().parse().unwrap();
        let text = |value: &Value, key: &str| value[key].as_str().unwrap().to_owned();
        let packages = lock["package"].as_array().unwrap();
        let all: Vec<Locked> = packages.iter().map(|p| (text(p, "name"), text(p, "version"))).collect();
        // `name`, or `name version` where there are several.
        let find = |said: &str| {
            let (name, version) = said.split_once(' ').unwrap_or((said, ""));
            let version = version.split(' ').next().unwrap();
            all.iter().find(|(n, v)| n == name && (version.is_empty() || v == version)).unwrap().clone()
        };
        let needs = |p: &Value| {
            let said = p.get("dependencies").and_then(Value::as_array).into_iter().flatten();
            said.map(|dependency| find(dependency.as_str().unwrap())).collect()
        };
        Self(
            packages
                .iter()
                .map(|p| (text(p, "name"), text(p, "version")))
                .zip(packages.iter().map(needs))
                .collect(),
        )
    }

    /// All versions but the newest of what is there more than once.
    fn older(&self) -> BTreeSet<Locked> {
        let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, version) in self.0.keys() {
            versions.entry(name).or_default().push(version);
        }
        let mut older = BTreeSet::new();
        for (name, mut versions) in versions {
            versions.sort_by(|a, b| by_number(a, b));
            versions.pop();
            older.extend(versions.into_iter().map(|version| (name.to_owned(), version.to_owned())));
        }
        older
    }

    /// A package and all that it needs.
    fn under(&self, top: &Locked) -> BTreeSet<Locked> {
        let (mut found, mut open) = (BTreeSet::new(), vec![top.clone()]);
        while let Some(next) = open.pop() {
            if found.insert(next.clone()) {
                open.extend(self.0.get(&next).into_iter().flatten().cloned());
            }
        }
        found
    }
}

fn by_number(a: &str, b: &str) -> Ordering {
    let numbers = |version: &str| -> Vec<u64> {
        version.split('+').next().unwrap().split('.').map(|n| n.parse().unwrap_or_default()).collect()
    };
    numbers(a).cmp(&numbers(b))
}

/// What is there in several versions stands in `host/deny.toml` with its reason, and nothing stands there that is not.
#[test]
fn whatever_is_there_twice_has_a_reason() {
    let (lock, mut wrong, mut excused) = (Lock::read(), Vec::new(), BTreeSet::new());
    let older = lock.older();
    let policy: Table = std::fs::read_to_string(root().join("host/deny.toml")).unwrap().parse().unwrap();
    for (list, whole) in [("skip", false), ("skip-tree", true)] {
        for entry in policy["bans"][list].as_array().unwrap() {
            let said = entry["crate"].as_str().unwrap();
            let (name, version) = said.split_once('@').unwrap();
            // What follows a plus sign tells no versions apart.
            let is_it = |(n, v): &&Locked| n == name && v.split('+').next() == Some(version);
            let Some(locked) = older.iter().find(is_it).cloned() else {
                wrong.push(format!("{said} is not there beside a newer one"));
                continue;
            };
            if entry.get("reason").and_then(Value::as_str).is_none_or(|reason| reason.len() < 10) {
                wrong.push(format!("{said} has no reason"));
            }
            excused.extend(if whole { lock.under(&locked) } else { BTreeSet::from([locked]) });
        }
    }
    wrong.extend(older.difference(&excused).map(|(name, version)| format!("{name}@{version} has no reason")));
    assert!(wrong.is_empty(), "bans.skip and bans.skip-tree of host/deny.toml: {wrong:#?}");
}

/// Most lines of the model's tree of dependencies, itself among them: it is built first, and by whoever changes a rule.
const MODEL_CRATES_MAX: usize = 135;

#[test]
fn the_model_stays_pure() {
    let mut tree = Command::new(env!("CARGO"));
    tree.args(["tree", "--offline", "--package", "berth-model", "--edges", "normal", "--prefix", "none"]);
    // As whoever builds the model alone has it.
    tree.env_remove("CARGO_RESOLVER_FEATURE_UNIFICATION").env_remove("CARGO_UNSTABLE_FEATURE_UNIFICATION");
    let output = tree.current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let crates: BTreeSet<&str> = text.lines().collect();
    assert!(crates.len() <= MODEL_CRATES_MAX, "{} crates are under the model", crates.len());
    assert!(crates.iter().any(|line| line.starts_with("serde ")), "no tree: {text}");
    for foreign in
        ["axum", "clap", "hyper", "jsonschema", "reqwest", "sqlx", "tokio", "tracing", "utoipa", "wasmtime"]
    {
        let is_there = crates.iter().any(|line| line.split(' ').next() == Some(foreign));
        assert!(!is_there, "{foreign} is under the model");
    }
}
