//! The command line, as a person uses it: offline, against a running server, and what it says when something is wrong.
//!
//! Programs come from `BERTH_BINARIES` (set by `cargo xtask test`) or `target/debug`.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Instant,
};

use berth_tests::PATIENCE;
use serde_json::Value;

fn folder(variable: &str, otherwise: &str) -> PathBuf {
    std::env::var_os(variable)
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(otherwise), PathBuf::from)
}

fn component(name: &str) -> String {
    folder("BERTH_COMPONENTS", "../target/components").join(name).display().to_string()
}

/// A set-up in a folder of its own.
struct Berth {
    folder: tempfile::TempDir,
    address: String,
}

/// What a command said.
#[derive(Debug)]
struct Ran {
    code: i32,
    json: Value,
    errors: String,
}

/// A server, killed when this is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Berth {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self { folder, address: format!("127.0.0.1:{port}") }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn command(&self, args: &[&str]) -> Command {
        let program = folder("BERTH_BINARIES", "../target/debug").join("berth");
        assert!(program.is_file(), "{} is not there; run `cargo build --bins` first", program.display());
        let mut command = Command::new(program);
        command
            .args(args)
            .current_dir(self.path())
            .env("BERTH_LISTEN", &self.address)
            .env("BERTH_LOG_FILTER", "error")
            .env_remove("BERTH_URL")
            .env_remove("BERTH_KEY")
            .stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str], environment: &[(&str, &str)]) -> Ran {
        let output = self.command(args).arg("--json").envs(environment.iter().copied()).output().unwrap();
        Ran {
            code: output.status.code().unwrap(),
            json: serde_json::from_slice(&output.stdout).unwrap_or(Value::Null),
            errors: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The same with something on standard input.
    fn run_with(&self, args: &[&str], environment: &[(&str, &str)], input: &str) -> Ran {
        use std::io::Write;
        let mut command = self.command(args);
        command.arg("--json").envs(environment.iter().copied());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // It may have ended without reading.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        Ran {
            code: output.status.code().unwrap(),
            json: serde_json::from_slice(&output.stdout).unwrap_or(Value::Null),
            errors: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn ok(&self, args: &[&str], environment: &[(&str, &str)]) -> Value {
        let said = self.run(args, environment);
        assert_eq!(said.code, 0, "{args:?}: {said:?}");
        said.json
    }

    /// Start the server, and ask it until it answers.
    fn serve(&self, there: &[(&str, &str)]) -> Running {
        let running = Running(self.command(&["serve"]).stdout(Stdio::null()).spawn().unwrap());
        let until = Instant::now() + PATIENCE;
        while self.run(&["plugin", "list"], there).code != 0 {
            assert!(Instant::now() < until, "the server did not become ready");
        }
        running
    }
}

#[test]
fn plugins_are_managed_on_a_running_server_as_on_the_database() {
    let berth = Berth::new();
    let key = berth.ok(&["key", "create", "--operator", "--name", "ops"], &[])[0]["key"].clone();
    let key = key.as_str().unwrap();
    let url = format!("http://{}", berth.address);
    let there = [("BERTH_URL", url.as_str()), ("BERTH_KEY", key)];
    let server = berth.serve(&there);

    let held = berth.ok(&["plugin", "install", &component("template.wasm")], &there);
    assert_eq!((&held[0]["plugin"], &held[0]["state"]), (&"acme".into(), &"held".into()));
    let refused = berth.run(&["plugin", "activate", "acme"], &there);
    assert_eq!(refused.code, 1);
    assert!(
        refused.errors.contains("BERTH-E0511") && refused.errors.contains("berth plugin grant acme"),
        "{refused:?}"
    );
    let staged = berth.ok(&["plugin", "grant", "acme", "api.acme.example"], &there);
    assert_eq!(staged[0]["state"], "staged");
    assert_eq!(berth.ok(&["plugin", "activate", "acme@0.1.0"], &there)[0]["state"], "active");
    let none = berth.run(&["plugin", "rollback", "acme"], &there);
    assert!(none.errors.contains("no earlier version"), "{none:?}");
    let aside = berth.ok(&["plugin", "quarantine", "acme", "--reason", "loops"], &there);
    assert_eq!((&aside[0]["state"], &aside[0]["reason"]), (&"quarantined".into(), &"loops".into()));
    assert_eq!(berth.ok(&["plugin", "quarantine", "acme", "--lift"], &there)[0]["state"], "staged");

    let listed = berth.ok(&["plugin", "list"], &there);
    assert_eq!(listed, berth.ok(&["plugin", "list"], &[]), "the same from both sides");
    let inspected = berth.ok(&["plugin", "inspect", "acme"], &there);
    assert_eq!(inspected["manifest"]["hosts"][0], "api.acme.example");
    assert_eq!(inspected, berth.ok(&["plugin", "inspect", "acme"], &[]));

    let garbage = berth.path().join("garbage.wasm");
    std::fs::write(&garbage, "no component").unwrap();
    let garbage = berth.run(&["plugin", "install", &garbage.display().to_string()], &there);
    assert!(garbage.code == 1 && garbage.errors.contains("is not WebAssembly"), "{garbage:?}");
    let wrong = berth.run(&["plugin", "list", "--key", "berth_made_up"], &there);
    assert!(wrong.code == 1 && wrong.errors.contains("BERTH-E0402"), "{wrong:?}");
    let keyless = berth.run(&["plugin", "list"], &[("BERTH_URL", &url)]);
    assert!(keyless.code == 1 && keyless.errors.contains("berth key create --operator"), "{keyless:?}");
    let doctor = berth.run(&["doctor"], &[]);
    let checks = doctor.json.as_array().unwrap();
    let found = checks.iter().find(|check| check["check"] == "address").unwrap()["found"].as_str().unwrap();
    assert!(doctor.code == 0 && found.contains("a berth server answers"), "{doctor:?}");
    drop(server);
    let gone = berth.run(&["plugin", "list"], &there);
    assert!(gone.code == 3 && gone.errors.contains("Is the server running?"), "{gone:?}");
    assert!(!gone.errors.contains(key) && !wrong.errors.contains("berth_made_up"), "no key in an error");
}

#[test]
fn oauth_clients_are_registered_and_their_secrets_are_never_shown() {
    let berth = Berth::new();
    let key = berth.ok(&["key", "create", "--operator", "--name", "ops"], &[])[0]["key"].clone();
    let url = format!("http://{}", berth.address);
    let there = [("BERTH_URL", url.as_str()), ("BERTH_KEY", key.as_str().unwrap())];
    berth.ok(&["plugin", "install", "--activate", &component("google-calendar.wasm")], &[]);
    let client = ["plugin", "oauth-client"];
    let of = |verb, rest: &[&'static str]| [client.as_slice(), &[verb, "google-calendar"], rest].concat();
    let (returns, secret) = ("https://console.example/done", "made_up_client_secret");
    let first = of("set", &["oauth", "--client-id", "4711", "--return-address", returns]);
    let set = berth.run_with(&first, &[], &format!("{secret}\n"));
    assert_eq!((set.code, &set.json[0]["client_id"]), (0, &"4711".into()), "{set:?}");
    assert_eq!(set.json[0]["return_addresses"][0], returns);

    // On a running server: another secret from a file, and the rest stays.
    let _server = berth.serve(&there);
    let file = berth.path().join("secret");
    std::fs::write(&file, "made_up_next_secret").unwrap();
    let file = file.display().to_string();
    let mut again = of("set", &["oauth", "--secret-file"]);
    again.push(&file);
    let again = berth.ok(&again, &there);
    assert_eq!((&again[0]["client_id"], &again[0]["return_addresses"][0]), (&"4711".into(), &returns.into()));
    let shown = berth.ok(&of("show", &[]), &there);
    assert_eq!((&shown, &shown), (&again, &berth.ok(&of("show", &[]), &[])), "the same from both sides");
    assert!(!format!("{set:?}{again}{shown}").contains("made_up"), "no secret is shown");

    for (said, part) in [
        (berth.run_with(&of("set", &["oauth"]), &there, "\n"), "--public"),
        (berth.run_with(&of("set", &["nothing", "--client-id", "1"]), &there, secret), "BERTH-E0404"),
        (berth.run(&of("set", &["nothing", "--public"]), &there), "--client-id"),
        (berth.run(&of("set", &["oauth", "--public", "--endpoint", "token"]), &there), "name=address"),
        (berth.run(&of("set", &["oauth", "--secret", "x"]), &there), "unexpected argument"),
        (berth.run(&of("remove", &["nothing"]), &there), "BERTH-E0404"),
    ] {
        assert!(said.code != 0 && said.errors.contains(part), "{part}: {said:?}");
        assert!(!said.errors.contains(secret), "{said:?}");
    }
    assert_eq!(berth.ok(&of("show", &[]), &there), shown, "nothing was changed");
    assert_eq!(berth.ok(&of("remove", &["oauth"]), &there), serde_json::json!([]));
    let public = berth.ok(&of("set", &["oauth", "--client-id", "4712", "--public"]), &[]);
    assert_eq!(public[0]["return_addresses"], serde_json::json!([]));
}

#[test]
fn doctor_ends_with_a_code_that_scripts_can_read() {
    let berth = Berth::new();
    let result = |said: &Ran, check: &str| {
        let findings = said.json.as_array().unwrap();
        findings.iter().find(|f| f["check"] == check).unwrap_or_else(|| panic!("{said:?}"))["result"].clone()
    };
    let fresh = berth.run(&["doctor"], &[]);
    assert_eq!((fresh.code, result(&fresh, "database")), (1, "FAIL".into()));
    berth.ok(&["migrate"], &[]);
    let migrated = berth.run(&["doctor"], &[]);
    assert_eq!((migrated.code, result(&migrated, "database")), (0, "ok".into()));
    assert_eq!(result(&migrated, "plugins"), "warn");
    let misspelt = berth.run(&["doctor"], &[("BERTH_LISTN", "127.0.0.1:1")]);
    assert_eq!((misspelt.code, result(&misspelt, "configuration")), (1, "FAIL".into()));
    assert!(misspelt.json[0]["found"].as_str().unwrap().contains("listn"), "{misspelt:?}");
}

#[test]
fn the_vault_key_is_rotated() {
    let berth = Berth::new();
    berth.ok(&["migrate"], &[]);
    let key = berth.path().join(".berth/vault.key");
    let before = std::fs::read_to_string(&key).unwrap();
    std::fs::rename(&key, berth.path().join(".berth/vault.key.old")).unwrap();
    let rotated = berth.ok(&["vault", "rotate"], &[]);
    assert_eq!((&rotated[0]["rotated"], &rotated[0]["connections"]), (&0.into(), &0.into()));
    assert_ne!(std::fs::read_to_string(&key).unwrap(), before, "a new key was made");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let berth = Berth::new();
    let mut child =
        berth.command(&["doctor", "--json"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "a fresh set-up fails, and that is all");
    assert!(!String::from_utf8(output.stderr).unwrap().contains("panicked"));
}

#[test]
fn slots_are_computed_without_a_server() {
    use std::io::Write;
    let berth = Berth::new();
    let mut command = berth.command(&["compute", "--lines"]);
    // Not even a configuration that could be read.
    command.env("BERTH_LISTEN", "nowhere").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let requests = concat!(
        r#"{"kind":"slots","now":null,"range":{"start":"2026-11-23T00:00:00Z","end":"2026-11-24T00:00:00Z"},"event_length_min":60,"#,
        r#""hosts":[{"id":"ana","timezone":"Europe/Lisbon","working_hours":[{"weekdays":["mon"],"start":"09:00","end":"11:00"}]}]}"#,
        "\n{\"kind\":\"slots\"}\n",
    );
    child.stdin.take().unwrap().write_all(requests.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "one was refused");
    let text = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers[0]["slots"], serde_json::json!(["2026-11-23T09:00:00Z", "2026-11-23T10:00:00Z"]));
    assert_eq!(answers[1]["error"]["errors"][0]["field"], "/hosts");
    assert!(berth.path().read_dir().unwrap().next().is_none(), "nothing is written");
}

/// A process that may take 1 GiB of address space and no more, and has a minute of a core.
#[test]
fn both_ends_of_time_cost_a_computation_nothing() {
    use std::io::Write;
    let program = folder("BERTH_BINARIES", "../target/debug").join("berth");
    let limits = "ulimit -v 1048576; ulimit -t 60; exec \"$0\" compute --lines";
    let mut command = Command::new("sh");
    command.args(["-c", limits]).arg(program).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let ends = [
        ("1970-01-01T00:00:00Z", "1970-01-02T00:00:00Z"),
        ("2199-12-31T00:00:00Z", "2199-12-31T23:59:59.999999Z"),
        ("2199-12-31T23:30:00Z", "2199-12-31T23:59:59.999999Z"),
        ("9999-12-31T10:00:00Z", "9999-12-31T23:59:59.999999Z"),
        ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"),
        ("1970-01-01T00:00:00Z", "2199-12-31T23:59:59.999999Z"),
    ];
    let mut requests = Vec::new();
    for (start, end) in ends {
        let range = serde_json::json!({ "start": start, "end": end });
        let every = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        let hosts = [
            serde_json::json!({ "id": "a", "working_hours": [{ "weekdays": every, "start": "00:00", "end": "24:00" }] }),
            serde_json::json!({ "id": "a", "free_ranges": [range], "timezone": "Pacific/Kiritimati" }),
            serde_json::json!({ "id": "a", "timezone": "America/Adak", "busy": [range],
                "free_rrule": { "dtstart": start, "rrule": "FREQ=MINUTELY", "duration_min": 1 } }),
        ];
        let windows = [
            serde_json::json!({ "type": "rolling_window", "days": 730, "count": "business" }),
            serde_json::json!({ "type": "rolling", "days": 730 }),
            serde_json::json!({ "type": "range", "from": "1970-01-01", "to": "2199-12-31" }),
        ];
        for host in hosts {
            for window in &windows {
                requests.push(serde_json::json!({ "kind": "slots", "now": start, "range": range, "event_length_min": 1, "hosts": [host],
                    "booking_window": window, "limits": [{ "per": "year", "max_bookings": 1 }], "explain": true }));
            }
            requests.push(serde_json::json!({ "kind": "slot_check", "slot": range, "host": host }));
            requests.push(serde_json::json!({ "kind": "team_bookable", "checks": [range], "hosts": [host] }));
            requests.push(serde_json::json!({ "kind": "windows", "range": range, "host": host }));
        }
        for freq in [
            "YEARLY;BYMONTH=2;BYMONTHDAY=30",
            "MINUTELY;BYMONTH=2;BYMONTHDAY=30",
            "MINUTELY",
            "DAILY;COUNT=4294967295",
        ] {
            requests.push(serde_json::json!({ "kind": "rrule", "dtstart_local": &start[..19], "rrule": format!("FREQ={freq}"), "window": range }));
        }
        requests.push(
            serde_json::json!({ "kind": "intervals", "operation": "subtract", "lists": [[range], [range]] }),
        );
        requests.push(serde_json::json!({ "kind": "conflict", "slot": { "start": end, "length_min": 1440 }, "busy": [range] }));
        for per in ["day", "week", "month", "year"] {
            requests.push(serde_json::json!({ "kind": "limit_check", "limit": { "per": per, "max_minutes": 9 }, "request_start": end,
                "request_length_min": 1440, "existing_bookings": [range] }));
            requests.push(serde_json::json!({ "kind": "fairness_period", "reset": per, "basis": "created_at", "now": end }));
        }
        requests.push(serde_json::json!({ "kind": "fairness_run", "strategy": "least_recently_assigned", "sequential_bookings": 9,
            "hosts": [{ "id": "a", "last_assigned_at": end }, { "id": "b" }] }));
    }
    let lines: String = requests.iter().map(|request| format!("{request}\n")).collect();
    let mut stdin = child.stdin.take().unwrap();
    let writing = std::thread::spawn(move || stdin.write_all(lines.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writing.join().unwrap().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), requests.len(), "the process ended early: {:?}", output.status);
    for (request, answer) in requests.iter().zip(&answers) {
        let unknown = request.to_string().contains("9999-") || request.to_string().contains("0001-");
        let code = &answer["error"]["code"];
        assert!(!unknown || code == "BERTH-E0422", "{request}: {answer}");
        assert!(code.is_null() || code == "BERTH-E0422" || code == "BERTH-E0423", "{request}: {answer}");
    }
}

#[test]
fn a_component_is_checked_before_it_is_installed() {
    let berth = Berth::new();
    // By its author, with nothing around it.
    let setup = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/template").display().to_string();
    let template = component("template.wasm");
    // A credential for a live run is no configuration.
    let report = berth
        .ok(&["plugin", "check", &template, "--setup", &setup], &[("BERTH_CHECK_API_KEY", "made-up-key")]);
    let verdicts: Vec<&str> =
        report["cases"].as_array().unwrap().iter().filter_map(|c| c["verdict"].as_str()).collect();
    assert!(
        verdicts.iter().filter(|v| **v == "pass").count() > 30 && !verdicts.contains(&"fail"),
        "{report}"
    );
    let one = berth.ok(&["plugin", "check", &template, "--case", "c010"], &[]);
    assert_eq!(one["cases"].as_array().unwrap().len(), 1);
    let unknown = berth.run(&["plugin", "check", &template, "--case", "C999"], &[]);
    assert!(unknown.code == 1 && unknown.errors.contains("no case C999"), "{unknown:?}");

    // By the operator: what fails is refused, and nothing is stored.
    let refused = berth.run(&["plugin", "install", &component("hostile.wasm")], &[]);
    assert_eq!(refused.code, 1);
    assert!(refused.errors.contains("BERTH-E0513") && refused.errors.contains("C001"), "{refused:?}");
    assert_eq!(berth.ok(&["plugin", "list"], &[]).as_array().unwrap().len(), 0);
    let url = format!("http://{}", berth.address);
    let key = berth.ok(&["key", "create", "--operator", "--name", "ops"], &[])[0]["key"].clone();
    let there = [("BERTH_URL", url.as_str()), ("BERTH_KEY", key.as_str().unwrap())];
    let _server = berth.serve(&there);
    let refused = berth.run(&["plugin", "install", &component("hostile.wasm")], &there);
    assert!(
        refused.errors.contains("BERTH-E0513") && refused.errors.contains("has neither title"),
        "{refused:?}"
    );

    // What passes keeps its report.
    berth.ok(&["plugin", "install", &template], &there);
    let report = berth.ok(&["plugin", "inspect", "acme"], &there)["conformance"].clone();
    let cases = report["cases"].as_array().unwrap();
    assert!(cases.iter().any(|c| c["id"] == "C020" && c["verdict"] == "pass"), "{report}");
}

#[test]
fn a_first_start_complains_about_nothing() {
    let berth = Berth::new();
    let components = berth.path().join("components");
    std::fs::create_dir(&components).unwrap();
    for name in ["reference.wasm", "template.wasm"] {
        std::fs::copy(component(name), components.join(name)).unwrap();
    }
    let folder = components.display().to_string();
    for format in ["pretty", "json"] {
        let mut command = berth.command(&["demo", "--once", "--components", &folder]);
        command.env("BERTH_LOG_FILTER", "info").env("BERTH_LOG_FORMAT", format);
        let output = command.env("BERTH_DATA_DIR", berth.path().join(format)).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{said}");
        assert!(said.contains("component loaded"), "{said}");
        let complaints: Vec<&str> =
            said.lines().filter(|line| line.contains("WARN") || line.contains("ERROR")).collect();
        assert!(complaints.is_empty(), "{complaints:#?}");
        assert!(said.lines().all(|line| line.len() <= 4 * 1024), "a line is too long");
    }
}

/// The lines of the README that are to be pasted after the demo has started, in their order.
fn readme_lines() -> String {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md")).unwrap();
    let after = readme.split_once("as they are:").expect("the README says which lines").1;
    let lines: Vec<&str> = after
        .lines()
        .skip_while(|line| line.is_empty())
        .take_while(|line| line.starts_with("    "))
        .map(|line| &line[4..])
        .collect();
    assert!(lines.len() >= 4, "{lines:?}");
    lines.join("\n")
}

#[test]
fn the_readmes_lines_can_be_pasted_as_they_are() {
    use std::io::{BufRead, BufReader};
    if Command::new("curl").arg("--version").output().is_err() {
        println!("SKIPPED: the README's lines: there is no curl");
        return;
    }
    let berth = Berth::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let seed = std::fs::read_to_string(root.join("tests/providers/demo.toml")).unwrap();
    let seed = seed.replace("\"4010\"", "\"0\"");
    std::fs::write(berth.path().join("seed.toml"), seed).unwrap();
    let mut demo = berth.command(&["demo", "--seed", "seed.toml"]);
    demo.arg("--components").arg(folder("BERTH_COMPONENTS", "../target/components").canonicalize().unwrap());
    demo.arg("--simulator")
        .arg(folder("BERTH_BINARIES", "../target/debug").join("berth-simulator").canonicalize().unwrap());
    let mut running = Running(demo.stdout(Stdio::piped()).spawn().unwrap());
    let said = BufReader::new(running.0.stdout.take().unwrap());
    let mut simulator = None;
    let mut said = said.lines().map_while(Result::ok).inspect(|line| {
        let at = line.split("http://").nth(1).and_then(|rest| rest.strip_suffix("/_simulator/state"));
        simulator = at.map(str::to_owned).or(simulator.take());
    });
    let export = said.find(|line| line.trim().starts_with("export "));
    drop(said);
    let export = export.expect("the demo prints its variables");
    // It listens before it prints, so the first line waits for it.
    let lines = readme_lines();
    for (i, line) in lines.lines().enumerate() {
        assert!(!line.contains("202"), "no date that passes, line {i}: {line}");
    }
    let pasted = format!("{export}\n{lines}\necho; echo \"$START\"");
    let output = Command::new("sh").arg("-c").arg(&pasted).output().unwrap();
    let answers = String::from_utf8(output.stdout).unwrap();
    let what = || format!("{pasted}\n{answers}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}", what());
    assert!(answers.contains("\"slots\"") && answers.contains("\"status\":\"confirmed\""), "{}", what());
    assert!(answers.contains("\"status\":\"cancelled\""), "{}", what());
    assert!(!answers.contains("BERTH-E"), "{}", what());
    // Ended hard, it leaves nothing behind.
    let simulator = simulator.expect("the demo says where the simulator is");
    drop(running);
    let began = std::time::Instant::now();
    while std::net::TcpStream::connect(&simulator).is_ok() {
        assert!(began.elapsed() < PATIENCE, "the simulator goes on at {simulator}");
        std::thread::yield_now();
    }
}

#[test]
fn every_task_says_what_it_does_before_it_builds() {
    let Some(xtask) = std::env::var_os("CARGO").map(|cargo| {
        let mut command = Command::new(cargo);
        command
            .args(["run", "--quiet", "--package", "berth-xtask", "--"])
            .current_dir(env!("CARGO_MANIFEST_DIR"));
        command
    }) else {
        println!("SKIPPED: the tasks' help: cargo did not start this test");
        return;
    };
    let program: PathBuf = xtask.get_program().into();
    for task in ["demo", "test", "bench", "soak", "components", "ci"] {
        let mut command = Command::new(&program);
        command.args(xtask.get_args()).args([task, "--help"]).current_dir(env!("CARGO_MANIFEST_DIR"));
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && said.starts_with(&format!("cargo xtask {task}")),
            "{task}: {output:?}"
        );
        assert!(!said.contains("==>"), "nothing is built: {said}");
    }
}

#[test]
fn an_upgrade_takes_nothing_away_and_what_is_revoked_is_said() {
    let berth = Berth::new();
    berth.ok(&["plugin", "install", "--activate", &component("template.wasm")], &[]);
    berth.ok(&["plugin", "grant", "acme", "cal.studio.example"], &[]);
    let again = berth.run(&["plugin", "install", "--activate", &component("template.wasm")], &[]);
    assert!(
        again.code == 0 && again.errors.contains("acme may reach besides: cal.studio.example"),
        "{again:?}"
    );
    let key = berth.ok(&["key", "create", "--operator", "--name", "ops"], &[])[0]["key"].clone();
    let url = format!("http://{}", berth.address);
    let there = [("BERTH_URL", url.as_str()), ("BERTH_KEY", key.as_str().unwrap())];
    let _server = berth.serve(&there);
    for place in [&there[..], &[]] {
        let more = berth.run(&["plugin", "grant", "acme", "files.studio.example"], place);
        assert!(more.errors.contains("besides: api.acme.example cal.studio.example"), "{more:?}");
        let less = berth.run(&["plugin", "grant", "acme", "--revoke", "files.studio.example"], place);
        assert!(less.code == 0 && !less.errors.contains("files.studio.example"), "{less:?}");
        let said = berth.run(&["plugin", "grant", "acme"], place);
        assert!(said.errors.contains("besides: api.acme.example cal.studio.example"), "{said:?}");
    }
}

/// A request of its own connection: status and body.
fn http(address: &str, key: &str, method: &str, path: &str, body: &Value) -> (u16, Value) {
    use std::io::{Read, Write};
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {key}\r\nconnection: close"
    );
    let request =
        format!("{head}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{method} {path}: {answer:?}"));
    (head.split(' ').nth(1).unwrap().parse().unwrap(), serde_json::from_str(body).unwrap_or(Value::Null))
}

#[test]
fn a_customer_books_beside_more_silent_connections_than_there_are_files() {
    use serde_json::json;
    use std::io::Write;
    let berth = Berth::new();
    berth.ok(&["tenant", "create", "--tenant", "studio", "--name", "Studio"], &[]);
    let key = berth.ok(&["key", "create", "--tenant", "studio", "--name", "site"], &[])[0]["key"].clone();
    let key = key.as_str().unwrap();
    // 64 files unless it asks for more, and 256 at most: half of them are kept back.
    let program = folder("BERTH_BINARIES", "../target/debug").join("berth");
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -Sn 64; ulimit -Hn 256; ulimit -Sc 0; exec \"$0\" serve"]).arg(program);
    command.current_dir(berth.path()).env("BERTH_LISTEN", &berth.address).env("BERTH_LOG_FILTER", "error");
    let server = Running(command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap());
    let until = Instant::now() + PATIENCE;
    while std::net::TcpStream::connect(&berth.address).is_err() {
        assert!(Instant::now() < until, "the server did not become ready");
    }
    // It listens before it takes the files that it may have, and answers after that.
    assert_eq!(http(&berth.address, key, "GET", "/healthz", &Value::Null).0, 200);
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.0.id())).unwrap();
    let limit = |name: &str| -> Vec<String> {
        let line = limits.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{limits}"));
        line[name.len()..].split_whitespace().take(2).map(str::to_owned).collect()
    };
    assert_eq!(limit("Max open files"), ["256", "256"], "it takes what it may have");
    assert_eq!(limit("Max core file size"), ["0", "0"]);

    let post = |path: &str, body: Value| http(&berth.address, key, "POST", path, &body);
    let make = |path: &str, body: Value| {
        let (status, made) = post(path, body);
        assert_eq!(status, 201, "{path}: {made}");
        made["id"].clone()
    };
    let listing = make("/api/listings", json!({ "slug": "studio", "title": "Studio", "time_zone": "UTC" }));
    let days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let hours = json!([{ "weekdays": days, "start": "00:00", "end": "24:00" }]);
    let member =
        make("/api/booking/team", json!({ "name": "Eve", "time_zone": "UTC", "weekly_hours": hours }));
    let event_type = make(
        "/api/booking/event-types",
        json!({ "listing": listing, "slug": "talk", "title": "Talk", "length_minutes": 30, "members": [member] }),
    );
    let id = event_type.as_str().unwrap();
    let day = |n: u64| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let at = chrono::DateTime::from_timestamp(i64::try_from(now).unwrap(), 0).unwrap();
        (at + chrono::Days::new(n)).format("%Y-%m-%dT00:00:00Z").to_string()
    };
    let path =
        format!("/api/booking/availability?event_type={id}&from={}&to={}&time_zone=UTC", day(2), day(3));
    let (_, slots) = http(&berth.address, key, "GET", &path, &Value::Null);
    let mut starts = slots["days"][0]["slots"].as_array().unwrap().iter().map(|slot| slot["start"].clone());
    let mut book = |what: &str| {
        let attendee = json!({ "name": "Ada", "email": "ada@example.com", "time_zone": "UTC" });
        let body = json!({ "event_type": event_type, "start": starts.next().unwrap(), "attendee": attendee });
        let (status, booking) = post("/api/booking", body);
        assert_eq!(status, 201, "beside {what}: {booking}");
    };
    book("nothing");
    let mut held = Vec::new();
    for (what, sent) in [
        ("silence", ""),
        ("half a header", "GET /healthz HTTP/1.1\r\nhost: a\r\nx: "),
        ("half a body", "POST /api/webhooks/acme HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\nhalf"),
        ("a kept connection", "GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n"),
    ] {
        for _ in 0..150 {
            let mut stream = std::net::TcpStream::connect(&berth.address).unwrap();
            // It may have made room for another already.
            let _ = stream.write_all(sent.as_bytes());
            held.push(stream);
        }
        book(what);
    }
    let (status, ready) = http(&berth.address, key, "GET", "/readyz", &Value::Null);
    assert_eq!(status, 200, "{ready}");
}

#[test]
fn a_key_for_some_addresses_is_made_and_shown() {
    let berth = Berth::new();
    berth.ok(&["tenant", "create", "--tenant", "studio", "--name", "Studio"], &[]);
    let create = ["key", "create", "--tenant", "studio", "--name", "site"];
    let made =
        berth.ok(&[&create[..], &["--source", "192.0.2.7/24", "--source", "2001:db8::1"]].concat(), &[]);
    assert_eq!(made[0]["sources"], serde_json::json!(["192.0.2.0/24", "2001:db8::1/128"]));
    let listed = berth.ok(&["key", "list", "--tenant", "studio"], &[]);
    assert_eq!(listed[0]["sources"], made[0]["sources"]);
    let refused = berth.run(&[&create[..], &["--source", "nowhere"]].concat(), &[]);
    assert!(refused.code == 1 && refused.errors.contains("/sources/0"), "{refused:?}");
}
