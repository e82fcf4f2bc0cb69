//! What a call leaves behind: a span, metrics and a record. Names are the same in all three; a tenant is never a metric
//! label.

use std::sync::{Arc, atomic::Ordering};

use berth_model::{
    provider::{CallContext, CallError, CallRecord, EgressRecord},
    time::Instant,
};
use metrics::{Label, SharedString, counter, gauge, histogram};
use tracing::{Span, field::Empty};

use crate::{call::Operation, core::Core, registry::Serving, spent::Meter};

/// What a call used, as far as it got.
#[derive(Default)]
pub(crate) struct Ran {
    /// Time to make the sandbox, in microseconds.
    pub(crate) inst_us: u64,
    /// Processor and memory.
    pub(crate) meter: Arc<Meter>,
    /// Its requests.
    pub(crate) egress: Vec<EgressRecord>,
}

/// The span of a call; the fields that are known only at the end are empty.
pub(crate) fn span(cx: &CallContext, operation: Operation, serving: Option<&Serving>) -> Span {
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

impl Core {
    /// Write down how a call ended.
    #[expect(clippy::too_many_arguments, reason = "one caller; these are the parts of one record")]
    pub(crate) fn finished(
        &self,
        cx: &CallContext,
        operation: Operation,
        serving: Option<&Serving>,
        started_at: Instant,
        ran: &Ran,
        error: Option<&CallError>,
        span: &Span,
    ) {
        let outcome = error.map_or("ok", CallError::outcome);
        let elapsed_us = u64::try_from(self.clock.now().micros_since(started_at)).unwrap_or(0);
        let (cpu_ticks, peak) = (ran.meter.cpu_ticks(), ran.meter.memory_peak_bytes.load(Ordering::Relaxed));
        if !span.is_disabled() {
            span.record("outcome", outcome);
            span.record("cpu_ticks", cpu_ticks);
            span.record("mem_peak_bytes", peak);
            span.record("egress_count", ran.egress.len());
            span.record("inst_us", ran.inst_us);
        }
        if let Some(serving) = serving {
            let plugin = SharedString::from(Arc::clone(&serving.version.label));
            let labels = vec![Label::new("plugin", plugin), Label::new("op", operation.name)];
            #[expect(clippy::cast_precision_loss, reason = "a metric; 52 bits are plenty")]
            let measure =
                |name: &'static str, value: u64| histogram!(name, labels.iter()).record(value as f64);
            measure("berth_call_us", elapsed_us);
            measure("berth_call_inst_us", ran.inst_us);
            measure("berth_call_cpu_ticks", cpu_ticks);
            measure("berth_call_mem_peak_bytes", u64::try_from(peak).unwrap_or(u64::MAX));
            measure("berth_call_egress_count", u64::try_from(ran.egress.len()).unwrap_or(u64::MAX));
            let mut labels = labels;
            labels.push(Label::new("outcome", outcome));
            counter!("berth_calls_total", labels).increment(1);
        }
        self.calls.record(CallRecord {
            call: cx.call,
            tenant: cx.tenant,
            listing: cx.listing,
            connection: cx.connection,
            plugin: cx.plugin.clone(),
            digest: serving.map(|s| s.version.digest().short().to_owned()).unwrap_or_default(),
            operation: operation.name,
            started_at,
            elapsed_ms: elapsed_us / 1_000,
            outcome,
            error: error.map(ToString::to_string),
            request_id: cx.request_id.clone(),
            egress: ran.egress.clone(),
        });
    }

    /// Publish gauges: calls in flight per version, and how full the pool is. To be called now and then.
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
