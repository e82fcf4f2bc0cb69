//! `berth config` against a server that runs: what is exported, compared and carried out, and a salon from one document.
//!
//! Programs come from `BERTH_BINARIES` (set by `cargo xtask test`) or `target/debug`.

#[path = "config/generated.rs"]
mod generated;
#[path = "config/salon.rs"]
mod salon;

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use berth_tests::process::{Process, program};
use serde_json::{Value, json};

/// What a command said.
#[derive(Debug)]
struct Ran {
    code: i32,
    output: String,
    errors: String,
}

impl Ran {
    fn json(&self) -> Value {
        serde_json::from_str(&self.output).unwrap_or_else(|_| panic!("{self:?}"))
    }
}

/// A server in a folder of its own.
struct Scene {
    folder: tempfile::TempDir,
    process: Process,
}

impl Scene {
    /// With a tenant. Components may reach these hosts.
    async fn new(hosts: &[&str], components: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut process = Process::new(folder.path(), "", None);
        let hosts: Vec<&str> = hosts.iter().map(|host| host.trim_start_matches("http://")).collect();
        process.set("BERTH_INSECURE_HOSTS", &json!(hosts).to_string());
        for component in components {
            let file = berth_tests::find_component(component).display().to_string();
            process.run(&["plugin", "install", "--activate", &file]);
            let mut grant = vec!["plugin", "grant", component];
            grant.extend(hosts.iter());
            process.run(&grant);
        }
        process.key = process.tenant();
        process.serve().await;
        Self { folder, process }
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// `berth config …` with the key of a tenant.
    fn config_as(&self, key: &str, args: &[&str], environment: &[(&str, &str)]) -> Ran {
        let mut command = Command::new(program());
        command.arg("config").args(args).current_dir(self.folder.path());
        command.env("BERTH_URL", self.process.url()).env("BERTH_KEY", key).stdin(Stdio::null());
        let output = command.envs(environment.iter().copied()).output().unwrap();
        Ran {
            code: output.status.code().unwrap(),
            output: String::from_utf8(output.stdout).unwrap(),
            errors: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn config(&self, args: &[&str]) -> Ran {
        self.config_as(&self.process.key, args, &[])
    }

    /// Write a document and apply it.
    fn apply(&self, document: &Value, more: &[&str]) -> Ran {
        let path = self.write("document.yaml", &document.to_string());
        let mut args = vec!["apply", path.to_str().unwrap()];
        args.extend(more);
        self.config(&args)
    }

    fn diff(&self, document: &Value, more: &[&str]) -> Ran {
        let path = self.write("document.yaml", &document.to_string());
        let mut args = vec!["diff", path.to_str().unwrap()];
        args.extend(more);
        self.config(&args)
    }

    fn exported(&self, key: &str) -> Value {
        let ran = self.config_as(key, &["export", "--json"], &[]);
        assert_eq!(ran.code, 0, "{ran:?}");
        ran.json()
    }
}

fn small() -> Value {
    json!({ "berth": 1,
        "tenant": { "name": "Studio" },
        "connections": {}, "restriction_schedules": {}, "schedules": {}, "consent_texts": {},
        "members": { "ada": { "name": "Ada", "time_zone": "Europe/Warsaw",
            "weekly_hours": [{ "weekdays": ["Mon"], "start": "09:00", "end": "17:00" }],
            "out_of_office": [{ "start": "2027-01-04T00:00:00Z", "end": "2027-01-06T00:00:00Z" }] } },
        "listings": { "studio": { "title": "Studio", "time_zone": "Europe/Warsaw",
            "holidays": [{ "name": "Closed", "date": "2027-05-03" }],
            "event_types": { "cut": { "title": "Cut", "length_minutes": 30, "members": ["ada"] } } } } })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_is_compared_and_carried_out() {
    let scene = Scene::new(&[], &[]).await;
    let document = small();
    let different = scene.diff(&document, &[]);
    assert_eq!(different.code, 1, "{different:?}");
    assert!(different.output.contains("+ event type studio/cut"), "{different:?}");
    assert_eq!(scene.exported(&scene.process.key).get("members"), Some(&json!({})), "diff changes nothing");
    let applied = scene.apply(&document, &[]);
    assert_eq!(applied.code, 0, "{applied:?}");
    assert_eq!(scene.exported(&scene.process.key), document);
    for again in [scene.apply(&document, &[]), scene.diff(&document, &["--prune"])] {
        assert_eq!((again.code, again.output.trim()), (0, "nothing to do"), "{again:?}");
    }
    // What is exported is YAML, and says the same.
    let exported = scene.config(&["export"]);
    let path = scene.write("exported.yaml", &exported.output);
    let same = scene.config(&["diff", "--prune", path.to_str().unwrap()]);
    assert_eq!((same.code, same.output.trim()), (0, "nothing to do"), "{exported:?} {same:?}");

    let mut changed = document.clone();
    changed["members"]["ada"]["name"] = json!("Ada Nowak");
    changed["members"]["ada"]["out_of_office"][0]["end"] = json!("2027-01-08T00:00:00Z");
    changed["listings"]["studio"]["event_types"]["cut"]["policy"] = json!({ "seats": 4 });
    let different = scene.diff(&changed, &[]);
    assert_eq!(different.code, 1);
    for line in [
        "name: \"Ada\" → \"Ada Nowak\"",
        "policy: (default) → {\"seats\":4}",
        "2027-01-06T00:00:00Z\" → \"2027-01-08T00:00:00Z",
    ] {
        assert!(different.output.contains(line), "{line}: {different:?}");
    }
    let applied = scene.apply(&changed, &[]);
    assert_eq!(applied.code, 0, "{applied:?}");
    assert_eq!(scene.exported(&scene.process.key), changed);
    // What is left out is as by default again.
    assert_eq!(scene.apply(&document, &[]).code, 0);
    assert_eq!(scene.exported(&scene.process.key), document);
    // But for members, of which one is kept: it is said before anything is done.
    let mut emptied = changed.clone();
    emptied["listings"]["studio"]["event_types"]["cut"].as_object_mut().unwrap().remove("members");
    for ran in [scene.apply(&emptied, &["--prune"]), scene.diff(&emptied, &[])] {
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(
            ran.errors.contains("event type studio/cut: an event type that has members keeps one"),
            "{ran:?}"
        );
    }
    assert_eq!(scene.exported(&scene.process.key), document);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_removed_unless_that_is_said() {
    let scene = Scene::new(&[], &[]).await;
    assert_eq!(scene.apply(&small(), &[]).code, 0);
    let mut less = small();
    less["listings"] = json!({});
    less["members"]["ada"].as_object_mut().unwrap().remove("out_of_office");
    let kept = scene.diff(&less, &[]);
    assert_eq!(kept.code, 0, "{kept:?}");
    for left in ["- event type studio/cut", "- listing studio", "- out_of_office of member ada"] {
        assert!(kept.output.contains(&format!("stays without --prune: {left}")), "{left}: {kept:?}");
    }
    assert_eq!(scene.apply(&less, &[]).code, 0);
    assert_eq!(scene.exported(&scene.process.key), small());
    assert_eq!(scene.diff(&less, &["--prune"]).code, 1);
    let pruned = scene.apply(&less, &["--prune"]);
    assert_eq!(pruned.code, 0, "{pruned:?}");
    assert_eq!(scene.exported(&scene.process.key), less);
    // A section that is left out is not looked at.
    let none = json!({ "berth": 1 });
    let pruned = scene.apply(&none, &["--prune"]);
    assert_eq!((pruned.code, pruned.output.trim()), (0, "nothing to do"), "{pruned:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_step_says_what_is_done_and_is_gone_on_with() {
    let scene = Scene::new(&[], &[]).await;
    let mut wrong = small();
    wrong["listings"]["studio"]["event_types"]["cut"]["length_minutes"] = json!(0);
    let refused = scene.apply(&wrong, &[]);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(
        refused.errors.contains("+ event type studio/cut") && refused.errors.contains("/length_minutes"),
        "{refused:?}"
    );
    assert!(refused.errors.contains("2 of 5 steps are done"), "{refused:?}");
    let half = scene.exported(&scene.process.key);
    assert!(
        half["members"]["ada"].is_object() && half["listings"]["studio"].get("event_types").is_none(),
        "{half}"
    );
    assert_eq!(scene.apply(&small(), &[]).code, 0);
    assert_eq!(scene.exported(&scene.process.key), small());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_changes_nothing() {
    let scene = Scene::new(&[], &[]).await;
    let before = scene.exported(&scene.process.key);
    let mut to_nobody = small();
    to_nobody["listings"]["studio"]["event_types"]["cut"]["members"] = json!(["ada", "bea"]);
    let mut secret = small();
    secret["connections"] = json!({ "A": { "provider": "acme", "credentials": { "api-key": "s3cret" } } });
    let mut missing = secret.clone();
    missing["connections"]["A"]["credentials"]["api-key"] = json!("env:NOT_THERE_AT_ALL");
    for (document, said) in [
        (to_nobody.to_string(), "there is no member bea"),
        (secret.to_string(), "env:NAME or file:PATH"),
        (missing.to_string(), "the environment has no NOT_THERE_AT_ALL"),
        ("berth: 1\nlistngs: {}\n".to_owned(), "line 2, column 1"),
        ("berth: 1\nmembers: &a {}\nlistings: *a\n".to_owned(), "cannot be read"),
        ("berth: 7\n".to_owned(), "berth: 1"),
        ("x".repeat(1024 * 1024 + 1), "longer than"),
    ] {
        let path = scene.write("wrong.yaml", &document);
        let ran = scene.config(&["apply", path.to_str().unwrap()]);
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.errors.contains(said), "{said}: {}", ran.errors);
        assert!(!ran.errors.contains("s3cret"), "{ran:?}");
    }
    assert_eq!(scene.config(&["apply", "/nowhere/at-all.yaml"]).code, 2);
    assert_eq!(scene.config(&["apply"]).code, 2);
    let path = scene.write("document.yaml", &small().to_string());
    let path = path.to_str().unwrap();
    assert_eq!(scene.config_as("berth_not_a_key", &["diff", path], &[]).code, 1);
    assert_eq!(scene.exported(&scene.process.key), before);
    scene.process.kill();
    let away = scene.config(&["apply", path]);
    assert_eq!(away.code, 3, "{away:?}");
}

/// Files of this suite.
fn file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config").join(name);
    std::fs::read_to_string(path).unwrap()
}
