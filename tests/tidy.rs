//! The house rules as tests.

#[path = "tidy/advisories.rs"]
mod advisories;
#[path = "tidy/dependencies.rs"]
mod dependencies;
#[path = "tidy/patience.rs"]
mod patience;
#[path = "tidy/schemas.rs"]
mod schemas;
#[path = "tidy/structure.rs"]
mod structure;
#[path = "tidy/words.rs"]
mod words;

use std::{
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn files(folder: &str, ending: &str) -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, ending: &str, found: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                if path.file_name().is_none_or(|n| n != "target") {
                    walk(&path, ending, found);
                }
            } else if path.to_string_lossy().ends_with(ending) {
                found.push((path.clone(), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join(folder), ending, &mut found);
    assert!(!found.is_empty(), "no {ending} under {folder}");
    found
}

#[test]
fn no_providers_name_stands_under_host() {
    for ending in [".rs", ".toml", ".md"] {
        for (path, text) in files("host", ending) {
            let text = text.to_lowercase();
            for name in ["calcom", "cal.com", "calendly", "booksy", "gohighlevel", "outlook", "google"] {
                assert!(!text.contains(name), "{} names {name}", path.display());
            }
        }
    }
}

#[test]
fn files_of_the_host_are_small() {
    for (path, text) in files("host", ".rs") {
        assert!(text.lines().count() <= 500, "{} has {} lines", path.display(), text.lines().count());
    }
}

#[test]
fn nothing_is_left_for_later_in_code() {
    for folder in ["host", "plugins"] {
        for (path, text) in files(folder, ".rs") {
            // A word of its own: iCalendar has a VTODO.
            let mut words = text.split(|c: char| !c.is_alphanumeric());
            assert!(!words.any(|word| matches!(word, "TODO" | "FIXME")), "{}", path.display());
            for word in ["todo!(", "unimplemented!(", "dbg!(", "#[ignore"] {
                assert!(!text.contains(word), "{} contains {word}", path.display());
            }
        }
    }
}

/// What counts with data of its own is wrong as soon as a law changes: components ask the host.
#[test]
fn one_door_leads_to_another_state_of_a_booking() {
    let mut doors = Vec::new();
    for (path, text) in files("host", ".rs") {
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for line in code.lines().map(str::trim).filter(|line| !line.starts_with("//")) {
            let sets = |to: &str| line.contains(".status = ") && line.contains(to);
            if sets("BookingStatus::")
                || line.starts_with("booking.status = ")
                || line.starts_with("b.status = ")
            {
                doors.push(format!("{}: {line}", path.file_name().unwrap().to_string_lossy()));
            }
        }
    }
    // `become_status`, which asks `may_become`.
    assert_eq!(doors, ["transition.rs: booking.status = next;"]);
}

#[test]
fn no_component_brings_zone_data() {
    for (path, text) in files("plugins", "Cargo.toml") {
        for library in ["chrono-tz", "jiff", "tzdb", "tz-rs", "time-tz"] {
            let needs = |line: &str| line.split(['=', '.']).next().is_some_and(|name| name.trim() == library);
            assert!(!text.lines().any(needs), "{} needs {library}", path.display());
        }
    }
}

/// What is declared and not used is compiled for nothing, and read by whoever asks what a crate stands on.
#[test]
fn both_databases_have_the_same_migrations() {
    let names = |folder: &str| {
        let mut names: Vec<String> = fs::read_dir(root().join("migrations").join(folder))
            .unwrap()
            .flatten()
            .map(|e| e.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names("sqlite"), names("postgres"));
}

/// A path may begin anywhere: `http/auth.rs` is enough where a section says which crate it speaks of.
#[test]
fn what_the_architecture_names_exists() {
    let text = fs::read_to_string(root().join("host/ARCHITECTURE.md")).unwrap();
    let folders = [
        ("host", ".rs"),
        ("host", ".md"),
        ("plugins", ".rs"),
        ("tests", ".rs"),
        ("tests", ".md"),
        ("tests", ".snap"),
        ("wit", ".wit"),
        ("migrations", ".sql"),
    ];
    let all: Vec<String> =
        folders.into_iter().flat_map(|(folder, ending)| names_of(folder, ending)).collect();
    let mut seen = 0;
    for path in text.split('`').filter(|p| !p.contains([' ', '<', '*', '\n'])) {
        let is_file = [".rs", ".wit", ".md"].iter().any(|ending| path.ends_with(ending));
        if is_file {
            let end = format!("/{path}");
            assert!(all.iter().any(|file| file.ends_with(&end)), "ARCHITECTURE.md names {path}");
            seen += 1;
        } else if path.ends_with('/') && !path.starts_with('/') {
            let inner = format!("/{path}");
            assert!(all.iter().any(|file| file.contains(&inner)), "ARCHITECTURE.md names {path}");
            seen += 1;
        }
    }
    assert!(seen > 80, "the check looks at something: {seen}");
}

/// The files under a folder with this ending, from the root.
fn names_of(folder: &str, ending: &str) -> Vec<String> {
    let root = root();
    let inside = |(path, _): (PathBuf, String)| format!("/{}", path.strip_prefix(&root).unwrap().display());
    files(folder, ending).into_iter().map(inside).collect()
}

#[test]
fn every_error_code_is_named_once_and_has_a_hint() {
    for code in berth_model::problem::Code::ALL {
        assert!(!code.hint().is_empty() && !code.title().is_empty(), "{}", code.as_str());
        assert!((400..600).contains(&code.status()), "{}", code.as_str());
    }
}

#[test]
fn every_component_has_a_manifest_that_the_host_accepts() {
    for (path, text) in files("plugins", "plugin.toml") {
        if let Err(problems) = berth_settings::read(&text) {
            panic!("{}: {problems:?}", path.display());
        }
    }
}

#[test]
fn every_claim_of_the_readme_has_a_test() {
    let readme = fs::read_to_string(root().join("README.md"))
        .unwrap()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    let claims = fs::read_to_string(root().join("tests/claims.toml")).unwrap();
    let claims: toml::Table = claims.parse().unwrap();
    let claims = claims["claim"].as_array().unwrap();
    assert!(claims.len() >= 5, "the list is there");
    for claim in claims {
        let says = claim["says"].as_str().unwrap();
        assert!(readme.contains(says), "the README does not say: {says}");
        for test in claim["tests"].as_array().unwrap() {
            let (suite, name) = test.as_str().unwrap().rsplit_once("::").unwrap();
            let text =
                fs::read_to_string(root().join(format!("tests/{}.rs", suite.replace("::", "/")))).unwrap();
            assert!(text.contains(&format!("fn {name}()")), "there is no test {suite}::{name}");
        }
    }
}
