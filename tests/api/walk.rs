//! Walks over the operations of each resource: what they answer is kept as text in `tests/snapshots/bodies/<domain>/<resource>.snap`, so that
//! a changed body shows in review, and no operation of the interface is without an answer that was seen to succeed. Accept a change with
//! `INSTA_UPDATE=always cargo test -p berth-tests --test api walk`.
//!
//! What differs from run to run without meaning anything is a word in brackets: ids, counted from the first that is met, so that one sees
//! what refers to what; times that the clock gave; tokens; ports; sizes of components.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::PathBuf,
};

use berth_engine::{OPERATOR_SCOPE, TENANT_SCOPES};
use berth_model::{tenants::version::ApiVersion, time::Instant};
use serde_json::{Value, json};

use crate::{
    Answer, Api,
    described::{Described, described},
    key_of,
    shapes::Shapes,
};

/// Lists are shown as far as this: of words, and of what has fields.
const SHOWN_WORDS_MAX: usize = 20;
const SHOWN_ITEMS_MAX: usize = 3;
/// From here on, letters and digits in a row are a token, a digest or a key.
const TOKEN_CHARS_MIN: usize = 32;
/// Fields that no reader may see, and no run has twice.
const SECRET: [&str; 5] = ["key", "next", "prefix", "secret", "token"];
/// Fields that another build or another machine has otherwise.
const MEASURED: [&str; 6] = ["bytes", "duration_ms", "fuel", "memory_bytes", "ms", "release"];

/// One walk, and what was answered on it.
pub(crate) struct Walk<'a> {
    api: &'a Api,
    operator: String,
    /// Of the tenant's, with every scope but the one to read customers.
    blind: String,
    described: &'static Described,
    ids: BTreeMap<String, usize>,
    text: String,
    first: Shapes,
    sent: usize,
}

impl<'a> Walk<'a> {
    pub(crate) async fn over(api: &'a Api) -> Self {
        // Off the minute, and never on it while requests take 10 ms: times of the clock are known by that.
        api.world.clock.advance_ms(7_003);
        let operator = key_of(&api.world, None, &[OPERATOR_SCOPE]).await;
        let scopes: Vec<&str> = TENANT_SCOPES.iter().copied().filter(|s| *s != "customers:read").collect();
        let blind = key_of(&api.world, Some(api.world.caller.tenant), &scopes).await;
        let described = described(&api.router).await;
        let first = Shapes::default();
        Self { api, operator, blind, described, ids: BTreeMap::new(), text: String::new(), first, sent: 0 }
    }

    /// As the tenant, who has every scope.
    pub(crate) async fn ask(&mut self, method: &str, path: &str, body: Value) -> Value {
        let key = self.api.key.clone();
        let answer = self.twice(method, path, &key, body).await;
        if method == "GET" {
            self.shows_nobody(path).await;
        }
        answer
    }

    /// With a key: in the latest version, which is written down, and then in the first. A POST is repeated by its Idempotency-Key, so that
    /// nothing is done twice.
    async fn twice(&mut self, method: &str, path: &str, key: &str, body: Value) -> Value {
        self.sent += 1;
        let repeat = format!("walk-{}", self.sent);
        let once = [("idempotency-key", &*repeat)];
        let once = if method == "POST" { &once[..] } else { &[] };
        let answer = self.api.send(method, path, Some(key), once, body.clone()).await;
        let repeatable = method == "GET" || method == "POST";
        if repeatable && answer.status.is_success() && !answer.body.is_null() {
            let version = [("berth-version", ApiVersion::FIRST.as_str())];
            let headers = [once, &version].concat();
            let before = self.api.send(method, path, Some(key), &headers, body).await;
            if before.status == answer.status {
                let operation =
                    format!("{method} {} {}", self.template(method, path), before.status.as_u16());
                self.first.note(&operation, &before.body);
            }
        }
        self.note(method, path, answer).body
    }

    /// Whoever may not read customers sees no address and no number of one, whatever they ask for.
    async fn shows_nobody(&self, path: &str) {
        let answer = self.api.send("GET", path, Some(&self.blind), &[], Value::Null).await;
        for address in self.api.addresses().await {
            assert!(!answer.text.contains(&address), "GET {path} shows {address}: {}", answer.text);
        }
    }

    /// The same, of a list and the like.
    pub(crate) async fn get(&mut self, path: &str) -> Value {
        self.ask("GET", path, Value::Null).await
    }

    /// Without a key.
    pub(crate) async fn open(&mut self, method: &str, path: &str, body: Value) -> Value {
        let answer = self.api.send(method, path, None, &[], body).await;
        self.note(method, path, answer).body
    }

    /// As who runs Berth.
    pub(crate) async fn operate(&mut self, method: &str, path: &str, body: Value) -> Value {
        let key = self.operator.clone();
        self.twice(method, path, &key, body).await
    }

    /// A body that is no JSON, by the operator's key or the tenant's.
    pub(crate) async fn upload(&mut self, path: &str, kind: &str, body: Vec<u8>) -> Value {
        let key = if path.starts_with("/api/operator") { &self.operator } else { &self.api.key };
        let answer = self.api.send_body("POST", path, Some(key), &[("content-type", kind)], body).await;
        self.note("POST", path, answer).body
    }

    /// As the operator, and nothing is written down: what is asked again and again until it is so.
    pub(crate) async fn look(&self, path: &str) -> Value {
        self.api.send("GET", path, Some(&self.operator), &[], Value::Null).await.body
    }

    /// As another party does.
    pub(crate) async fn message(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) {
        let answer = self.api.send_body(method, path, None, headers, body.to_owned()).await;
        self.note(method, path, answer);
    }

    /// The path of an operation as the interface describes it.
    fn template(&self, method: &str, path: &str) -> String {
        let template = self.described.template(method, path);
        template.unwrap_or_else(|| panic!("{method} {path} is no operation of the interface")).to_owned()
    }

    fn note(&mut self, method: &str, path: &str, answer: Answer) -> Answer {
        let template = self.template(method, path);
        let _ = writeln!(self.text, "## {method} {template} {}", answer.status.as_u16());
        if let Some((_, query)) = path.split_once('?') {
            let query = self.stable(query);
            let _ = writeln!(self.text, "?{query}");
        }
        if answer.body.is_null() {
            let kind = answer.headers.get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
            if let Some(kind) = kind {
                let _ = writeln!(self.text, "{kind}");
            }
            // Prometheus' text is of the whole process; pages are for people.
            if template != "/metrics" && !answer.text.starts_with('<') {
                for line in answer.text.lines() {
                    let line = self.stable(line);
                    let _ = writeln!(self.text, "{}", line.trim_end());
                }
            }
        } else {
            let shown = self.shown("", &answer.body);
            let _ = writeln!(self.text, "{}", serde_json::to_string_pretty(&shown).unwrap());
        }
        self.text.push('\n');
        answer
    }

    /// The same in every run.
    fn shown(&mut self, name: &str, value: &Value) -> Value {
        match value {
            Value::String(text) if SECRET.contains(&name) && text.len() > 8 => json!(format!("[{name}]")),
            Value::String(text) if MEASURED.contains(&name) => {
                json!(if text.is_empty() { "" } else { "[measured]" })
            }
            Value::Number(_) if MEASURED.contains(&name) => json!("[measured]"),
            Value::String(text) => json!(self.stable(text)),
            Value::Array(items) => {
                let most = if items.iter().any(Value::is_object) { SHOWN_ITEMS_MAX } else { SHOWN_WORDS_MAX };
                let mut shown: Vec<Value> =
                    items.iter().take(most).map(|item| self.shown(name, item)).collect();
                if let Some(more) = items.len().checked_sub(most).filter(|more| *more > 0) {
                    shown.push(json!(format!("[{more} more]")));
                }
                json!(shown)
            }
            Value::Object(fields) => {
                fields.iter().map(|(name, value)| (self.stable(name), self.shown(name, value))).collect()
            }
            other => other.clone(),
        }
    }

    /// Text in which what means nothing is a word.
    fn stable(&mut self, text: &str) -> String {
        if let Ok(at) = text.parse::<Instant>() {
            return if at.micros() % 60_000_000 == 0 { text.to_owned() } else { "[time]".to_owned() };
        }
        let mut stable = String::new();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let is_of_word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            let word = &rest[..rest.find(|c| !is_of_word(c)).unwrap_or(rest.len())];
            if word.is_empty() {
                stable.push(c);
                rest = &rest[c.len_utf8()..];
                continue;
            }
            rest = &rest[word.len()..];
            let is_token = word.len() >= TOKEN_CHARS_MIN && word.contains(|c: char| c.is_ascii_digit());
            if is_uuid(word) || !is_token && is_id(word) {
                let next = self.ids.len() + 1;
                let number = *self.ids.entry(word.to_owned()).or_insert(next);
                let _ = write!(stable, "[id {number}]");
            } else if is_instant(word) {
                stable.push_str("[time]");
            } else if is_token {
                stable.push_str("[token]");
            } else if stable.ends_with("127.0.0.1:") {
                stable.push_str("[port]");
            } else {
                stable.push_str(word);
            }
        }
        stable
    }

    /// What was answered is what is kept.
    pub(crate) fn end(self, domain: &str, resource: &str) {
        self.first.hold(domain, resource);
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(format!("../snapshots/bodies/{domain}"));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(resource, self.text));
    }
}

fn is_uuid(word: &str) -> bool {
    word.len() == 36 && uuid::Uuid::try_parse(word).is_ok()
}

/// As providers make them up: hexadecimal, perhaps after what kind of thing it is.
fn is_id(word: &str) -> bool {
    let digits = word.rsplit('-').next().unwrap_or(word);
    digits.len() >= 12
        && digits.bytes().all(|b| b.is_ascii_hexdigit())
        && digits.bytes().any(|b| b.is_ascii_digit())
        && digits.bytes().any(|b| b.is_ascii_alphabetic())
}

/// As calendars write an instant that is none of a whole minute.
fn is_instant(word: &str) -> bool {
    let Ok(at) = chrono::NaiveDateTime::parse_from_str(word, "%Y%m%dT%H%M%SZ") else { return false };
    at.and_utc().timestamp() % 60 != 0
}

/// Files below a folder of this package, by their path in it.
fn files(folder: &str, name: &str) -> BTreeMap<String, String> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder);
    let folders = fs::read_dir(&root).unwrap().flatten().filter(|entry| entry.path().is_dir());
    let mut found = BTreeMap::new();
    for entry in folders.flat_map(|folder| fs::read_dir(folder.path()).unwrap().flatten()) {
        let path = entry.path();
        if path.to_string_lossy().ends_with(name) {
            let inside = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
            found.insert(inside, fs::read_to_string(&path).unwrap());
        }
    }
    found
}

/// No operation is without a success on a walk; nothing is kept that no walk says any more.
#[tokio::test]
async fn every_operation_succeeds_on_a_walk() {
    let api = Api::new().await;
    let all: BTreeSet<String> = described(&api.router)
        .await
        .operations()
        .into_iter()
        .map(|(method, path)| format!("{method} {path}"))
        .collect();
    let kept = files("snapshots/bodies", ".snap");
    let succeeded: BTreeSet<String> = kept
        .values()
        .flat_map(|text| text.lines())
        .filter_map(|line| {
            let (operation, status) = line.strip_prefix("## ")?.rsplit_once(' ')?;
            status.starts_with('2').then(|| operation.to_owned())
        })
        .collect();
    let without: Vec<_> = all.difference(&succeeded).collect();
    assert!(without.is_empty(), "no walk has a success of {without:#?}");
    let gone: Vec<_> = succeeded.difference(&all).collect();
    assert!(gone.is_empty(), "kept of operations that are gone: {gone:#?}");

    let mut walks = BTreeSet::new();
    for text in files("api", "walk.rs").values() {
        for end in text.split(".end(").skip(1) {
            let mut names = end.split('"');
            let (domain, resource) = (names.nth(1).unwrap(), names.nth(1).unwrap());
            assert!(walks.insert(format!("{domain}/{resource}.snap")), "two walks over {domain}/{resource}");
        }
    }
    assert_eq!(walks, kept.keys().cloned().collect(), "walks, and what is kept of them");
}

/// The path of one of these.
pub(crate) fn at(path: &str, made: &Value) -> String {
    format!("{path}/{}", made["id"].as_str().unwrap_or_else(|| panic!("{path}: {made}")))
}
