//! What a call leaves behind: a span, metrics and a record. Names are the same in all three; a tenant is never a metric
//! label.

use std::sync::{Arc, atomic::Ordering};

use berth_model::{
    outbound::provider::{CallContext, CallError, CallRecord},
    time::Instant,
};
use metrics::{Label, SharedString, counter, gauge, histogram};
use tracing::{Span, field::Empty};

use crate::{
    core::Core, egress::Records, guest_log::TRIAL, metering::Meter, operation::Operation, registry::Serving,
};

/// Outcome of a call whose caller went away before it ended: nobody knows what it did.
const DROPPED: &str = "dropped";

/// A call on its way, and what it used so far. Written down when it is dropped, which happens too when the caller goes
/// away in the middle.
pub(crate) struct CallRecorder<'a> {
    core: &'a Core,
    cx: &'a CallContext,
    operation: Operation,
    serving: Option<&'a Serving>,
    started_at: Instant,
    outcome: &'static str,
    error: Option<String>,
    said: Option<String>,
    /// Its span.
    pub(crate) span: Span,
    /// Time to make the sandbox, in microseconds.
    pub(crate) inst_us: u64,
    /// Processor and memory.
    pub(crate) meter: Arc<Meter>,
    /// Its requests.
    pub(crate) egress: Records,
}

impl<'a> CallRecorder<'a> {
    /// A call begins.
    pub(crate) fn new(
        core: &'a Core,
        cx: &'a CallContext,
        operation: Operation,
        serving: Option<&'a Serving>,
    ) -> Self {
        Self {
            core,
            cx,
            operation,
            serving,
            started_at: core.clock.now(),
            outcome: DROPPED,
            error: None,
            said: None,
            span: if core.is_trial { trial_span(operation) } else { span(cx, operation, serving) },
            inst_us: 0,
            meter: Arc::default(),
            egress: Records::default(),
        }
    }

    /// It said what somebody should know, and went well all the same: an event that it could not read.
    pub(crate) fn warned(&mut self, said: String) {
        self.said = Some(said);
    }

    /// It ended by itself.
    pub(crate) fn ended(&mut self, error: Option<&CallError>) {
        self.outcome = error.map_or("ok", CallError::outcome);
        self.error = error.map(ToString::to_string);
        if let Some(error) = error {
            self.said = error.said().map(str::to_owned);
        }
    }
}

/// The span of a call; the fields that are known only at the end are empty.
fn span(cx: &CallContext, operation: Operation, serving: Option<&Serving>) -> Span {
    let span = tracing::info_span!(
        "provider_call",
        plugin.id = cx.plugin.as_str(),
        plugin.digest = Empty,
        contract = Empty,
        op = operation.name,
        tenant = %cx.tenant,
        listing = Empty,
        call = %cx.call,
        request_id = cx.request_id,
        generation = Empty,
        outcome = Empty,
        cpu_ticks = Empty,
        mem_peak_bytes = Empty,
        egress_count = Empty,
        inst_us = Empty,
    );
    if span.is_disabled() {
        return span;
    }
    if let Some(serving) = serving {
        span.record("plugin.digest", serving.version.digest().short());
        span.record("contract", serving.version.manifest.contract.as_str());
        span.record("generation", serving.generation);
    }
    if let Some(listing) = cx.listing {
        span.record("listing", tracing::field::display(listing));
    }
    span
}

/// The span of a call of a trial.
fn trial_span(operation: Operation) -> Span {
    tracing::debug_span!(target: TRIAL, "trial_call", op = operation.name)
}

impl Drop for CallRecorder<'_> {
    fn drop(&mut self) {
        let Self { core, cx, operation, serving, started_at, outcome, span, .. } = self;
        let egress = self.egress.snapshot();
        let elapsed_us = u64::try_from(core.clock.now().micros_since(*started_at)).unwrap_or(0);
        let (cpu_ticks, peak) =
            (self.meter.cpu_ticks(), self.meter.memory_peak_bytes.load(Ordering::Relaxed));
        if !span.is_disabled() {
            span.record("outcome", *outcome);
            span.record("cpu_ticks", cpu_ticks);
            span.record("mem_peak_bytes", peak);
            span.record("egress_count", egress.len());
            span.record("inst_us", self.inst_us);
        }
        if let Some(serving) = serving.filter(|_| !core.is_trial) {
            let plugin = SharedString::from(Arc::clone(&serving.version.label));
            let mut labels = vec![Label::new("plugin", plugin), Label::new("op", operation.name)];
            #[expect(clippy::cast_precision_loss, reason = "a metric; 52 bits are plenty")]
            let measure =
                |name: &'static str, value: u64| histogram!(name, labels.iter()).record(value as f64);
            measure("berth_call_us", elapsed_us);
            measure("berth_call_inst_us", self.inst_us);
            measure("berth_call_cpu_ticks", cpu_ticks);
            measure("berth_call_mem_peak_bytes", u64::try_from(peak).unwrap_or(u64::MAX));
            measure("berth_call_egress_count", u64::try_from(egress.len()).unwrap_or(u64::MAX));
            labels.push(Label::new("outcome", *outcome));
            counter!("berth_calls_total", labels).increment(1);
        }
        core.calls.record(CallRecord {
            call: cx.call,
            tenant: cx.tenant,
            listing: cx.listing,
            connection: cx.connection,
            plugin: cx.plugin.clone(),
            digest: serving.map(|s| s.version.digest().short().to_owned()).unwrap_or_default(),
            operation: operation.name,
            started_at: *started_at,
            elapsed_ms: elapsed_us / 1_000,
            outcome,
            error: self.error.take(),
            said: self.said.take(),
            request_id: cx.request_id.clone(),
            egress,
        });
    }
}

impl Core {
    /// Publish gauges: calls in flight per version, and how full the pool is. To be called before metrics
    /// are read.
    pub(crate) fn publish_gauges(&self) {
        for version in self.registry.all_loaded() {
            let labels = vec![
                Label::new("plugin", SharedString::from(Arc::clone(&version.label))),
                Label::new("digest", version.digest().short().to_owned()),
            ];
            gauge!("berth_calls_in_flight", labels).set(f64::from(version.in_flight()));
        }
        if let Some(pool) = self.engine.pooling_allocator_metrics() {
            #[expect(clippy::cast_precision_loss, reason = "a gauge; 52 bits are plenty")]
            let set =
                |what: &'static str, value: u64| gauge!("berth_pool_in_use", "of" => what).set(value as f64);
            set("component_instances", pool.component_instances());
            set("core_instances", pool.core_instances());
            set("memories", u64::try_from(pool.memories()).unwrap_or(u64::MAX));
            set("tables", u64::try_from(pool.tables()).unwrap_or(u64::MAX));
            set("stacks", u64::try_from(pool.stacks()).unwrap_or(u64::MAX));
        }
    }
}
