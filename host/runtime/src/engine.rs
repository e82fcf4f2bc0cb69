//! The wasmtime engine: one per process, every setting that matters for safety named here and asserted by a test, since
//! defaults drift from one release to the next.

use std::{num::NonZeroUsize, thread, time::Duration};

use berth_model::limits;
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

/// Stack of guest code, in bytes: deep JSON fits, endless recursion ends at once.
const WASM_STACK_BYTES_MAX: usize = 512 * 1024;
/// Stack of a call's fiber, in bytes: the guest's stack and the host functions above it.
const FIBER_STACK_BYTES: usize = 1024 * 1024;
/// Guest frames in a trap's message: enough to find the function.
const TRAP_FRAMES_MAX: usize = 16;
/// Components that run at the same time: as many as there are permits, and those on trial. The pool has room for each of them to be the largest
/// that is accepted, so that it never refuses. Room that is not used costs addresses, not memory.
#[expect(clippy::cast_possible_truncation, reason = "a few hundred")]
const POOL_COMPONENTS: u32 = (limits::CALLS_CONCURRENT_MAX
    + limits::CALLS_CONCURRENT_MAX / limits::CALLS_FIRST_PARTS
    + limits::TRIALS_CONCURRENT_MAX) as u32;
/// Memory kept in an unused slot, in bytes: a memset of the pages that were touched is cheaper than giving them back.
const POOL_MEMORY_KEPT_BYTES: usize = 1024 * 1024;
/// The same for tables.
const POOL_TABLE_KEPT_BYTES: usize = 64 * 1024;
/// Unused slots whose pages are kept.
const POOL_WARM_SLOTS: u32 = 64;

/// Core instances of one component: adapter, guest, libraries.
pub(crate) const COMPONENT_CORE_INSTANCES_MAX: u32 = 16;
/// Linear memories of one component.
pub(crate) const COMPONENT_MEMORIES_MAX: u32 = 2;
/// Tables of one component.
pub(crate) const COMPONENT_TABLES_MAX: u32 = 8;
/// Elements of one table: the functions of a large guest.
pub(crate) const TABLE_ELEMENTS_MAX: usize = 20_000;

/// The engine, with pooled instances where the machine grants the address space (about 2 TiB of it, hardly any of it
/// memory), else with instances made on demand. Its epoch ticker is started.
pub(crate) fn new() -> wasmtime::Result<Engine> {
    let mut pooled = base();
    pooled.allocation_strategy(InstanceAllocationStrategy::Pooling(pool()));
    let engine = match Engine::new(&pooled) {
        Ok(engine) => engine,
        Err(error) => {
            tracing::warn!(%error, "no address space for pooled instances; calls will start more slowly");
            Engine::new(&base())?
        }
    };
    start_ticker(&engine)?;
    Ok(engine)
}

/// An engine that compiles as [`new`] does, and reserves nothing to run what it compiled.
pub(crate) fn for_compiling() -> wasmtime::Result<Engine> {
    Engine::new(&base())
}

/// All settings but the allocator.
fn base() -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .memory_init_cow(true)
        .wasm_memory64(false)
        .wasm_relaxed_simd(false)
        .wasm_multi_memory(true)
        .wasm_gc(false)
        .max_wasm_stack(WASM_STACK_BYTES_MAX)
        .async_stack_size(FIBER_STACK_BYTES)
        .wasm_backtrace_max_frames(NonZeroUsize::new(TRAP_FRAMES_MAX));
    config
}

fn pool() -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(POOL_COMPONENTS)
        .total_core_instances(POOL_COMPONENTS * COMPONENT_CORE_INSTANCES_MAX)
        .total_memories(POOL_COMPONENTS * COMPONENT_MEMORIES_MAX)
        .total_tables(POOL_COMPONENTS * COMPONENT_TABLES_MAX)
        .total_stacks(POOL_COMPONENTS)
        .max_core_instances_per_component(COMPONENT_CORE_INSTANCES_MAX)
        .max_memories_per_component(COMPONENT_MEMORIES_MAX)
        .max_tables_per_component(COMPONENT_TABLES_MAX)
        .max_memory_size(limits::CALL_MEMORY_BYTES_MAX)
        .table_elements(TABLE_ELEMENTS_MAX)
        .linear_memory_keep_resident(POOL_MEMORY_KEPT_BYTES)
        .table_keep_resident(POOL_TABLE_KEPT_BYTES)
        .max_unused_warm_slots(POOL_WARM_SLOTS)
        .pagemap_scan(Enabled::Auto);
    pool
}

/// Advance the epoch until the engine is gone. A thread and not a task: a runaway guest can hold up every task, and it
/// is the epoch that ends it.
fn start_ticker(engine: &Engine) -> wasmtime::Result<()> {
    let weak = engine.weak();
    thread::Builder::new().name("berth-epoch".to_owned()).spawn(move || {
        while let Some(engine) = weak.upgrade() {
            engine.increment_epoch();
            drop(engine);
            thread::sleep(Duration::from_millis(limits::EPOCH_TICK_MS));
        }
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_in_force() {
        let engine = new().expect("an engine");
        let features = engine.get_wasm_features();
        for (name, on) in [
            ("memory64", features.memory64()),
            ("relaxed simd", features.relaxed_simd()),
            ("threads", features.threads()),
            ("gc", features.gc()),
            ("exceptions", features.exceptions()),
            ("stack switching", features.stack_switching()),
            ("component model async", features.cm_async()),
        ] {
            assert!(!on, "{name} must be off");
        }
        // Components of more than one part need it: the code between two parts sees the memories of both.
        assert!(features.multi_memory());
        assert!(engine.get_epoch_interruption());
        assert!(!engine.get_concurrency_support(), "a crate of the build switched component-model-async on");
        assert!(!engine.get_consume_fuel());
        assert_eq!(engine.get_max_wasm_stack(), WASM_STACK_BYTES_MAX);
        assert_eq!(engine.get_async_stack_size(), FIBER_STACK_BYTES);
        assert_eq!(engine.get_wasm_backtrace_max_frames(), TRAP_FRAMES_MAX);
        // None only where the machine does not grant the address space.
        if let Some(pool) = engine.get_pooling_config() {
            assert_eq!(pool.get_total_component_instances(), POOL_COMPONENTS);
            assert_eq!(pool.get_max_memory_size(), limits::CALL_MEMORY_BYTES_MAX);
        }
    }

    #[test]
    fn pool_is_as_large_as_configured() {
        let pool = pool();
        assert_eq!(pool.get_total_component_instances(), POOL_COMPONENTS);
        assert_eq!(pool.get_total_core_instances(), POOL_COMPONENTS * COMPONENT_CORE_INSTANCES_MAX);
        assert_eq!(pool.get_total_memories(), POOL_COMPONENTS * COMPONENT_MEMORIES_MAX);
        assert_eq!(pool.get_total_tables(), POOL_COMPONENTS * COMPONENT_TABLES_MAX);
        assert_eq!(pool.get_total_stacks(), POOL_COMPONENTS);
        assert_eq!(pool.get_max_memory_size(), limits::CALL_MEMORY_BYTES_MAX);
        assert_eq!(pool.get_max_core_instances_per_component(), COMPONENT_CORE_INSTANCES_MAX);
        assert_eq!(pool.get_max_memories_per_component(), COMPONENT_MEMORIES_MAX);
        assert_eq!(pool.get_max_tables_per_component(), COMPONENT_TABLES_MAX);
        assert_eq!(pool.get_memory_keep_resident(), POOL_MEMORY_KEPT_BYTES);
        assert_eq!(pool.get_table_keep_resident(), POOL_TABLE_KEPT_BYTES);
        assert_eq!(pool.get_max_unused_warm_slots(), POOL_WARM_SLOTS);
        assert!(matches!(pool.get_pagemap_scan(), Enabled::Auto));
    }
}
