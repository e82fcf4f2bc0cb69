//! The store of one call: everything that the host keeps for a guest while it runs, and nothing that outlives it.

use std::sync::{Arc, MutexGuard};

use berth_model::{
    limits,
    outbound::provider::{CallContext, ConnectionState},
    plugins::manifest::Manifest,
    time::Clock,
};
use wasmtime::{
    Engine, Store, UpdateDeadline,
    component::{Linker, ResourceTable},
};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::{
    cap::{
        clock::GuestClock,
        stdio::{GuestOutput, GuestStream},
    },
    contract::bindings::{CompleteProvider, berth::provider::types},
    egress::CallEgress,
    guest_log::GuestLog,
    limiter::MemoryLimiter,
    metering::{Exceeded, Meter, TICK_NS},
};

/// Random bytes that a guest may ask for at once: ids and seeds, not data.
const RANDOM_BYTES_MAX: u64 = 64 * 1024;

/// Data of a call's store.
pub(crate) struct Sandbox {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    table: ResourceTable,
    egress: CallEgress,
    limiter: MemoryLimiter,
    output: Arc<GuestOutput>,
    host_calls_left: u32,
    /// The call. The guest sees of it only the settings.
    pub(crate) cx: Arc<CallContext>,
    /// What the component asked for.
    pub(crate) manifest: Arc<Manifest>,
    /// The connection's small store.
    pub(crate) state: Arc<dyn ConnectionState>,
}

/// What a sandbox is made from.
pub(crate) struct SandboxParts {
    pub(crate) cx: Arc<CallContext>,
    pub(crate) manifest: Arc<Manifest>,
    pub(crate) state: Arc<dyn ConnectionState>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) egress: CallEgress,
    pub(crate) output: Arc<GuestOutput>,
    pub(crate) meter: Arc<Meter>,
    pub(crate) memory_bytes_max: usize,
    pub(crate) cpu_ticks_max: u32,
}

impl Sandbox {
    /// A fresh store with every limit set. The epoch deadline is set too, so that it can be instantiated into.
    pub(crate) fn store(engine: &Engine, parts: SandboxParts) -> Store<Self> {
        let SandboxParts {
            cx,
            manifest,
            state,
            clock,
            egress,
            output,
            meter,
            memory_bytes_max,
            cpu_ticks_max,
        } = parts;
        let clock = GuestClock::new(clock);
        let (out, err) = GuestStream::both(&output);
        let wasi = WasiCtx::builder()
            .stdout(out)
            .stderr(err)
            .wall_clock(clock.clone())
            .monotonic_clock(clock)
            .max_random_size(RANDOM_BYTES_MAX)
            .allow_tcp(false)
            .allow_udp(false)
            .build();
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(limits::EGRESS_HEADER_BYTES_MAX);
        let limiter = MemoryLimiter::new(memory_bytes_max, Arc::clone(&meter));
        let sandbox = Self {
            wasi,
            http,
            table: ResourceTable::new(),
            egress,
            limiter,
            output,
            host_calls_left: limits::CALL_HOST_CALLS_MAX,
            cx,
            manifest,
            state,
        };
        let mut store = Store::new(engine, sandbox);
        store.limiter(|sandbox| &mut sandbox.limiter);
        store.set_hostcall_fuel(limits::CALL_HOSTCALL_BYTES_MAX);
        store.set_max_component_handles(limits::CALL_HANDLES_MAX);
        let cpu_ns_max = u64::from(cpu_ticks_max).saturating_mul(TICK_NS);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(move |_| {
            if meter.cpu_ns.load(std::sync::atomic::Ordering::Relaxed) >= cpu_ns_max {
                return Err(Exceeded::Cpu.into());
            }
            // tokio's own yield, not wasmtime's: it lets the timers and sockets have their turn.
            Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())))
        });
        store
    }

    /// Count a call of one of Berth's own functions; the one too many traps.
    pub(crate) fn count_host_call(&mut self) -> wasmtime::Result<()> {
        self.host_calls_left = self.host_calls_left.checked_sub(1).ok_or(Exceeded::HostCalls)?;
        Ok(())
    }

    /// What the call says.
    pub(crate) fn log(&self) -> MutexGuard<'_, GuestLog> {
        self.output.book()
    }
}

impl WasiView for Sandbox {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Sandbox {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.egress, table: &mut self.table, ctx: &mut self.http }
    }
}

/// `types` has no functions; the bindings want it named all the same.
impl types::Host for Sandbox {}

/// Everything that a component can import. Made once per engine; which of it a component may name is the loader's
/// decision.
pub(crate) fn linker(engine: &Engine) -> wasmtime::Result<Linker<Sandbox>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    CompleteProvider::add_to_linker::<_, wasmtime::component::HasSelf<_>>(&mut linker, |sandbox| sandbox)?;
    Ok(linker)
}
