//! The process that compiles, from the inside: bound itself, read a component, write its code.

use std::{
    any::Any,
    io::{self, Read, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    process::ExitCode,
};

use berth_model::limits;
use rustix::process::{Resource, Rlimit, nice, setrlimit};

use super::{cpu_seconds, frame};
use crate::engine;

/// The component is at fault; why is on standard error.
pub(super) const AT_FAULT: u8 = 10;
/// There was no memory left.
pub(super) const NO_MEMORY: u8 = 11;
/// It could not begin; why is on standard error.
pub(super) const NOT_BEGUN: u8 = 12;
/// How far this process stands back behind those that serve.
const NICENESS: i32 = 5;

/// Compile the component on standard input, within the limits that this process gives itself, and write its code to standard output.
/// For the program's own use. Blocks; to be called before any thread is started.
#[must_use]
pub fn compile_component() -> ExitCode {
    if let Err(error) = bound() {
        return told(NOT_BEGUN, &format!("its limits could not be set: {error}"));
    }
    let mut bytes = Vec::new();
    let most = u64::try_from(limits::COMPONENT_BYTES_MAX).unwrap_or(u64::MAX);
    if let Err(error) = io::stdin().lock().take(most.saturating_add(1)).read_to_end(&mut bytes) {
        return told(NOT_BEGUN, &format!("the component could not be read: {error}"));
    }
    let engine = match engine::for_compiling() {
        Ok(engine) => engine,
        Err(error) => return told(NOT_BEGUN, &format!("{error:#}")),
    };
    let code = match catch_unwind(AssertUnwindSafe(|| engine.precompile_component(&bytes))) {
        Ok(Ok(code)) => code,
        Ok(Err(error)) if lacks_memory(&error) => return told(NO_MEMORY, ""),
        Ok(Err(error)) => return told(AT_FAULT, &format!("{error:#}")),
        Err(panic) => return of_panic(&*panic),
    };
    let mut output = io::stdout().lock();
    let written = output
        .write_all(&frame::head(&engine, &bytes, &code))
        .and_then(|()| output.write_all(&code))
        .and_then(|()| output.flush());
    // Nobody reads any more.
    if written.is_err() { ExitCode::from(NOT_BEGUN) } else { ExitCode::SUCCESS }
}

/// Processor time, address space, no core file (it would hold the component), and less of everything than those that serve.
fn bound() -> io::Result<()> {
    let both = |most| Rlimit { current: Some(most), maximum: Some(most) };
    let cpu = Rlimit { current: Some(cpu_seconds()), maximum: Some(cpu_seconds().saturating_add(1)) };
    setrlimit(Resource::Cpu, cpu)?;
    setrlimit(Resource::As, both(limits::COMPILE_MEMORY_BYTES_MAX))?;
    setrlimit(Resource::Core, both(0))?;
    // Both are courtesies, which a machine may refuse.
    let _ = nice(NICENESS);
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
    Ok(())
}

fn lacks_memory(error: &wasmtime::Error) -> bool {
    error.chain().any(|cause| says_no_memory(&cause.to_string()))
}

fn of_panic(panic: &(dyn Any + Send)) -> ExitCode {
    let said = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    let said = said.unwrap_or_default();
    if says_no_memory(said) {
        told(NO_MEMORY, "")
    } else if said.contains("Resource temporarily unavailable") {
        told(NOT_BEGUN, "this machine allows no more threads")
    } else {
        told(AT_FAULT, "the compiler broke down on it")
    }
}

fn says_no_memory(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["out of memory", "cannot allocate memory", "memory allocation of"].iter().any(|part| text.contains(part))
}

fn told(code: u8, why: &str) -> ExitCode {
    let cut = why.floor_char_boundary(limits::COMPILE_REASON_BYTES_MAX);
    // Without a reader it is the code alone that says it.
    let _ = io::stderr().write_all(why.get(..cut).unwrap_or_default().as_bytes());
    ExitCode::from(code)
}
