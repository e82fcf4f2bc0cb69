//! No package in Cargo.lock has an open advisory of the RustSec database, where that can be had (`BERTH_ADVISORIES` is a folder with a copy).

use std::{fs, path::Path};

use semver::{Version, VersionReq};
use toml::{Table, Value};

use super::root;

/// Does a version meet a requirement such as `>= 0.17.12, < 0.18`? None if that cannot be read.
fn meets(requirement: &str, found: &Version) -> Option<bool> {
    VersionReq::parse(requirement).ok().map(|requirement| requirement.matches(found))
}

fn strings(value: Option<&Value>) -> Vec<&str> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// The advisory in a page of the database, if it is open for a version.
fn open(page: &str, found: &Version) -> Option<String> {
    let head: Table = page.split("```toml").nth(1)?.split("```").next()?.parse().unwrap();
    let advisory = &head["advisory"];
    let id = advisory["id"].as_str().unwrap();
    let versions = &head["versions"];
    let mut safe = strings(versions.get("patched"));
    safe.extend(strings(versions.get("unaffected")));
    let meets =
        |requirement: &&str| meets(requirement, found).unwrap_or_else(|| panic!("{id}: {requirement}"));
    (advisory.get("withdrawn").is_none() && !safe.iter().any(meets)).then(|| id.to_owned())
}

/// The open advisories of what a lock file names, and how many pages were read.
fn in_lock(database: &Path, lock: &str) -> (Vec<String>, usize) {
    let lock: Table = lock.parse().unwrap();
    let (mut found, mut pages) = (Vec::new(), 0);
    for package in lock["package"].as_array().unwrap() {
        let (name, said) = (package["name"].as_str().unwrap(), package["version"].as_str().unwrap());
        // What has no source is ours.
        let Some(known) = package.get("source").and(fs::read_dir(database.join("crates").join(name)).ok())
        else {
            continue;
        };
        for page in known.map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap()) {
            pages += 1;
            found.extend(open(&page, &said.parse().unwrap()).map(|id| format!("{id}: {name} {said}")));
        }
    }
    (found, pages)
}

#[test]
fn no_package_has_an_open_advisory() {
    let Some(database) = std::env::var_os("BERTH_ADVISORIES") else {
        println!(
            "SKIPPED: advisories of what is in Cargo.lock: BERTH_ADVISORIES names no copy of the RustSec database"
        );
        return;
    };
    let (found, pages) =
        in_lock(Path::new(&database), &fs::read_to_string(root().join("Cargo.lock")).unwrap());
    assert!(pages > 10, "{} has {pages} pages of what is in Cargo.lock", Path::new(&database).display());
    let policy: Table = fs::read_to_string(root().join("host/deny.toml")).unwrap().parse().unwrap();
    let borne: Vec<&str> = policy["advisories"]["ignore"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["id"].as_str().unwrap())
        .collect();
    let is_borne = |line: &String| borne.iter().any(|id| line.starts_with(id));
    let (borne_now, open): (Vec<_>, Vec<_>) = found.into_iter().partition(is_borne);
    assert!(
        open.is_empty(),
        "open advisories (advisories.ignore in host/deny.toml, if one must be borne): {open:#?}"
    );
    let stale: Vec<_> =
        borne.iter().filter(|id| !borne_now.iter().any(|line| line.starts_with(**id))).collect();
    assert!(stale.is_empty(), "advisories.ignore in host/deny.toml names what is not open: {stale:?}");
}

#[test]
fn an_advisory_is_open_for_versions_that_are_neither_patched_nor_unaffected() {
    let page = |more: &str| {
        format!(
            "```toml\n[advisory]\nid = \"RUSTSEC-1\"\npackage = \"a\"\n{more}\n[versions]\npatched = [\">= 1.2.3\", \"^0.9.4, < 0.9.8\"]\nunaffected = [\"< 0.5\"]\n```\n# It panics\n"
        )
    };
    let is_open = |more: &str, said: &str| open(&page(more), &said.parse().unwrap()).is_some();
    for (said, opened) in [
        ("1.2.3", false),
        ("1.2.3-rc.1", true),
        ("1.2.2", true),
        ("2.0.0+meta", false),
        ("0.9.4", false),
        ("0.9.8", true),
        ("0.10.0", true),
        ("0.4.9", false),
        ("0.5.0", true),
    ] {
        assert_eq!(is_open("", said), opened, "{said}");
    }
    assert!(!is_open("withdrawn = \"2026-01-01\"", "1.0.0"));
    assert_eq!(meets("~1.4", &Version::parse("1.4.9").unwrap()), Some(true));
    assert_eq!(meets("~1.4", &Version::parse("1.5.0").unwrap()), Some(false));
    assert_eq!(meets("= 1.4.1", &Version::parse("1.4.2").unwrap()), Some(false));
    assert_eq!(meets("0.0.3", &Version::parse("0.0.4").unwrap()), Some(false));
    assert_eq!(meets("whatever", &Version::parse("0.0.4").unwrap()), None);
}
