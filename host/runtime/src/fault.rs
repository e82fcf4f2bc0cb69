//! What a call's failure means: wasmtime's errors into the engine's vocabulary.

use berth_model::{
    connections::breaker::Ended,
    limits,
    outbound::provider::{CallError, ProviderError},
};
use wasmtime::{PoolConcurrencyLimitError, Trap};

use crate::{
    cap::stdio::GuestOutput, contract::incoming::ContractBreach, guest_log::clean, metering::Exceeded,
};

/// How a call ended, if not well.
pub(crate) enum Fault {
    /// The component answered with an error.
    Provider(ProviderError),
    /// The component returned something that the contract does not allow.
    Breach(ContractBreach),
    /// The sandbox ended it.
    Sandbox(wasmtime::Error),
    /// It took too long.
    WallTime,
}

impl Fault {
    /// What the breaker makes of it. A slow call need not be the component's failure (the provider may be slow), and a full pool
    /// is the host's.
    pub(crate) fn ended(&self) -> Ended {
        match self {
            Self::Provider(_) => Ended::Succeeded,
            Self::WallTime => Ended::Unknown,
            Self::Sandbox(error) if error.is::<PoolConcurrencyLimitError>() => Ended::Unknown,
            Self::Breach(_) | Self::Sandbox(_) => Ended::Failed,
        }
    }

    /// The error for the caller, with what the guest said last.
    pub(crate) fn told(self, output: &GuestOutput) -> CallError {
        match self {
            Self::Provider(error) => CallError::Provider(error),
            Self::Breach(breach) => CallError::Trap { message: breach.to_string(), log_tail: output.tail() },
            Self::WallTime => CallError::Exhausted { limit: CallError::WALL_TIME, log_tail: output.tail() },
            Self::Sandbox(error) if error.is::<PoolConcurrencyLimitError>() => {
                // The pool is made for all permits: this is a mistake of ours.
                tracing::error!(%error, "the pool of instances refused a call that had a permit");
                CallError::Busy { retry_after_ms: limits::CALL_PERMIT_WAIT_MS_MAX }
            }
            Self::Sandbox(error) => match exhausted(&error) {
                Some(limit) => CallError::Exhausted { limit, log_tail: output.tail() },
                None => CallError::Trap { message: describe(&error), log_tail: output.tail() },
            },
        }
    }
}

/// The budget that ran out, if that is the cause.
fn exhausted(error: &wasmtime::Error) -> Option<&'static str> {
    if let Some(exceeded) = error.downcast_ref::<Exceeded>() {
        return Some(exceeded.limit());
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::StackOverflow) => return Some("call stack"),
        Some(Trap::Interrupt) => return Some(Exceeded::Cpu.limit()),
        _ => {}
    }
    // wasmtime keeps the type of this one to itself.
    let copied = error.chain().any(|cause| cause.to_string().contains("fuel allocated for hostcalls"));
    copied.then_some("result size")
}

/// The error with its causes and the guest's function names, on one line each.
fn describe(error: &wasmtime::Error) -> String {
    let text = format!("{error:#}");
    let lines: Vec<String> = text.lines().map(|line| clean(line, limits::TRAP_MESSAGE_BYTES_MAX)).collect();
    let text = lines.join("\n");
    text.get(..text.floor_char_boundary(limits::TRAP_MESSAGE_BYTES_MAX)).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use wasmtime::{Config, Engine, Instance, Module, PoolingAllocationConfig, Store};

    use super::*;

    fn told(error: wasmtime::Error) -> CallError {
        Fault::Sandbox(error).told(&GuestOutput::default())
    }

    #[test]
    fn budgets_are_named() {
        for (error, name) in [
            (wasmtime::Error::from(Exceeded::Memory).context("while instantiating"), "memory"),
            (Exceeded::HostCalls.into(), "host calls"),
            (Trap::StackOverflow.into(), "call stack"),
        ] {
            let CallError::Exhausted { limit, .. } = told(error) else { panic!("not exhausted") };
            assert_eq!(limit, name);
        }
    }

    #[test]
    fn a_full_pool_is_the_hosts_doing() {
        let mut pool = PoolingAllocationConfig::new();
        pool.total_core_instances(1).total_memories(1).total_tables(1);
        let mut config = Config::new();
        config.allocation_strategy(pool);
        let engine = Engine::new(&config).expect("an engine");
        let module = Module::new(&engine, wat::parse_str("(module)").expect("wat")).expect("a module");
        let mut store = Store::new(&engine, ());
        Instance::new(&mut store, &module, &[]).expect("the only place");
        let error = Instance::new(&mut store, &module, &[]).expect_err("full");
        let fault = Fault::Sandbox(error.context("while instantiating"));
        assert_eq!(fault.ended(), Ended::Unknown);
        assert!(matches!(fault.told(&GuestOutput::default()), CallError::Busy { .. }));
    }

    #[test]
    fn other_traps_say_what_happened() {
        let CallError::Trap { message, .. } = told(Trap::UnreachableCodeReached.into()) else {
            panic!("not a trap")
        };
        assert!(message.contains("unreachable"), "{message}");
    }
}
