//! Components that cost much to look at or to compile: each is refused in words, soon, and the server stays as small as it was.

use std::{
    collections::HashMap,
    fs,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use berth_model::{
    limits,
    plugins::plugin::{Fault, PluginHost},
};
use berth_runtime::Compiler;
use berth_tests::{
    Means, TestClock, World, component, component_as, find_component, monsters,
    process::{Process, program},
};
use rand::{Rng, SeedableRng, rngs::StdRng};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::{Value, json};

/// What the server may have grown by after all of them: pages of its own that it keeps for the next work.
const GROWN_KIB_MAX: u64 = 48 * 1024;
/// What the server may take besides what it has when it stands: the bodies under way, and what it learns of them. One of these components
/// alone took three gibibytes where it was compiled in the server.
const SERVER_MORE_BYTES_MAX: u64 = 384 * 1024 * 1024;
/// Longest wait for one of them, which in an unoptimised build includes compiling.
const ENDS: Duration = Duration::from_secs(600);

fn fresh_seed() -> u64 {
    let seed = rand::rng().random();
    println!("seed {seed}");
    seed
}

/// A line of `/proc/<pid>/status`, in KiB.
fn status_kib(pid: u32, name: &str) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    text.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}

fn children(pid: u32) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    tasks
        .filter_map(|task| fs::read_to_string(task.path().join("children")).ok())
        .flat_map(|text| text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>())
        .collect()
}

/// Watches the processes that a process starts: the most memory of each.
struct Watch {
    stop: Arc<AtomicBool>,
    peaks: Arc<Mutex<HashMap<u32, u64>>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Watch {
    fn of(pid: u32) -> Self {
        let (stop, peaks) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(HashMap::new())));
        let (ends, seen) = (Arc::clone(&stop), Arc::clone(&peaks));
        let thread = thread::spawn(move || {
            while !ends.load(Ordering::Relaxed) {
                for child in children(pid) {
                    if let Some(peak) = status_kib(child, "VmHWM:") {
                        let mut seen = seen.lock().unwrap();
                        let most = seen.entry(child).or_insert(0);
                        *most = (*most).max(peak);
                    }
                }
                thread::sleep(Duration::from_millis(5));
            }
        });
        Self { stop, peaks, thread: Some(thread) }
    }

    fn end(mut self) -> HashMap<u32, u64> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
        self.peaks.lock().unwrap().clone()
    }
}

/// An operator at a running server.
struct Operator {
    client: reqwest::Client,
    url: String,
    key: String,
}

impl Operator {
    fn of(process: &Process) -> Self {
        let key = process.run(&["key", "create", "--operator", "--name", "test"]);
        let key = key[0]["key"].as_str().unwrap().to_owned();
        Self { client: reqwest::Client::new(), url: process.url().to_owned(), key }
    }

    async fn upload(&self, bytes: Vec<u8>) -> (u16, Value, String) {
        let request = self.client.post(format!("{}/api/operator/plugins", self.url)).bearer_auth(&self.key);
        let answer = request.header("content-type", "application/wasm").body(bytes).send().await.unwrap();
        let location = answer.headers().get("location").map(|l| l.to_str().unwrap().to_owned());
        (answer.status().as_u16(), answer.json().await.unwrap(), location.unwrap_or_default())
    }

    async fn get(&self, path: &str) -> Value {
        let request = self.client.get(format!("{}{path}", self.url)).bearer_auth(&self.key);
        request.send().await.unwrap().json().await.unwrap()
    }

    /// Upload, and ask until it has ended.
    async fn install(&self, bytes: Vec<u8>) -> Value {
        let (status, begun, location) = self.upload(bytes).await;
        assert_eq!(status, 202, "{begun}");
        assert_eq!(location, format!("/api/operator/installations/{}", begun["id"].as_str().unwrap()));
        let until = Instant::now() + ENDS;
        loop {
            let now = self.get(&location).await;
            if ["installed", "refused", "failed"].iter().any(|end| now["state"] == **end) {
                return now;
            }
            assert!(Instant::now() < until, "it never ended: {now}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Nobody listens there, and nobody is asked.
const NOBODY: &str = "http://127.0.0.1:1";

/// From now on this process, and those that it starts, may have so many bytes more of memory that can be written. What it only reserved
/// for sandboxes does not count before it is used.
fn cap(pid: u32, more_bytes: u64) {
    let has = status_kib(pid, "VmData:").unwrap() * 1024;
    let most = has + more_bytes;
    let limit = Rlimit { current: Some(most), maximum: Some(most) };
    let pid = Pid::from_raw(pid.try_into().unwrap()).unwrap();
    prlimit(Some(pid), Resource::Data, limit).unwrap();
    println!("{} KiB of data, and at most {} KiB from now on", has / 1024, most / 1024);
}

/// Customers of the built-in provider, one after the other, until they are told to stop; how many bookings they made.
async fn customers(process: &Process, event_type: &str, stop: &AtomicBool) -> usize {
    let tomorrow = (berth_simulators::machine_clock()() / 86_400_000_000 + 1) * 86_400_000_000;
    for n in 0.. {
        if stop.load(Ordering::Relaxed) {
            return n;
        }
        let start =
            berth_model::time::Instant::from_micros(tomorrow).plus_minutes(i64::try_from(n).unwrap() * 30);
        let body = json!({ "event_type": event_type, "start": start,
            "attendee": { "name": "Ada", "email": "ada@example.com", "time_zone": "UTC" } });
        let (status, made) = process.post("/api/booking", &body).await.unwrap();
        assert_eq!((status, &made["status"]), (201, &json!("confirmed")), "booking {n}: {made}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    0
}

fn said(ended: &Value) -> String {
    let problem = &ended["problem"];
    format!("{} {} {}", problem["code"], problem["detail"], problem["errors"])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_too_much_is_refused_in_words_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::new(folder.path(), NOBODY, None);
    let metrics = process.show_metrics();
    process.key = process.tenant();
    process.serve().await;
    let operator = Operator::of(&process);
    let event_type = process.offer_built_in().await;
    let pid = process.pid().unwrap();
    // An honest one first: what it takes to install anything is there from then on.
    let honest = operator.install(component("template")).await;
    assert_eq!(
        (&honest["state"], &honest["plugin"]["plugin"]),
        (&"installed".into(), &"acme".into()),
        "{honest}"
    );
    let measured = reqwest::get(metrics).await.unwrap().text().await.unwrap();
    assert!(measured.contains("berth_request_seconds"), "these are the metrics: {measured}");
    assert!(!measured.contains("berth_calls_total"), "a trial is not measured: {measured}");
    let before = status_kib(pid, "VmRSS:").unwrap();
    cap(pid, SERVER_MORE_BYTES_MAX);
    let watch = Watch::of(pid);
    let stop = AtomicBool::new(false);
    let uploads = async {
        all_are_refused(&operator).await;
        stop.store(true, Ordering::Relaxed);
    };
    let (booked, ()) = tokio::join!(customers(&process, &event_type, &stop), uploads);
    assert!(booked > 10, "customers go on: {booked}");
    let after = status_kib(pid, "VmRSS:").unwrap();
    let peak = status_kib(pid, "VmHWM:").unwrap();
    let peaks = watch.end();
    println!(
        "server: {before} KiB before, {peak} KiB at most, {after} KiB after, {booked} bookings meanwhile; processes that compiled: {:?}",
        peaks.values()
    );
    assert!(after <= before + GROWN_KIB_MAX, "the server grew from {before} to {after} KiB");
    let most = limits::COMPILE_MEMORY_BYTES_MAX / 1024;
    assert!(peaks.values().all(|peak| *peak <= most), "{peaks:?}");
    // The compiler is free, and nothing of them is kept.
    let honest = operator.install(component_as("template", "0.1.1")).await;
    assert_eq!(honest["state"], "installed", "{honest}");
    let kept = fs::read_dir(folder.path().join("compiled")).unwrap().count();
    assert_eq!(kept, 2, "the two honest ones");
    assert_eq!(operator.get("/api/operator/plugins").await["items"].as_array().unwrap().len(), 2);
}

/// Upload them all, each of two seeds.
async fn all_are_refused(operator: &Operator) {
    for seed in [1, fresh_seed()] {
        for monster in monsters::all(seed) {
            let began = Instant::now();
            let bytes = monster.bytes.len();
            let ended = operator.install(monster.bytes).await;
            let took = began.elapsed();
            let told = said(&ended);
            assert_eq!(ended["state"], "refused", "{}: {told}", monster.name);
            for part in monster.says {
                assert!(told.contains(part), "{} does not say {part:?}: {told}", monster.name);
            }
            assert!(told.len() < 2_000, "{}: {} bytes", monster.name, told.len());
            println!("{} ({bytes} bytes): {took:?} {told}", monster.name);
        }
    }
}

/// The child of this process that compiles: bounded by itself, however the component gets to it.
async fn compiled_by_process(bytes: Vec<u8>) -> Result<(), (Fault, String)> {
    let compiler = Some(Compiler::Process(program()));
    let world = World::with(7, TestClock::start(), &[], Means { compiler, ..Means::default() }).await;
    let loaded = world.runtime.load(bytes).await;
    loaded.map(drop).map_err(|refused| (refused.fault, refused.problems.join("; ")))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_only_the_compiler_can_know_ends_the_compiler_alone() {
    for (name, bytes, says) in [
        ("nested types", monsters::nested_types(1_000_000), "nested too deeply"),
        ("live locals", monsters::live_locals(4_000, 10_000, 20), "takes more than"),
    ] {
        let began = Instant::now();
        let (fault, told) = compiled_by_process(bytes).await.expect_err(name);
        println!("{name}: {:?} {told}", began.elapsed());
        assert_ne!(fault, Fault::Machine, "{name}: {told}");
        assert!(told.contains(says), "{name}: {told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_component_is_refused_or_loads_and_never_harms() {
    let honest = component("template");
    for seed in [1, fresh_seed()] {
        let mut random = StdRng::seed_from_u64(seed);
        for round in 0..12 {
            let changed = monsters::mutated(&honest, &mut random);
            if let Err((fault, told)) = compiled_by_process(changed).await {
                assert_ne!(fault, Fault::Machine, "seed {seed}, round {round}: {told}");
                assert!(!told.is_empty() && told.len() < 20_000, "seed {seed}, round {round}: {told}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_does_not_compile_is_no_fault_of_the_component() {
    for (program, says) in
        [("/nowhere/berth", "did not start"), ("/bin/true", "damaged"), ("/bin/false", "ended with")]
    {
        let compiler = Some(Compiler::Process(program.into()));
        let world = World::with(7, TestClock::start(), &[], Means { compiler, ..Means::default() }).await;
        // Not in the cache that the suites share.
        let bytes = component_as("reference", "0.7.7");
        let refused = world.runtime.load(bytes).await.expect_err(program);
        assert_eq!(refused.fault, Fault::Machine, "{refused}");
        assert!(refused.to_string().contains(says), "{program}: {refused}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_does_not_wait_ends_the_compiler() {
    let compiler = Some(Compiler::Process(program()));
    let world = World::with(7, TestClock::start(), &[], Means { compiler, ..Means::default() }).await;
    let slow = monsters::live_locals(1_000, 10_000, 20);
    let own = std::process::id();
    let loading = world.runtime.load(slow);
    let begun = async {
        // Other tests of this process have children of their own.
        while !children(own).iter().any(|pid| status_kib(*pid, "VmRSS:").is_some_and(|kib| kib > 100_000)) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let began = tokio::select! {
        _ = loading => false,
        () = begun => true,
    };
    assert!(began, "it is slow");
    // The permit is free at once.
    let loaded = world.runtime.load(component_as("template", "0.1.2")).await;
    assert!(loaded.is_ok(), "{loaded:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_is_not_ready_until_what_is_active_is_compiled() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::new(folder.path(), NOBODY, None);
    process.run(&["plugin", "install", "--activate", &find_component("template").display().to_string()]);
    // The cache goes: another machine, or another version of the program.
    fs::remove_dir_all(folder.path().join("compiled")).unwrap();
    process.start();
    let client = reqwest::Client::new();
    let (until, mut named) = (Instant::now() + ENDS, false);
    loop {
        assert!(Instant::now() < until, "it never became ready");
        let Ok(answer) = client.get(format!("{}/readyz", process.url())).send().await else { continue };
        let status = answer.status().as_u16();
        let body: Value = answer.json().await.unwrap();
        if status == 200 {
            assert_eq!(body["plugins_not_loaded"], serde_json::json!({}));
            break;
        }
        assert_eq!((status, &body["ready"]), (503, &false.into()), "{body}");
        named |= body["plugins_not_loaded"]["acme"].as_str().is_some_and(|why| why.contains("compiled"));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(named, "it said what it waits for");
    // Warm, it is ready as soon as it answers.
    process.kill();
    process.serve().await;
}
