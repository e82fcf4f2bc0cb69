//! The process that compiles, from the outside: started, fed, read, and ended by whatever ends first.

use std::{
    os::unix::process::ExitStatusExt as _,
    path::Path,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use berth_model::{
    limits,
    plugins::plugin::{Fault, LoadRefused},
};
use rustix::process::Signal;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    process::Command,
};
use wasmtime::Engine;

use super::{COMMAND, broke_down, child, cpu_seconds, does_not_compile, frame, machine, too_much};
use crate::guest_log::clean;

/// The most that an answer's head adds to the code, and a byte that shows that there is more than is allowed.
const HEAD_BYTES_MAX: u64 = 256;

/// Compile in a process of this program. It is killed when this is dropped.
pub(super) async fn compile(engine: &Engine, program: &Path, bytes: Vec<u8>) -> Result<Vec<u8>, LoadRefused> {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut child = Command::new(program)
        .arg(COMMAND)
        .env_clear()
        .env("RAYON_NUM_THREADS", threads.min(limits::COMPILE_THREADS_MAX).to_string())
        // Each arena of the C library reserves address space, of which there is little.
        .env("MALLOC_ARENA_MAX", "2")
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| machine(format_args!("{} did not start: {error}", program.display())))?;
    let (Some(mut input), Some(output), Some(errors)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(machine("the process that compiles has no streams"));
    };
    let most = limits::AOT_ENTRY_BYTES_MAX.saturating_add(HEAD_BYTES_MAX);
    let work = async {
        let feed = async {
            // It may have ended without reading; then its code says why.
            let _ = input.write_all(&bytes).await;
            drop(input);
        };
        let reason = u64::try_from(limits::COMPILE_REASON_BYTES_MAX).unwrap_or(u64::MAX);
        let ((), answer, said) = tokio::join!(feed, read(output, most), read(errors, reason));
        (answer, said, child.wait().await)
    };
    let wall = Duration::from_secs(limits::COMPILE_WALL_SECONDS_MAX);
    let Ok((answer, said, status)) = tokio::time::timeout(wall, work).await else {
        return Err(machine(format_args!(
            "this machine is too busy; it was not done after {} s",
            limits::COMPILE_WALL_SECONDS_MAX
        )));
    };
    let status = status.map_err(machine)?;
    if !status.success() {
        return Err(why(status, &String::from_utf8_lossy(&said)));
    }
    if u64::try_from(answer.len()).unwrap_or(u64::MAX) >= most {
        return Err(too_much(&format!("{} bytes of compiled code", limits::AOT_ENTRY_BYTES_MAX)));
    }
    tokio::task::spawn_blocking({
        let engine = engine.clone();
        move || frame::code(&engine, &bytes, answer)
    })
    .await
    .map_err(machine)?
    .map_err(machine)
}

/// Everything that comes, up to a limit; then the stream is closed.
async fn read(from: impl AsyncRead + Unpin, most: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    // What was read before it failed counts; whether it is all of it the answer's head says.
    let _ = from.take(most).read_to_end(&mut bytes).await;
    bytes
}

/// What ended it, in words.
fn why(status: ExitStatus, said: &str) -> LoadRefused {
    let said: Vec<String> = said.lines().map(|line| clean(line, limits::COMPILE_REASON_BYTES_MAX)).collect();
    let said = said.join("\n");
    let memory = || too_much(&format!("{} MiB of memory", limits::COMPILE_MEMORY_BYTES_MAX / (1024 * 1024)));
    if let Some(signal) = status.signal() {
        return match Signal::from_named_raw(signal) {
            Some(Signal::XCPU) => too_much(&format!("{} s of processor time", cpu_seconds())),
            // The system took it away: somebody else's process, or a machine with too little memory.
            Some(Signal::KILL | Signal::TERM | Signal::INT) => {
                machine("the process that compiles was ended from outside; is there enough memory?")
            }
            _ if said.contains("memory allocation of") => memory(),
            Some(Signal::ABORT | Signal::SEGV | Signal::BUS) if said.contains("overflowed its stack") => {
                super::refused(
                    Fault::Component,
                    "cannot be compiled: something in it is nested too deeply for the compiler".to_owned(),
                )
            }
            _ => broke_down(),
        };
    }
    match status.code().and_then(|code| u8::try_from(code).ok()) {
        Some(child::NO_MEMORY) => memory(),
        Some(child::NOT_BEGUN) => machine(said),
        Some(child::AT_FAULT) => does_not_compile(&said),
        // A panic that was not caught, in a thread of the compiler.
        Some(101) => broke_down(),
        // Another program, or an earlier version of this one.
        _ => machine(format_args!("the process that compiles ended with {status}: {said}")),
    }
}
