//! Compiling, in a process of its own. A compiler's time and memory are bounded by nobody but the operating system, so a component
//! that takes too much of either ends that process and not the server.

mod child;
mod frame;
mod process;

use std::path::PathBuf;

use berth_model::{
    limits,
    plugins::plugin::{Fault, LoadRefused},
};
use wasmtime::Engine;

pub use child::compile_component;

/// The word that makes the program compile what it reads, and nothing else.
pub const COMMAND: &str = "compile-component";

/// Who compiles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Compiler {
    /// A process of this program, which answers [`COMMAND`] with [`compile_component`]: bounded in time and memory.
    Process(PathBuf),
    /// This process, bounded by nothing: for tests of components that are known.
    Here,
}

impl Compiler {
    /// The program that runs now. By the kernel's name for it where there is one: it stays right when the file is replaced by a newer
    /// version while the process runs.
    #[must_use]
    pub fn this_program() -> Self {
        let running = PathBuf::from("/proc/self/exe");
        let program = if running.exists() {
            running
        } else {
            std::env::current_exe().unwrap_or_else(|_| "berth".into())
        };
        Self::Process(program)
    }

    /// The component's code, as [`wasmtime::component::Component::serialize`] writes it. When the future is dropped, the work ends.
    pub(crate) async fn compile(&self, engine: &Engine, bytes: Vec<u8>) -> Result<Vec<u8>, LoadRefused> {
        match self {
            Self::Process(program) => process::compile(engine, program, bytes).await,
            Self::Here => {
                let engine = engine.clone();
                let done = tokio::task::spawn_blocking(move || engine.precompile_component(&bytes)).await;
                match done {
                    Ok(Ok(code)) => Ok(code),
                    Ok(Err(error)) => Err(does_not_compile(&format!("{error:#}"))),
                    Err(_) => Err(broke_down()),
                }
            }
        }
    }
}

fn refused(fault: Fault, problem: String) -> LoadRefused {
    LoadRefused { fault, problems: vec![problem] }
}

fn does_not_compile(why: &str) -> LoadRefused {
    refused(Fault::Component, format!("does not compile: {why}"))
}

fn broke_down() -> LoadRefused {
    refused(Fault::Component, "cannot be compiled: the compiler broke down on it".to_owned())
}

fn too_much(what: &str) -> LoadRefused {
    refused(
        Fault::Budget,
        format!("takes more than {what} to compile: leave out code, or split its largest functions"),
    )
}

fn machine(what: impl std::fmt::Display) -> LoadRefused {
    refused(Fault::Machine, format!("could not be compiled now: {what}"))
}

/// Processor time of a compilation, in seconds.
const fn cpu_seconds() -> u64 {
    if cfg!(debug_assertions) {
        limits::COMPILE_CPU_SECONDS_MAX * limits::COMPILE_CPU_UNOPTIMISED
    } else {
        limits::COMPILE_CPU_SECONDS_MAX
    }
}
