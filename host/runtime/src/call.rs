//! One call: a permit, a fresh sandbox, the guest's function, and what is left of it for people to look at.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use berth_model::{
    connections::breaker::Ended,
    outbound::provider::{CallContext, CallError, ProviderError},
    plugins::manifest::Manifest,
};
use tracing::Instrument;
use wasmtime::{Store, component::Instance};

use crate::{
    cap::stdio::GuestOutput,
    contract::offers::Offers,
    core::Core,
    egress::{CallEgress, Records, Urgency},
    fault::Fault,
    metering::{Meter, thread_cpu_ns},
    operation::Operation,
    registry::Serving,
    sandbox::{Sandbox, SandboxParts},
    telemetry::CallRecorder,
};

/// The future of a guest's function, with its answer checked.
pub(crate) type GuestFuture<'s, R> =
    Pin<Box<dyn Future<Output = wasmtime::Result<Result<R, Fault>>> + Send + 's>>;

impl Core {
    /// Run one function of a component in a sandbox of its own. `pick` finds the interface among what the component
    /// offers; `go` calls it.
    pub(crate) async fn call<I, R, P, G>(
        &self,
        cx: &CallContext,
        operation: Operation,
        pick: P,
        go: G,
    ) -> Result<R, CallError>
    where
        I: Sync + 'static,
        R: Send,
        P: for<'o> FnOnce(&'o Offers) -> Option<&'o I> + Send,
        G: for<'s> FnOnce(&'s mut Store<Sandbox>, &'s Instance, &'s I) -> GuestFuture<'s, R> + Send,
    {
        let serving = self.registry.serving(&cx.plugin);
        let mut recorder = CallRecorder::new(self, cx, operation, serving.as_ref());
        let span = recorder.span.clone();
        let outcome = match &serving {
            None => Err(CallError::NotActive(cx.plugin.clone())),
            Some(serving) => {
                self.call_version(cx, operation, serving, &mut recorder, pick, go).instrument(span).await
            }
        };
        recorder.ended(outcome.as_ref().err());
        outcome
    }

    async fn call_version<I, R, P, G>(
        &self,
        cx: &CallContext,
        operation: Operation,
        serving: &Serving,
        recorder: &mut CallRecorder<'_>,
        pick: P,
        go: G,
    ) -> Result<R, CallError>
    where
        I: Sync + 'static,
        R: Send,
        P: for<'o> FnOnce(&'o Offers) -> Option<&'o I> + Send,
        G: for<'s> FnOnce(&'s mut Store<Sandbox>, &'s Instance, &'s I) -> GuestFuture<'s, R> + Send,
    {
        let version = &*serving.version;
        let interface = pick(&version.offers).ok_or(CallError::NotOffered(operation.interface))?;
        let passage = version
            .breakers
            .try_acquire(cx.tenant, self.clock.now())
            .map_err(|retry_after_ms| CallError::BreakerOpen { retry_after_ms })?;
        let permit = self
            .permits
            .take(cx.tenant, operation.urgency_for(cx))
            .await
            .map_err(|busy| CallError::Busy { retry_after_ms: busy.retry_after_ms })?;
        let in_flight = version.enter();
        let (parts, records) = self.sandbox_parts(cx, &version.manifest, operation);
        let (output, meter) = (Arc::clone(&parts.output), Arc::clone(&parts.meter));
        recorder.meter = Arc::clone(&meter);
        recorder.egress = records.clone();
        let wall_ms = match operation.urgency {
            Urgency::Availability => self.limits.wall_ms_availability,
            Urgency::Booking | Urgency::Upkeep | Urgency::Bulk => self.limits.wall_ms,
        };
        let began = self.clock.now();
        let inst_us = &mut recorder.inst_us;
        let work = async {
            let mut store = Sandbox::store(&self.engine, parts);
            let instance = version.pre.instantiate_async(&mut store).await.map_err(Fault::Sandbox)?;
            *inst_us = u64::try_from(self.clock.now().micros_since(began)).unwrap_or(0);
            go(&mut store, &instance, interface).await.map_err(Fault::Sandbox)?
        };
        let outcome = bounded(&meter, Duration::from_millis(wall_ms), work).await;
        drop(in_flight);
        drop(permit);
        let ended = outcome.as_ref().err().map_or(Ended::Succeeded, Fault::ended);
        passage.ended(ended, self.clock.now());
        if let Err(Fault::Provider(ProviderError::RateLimited { retry_after_ms })) = &outcome
            && !records.held_back()
        {
            self.gate.pause(cx.connection, *retry_after_ms);
        }
        // Components cannot know which line of whose grants is missing, and name what they met next instead.
        if let Err(Fault::Provider(error)) = &outcome
            && may_follow_from_a_refusal(error)
            && let Some(host) = records.not_granted()
        {
            return Err(CallError::HostNotGranted { plugin: cx.plugin.clone(), host });
        }
        if outcome.is_ok() && output.book().warned() {
            recorder.warned(output.tail());
        }
        outcome.map_err(|fault| fault.told(&output))
    }

    fn sandbox_parts(
        &self,
        cx: &CallContext,
        manifest: &Arc<Manifest>,
        operation: Operation,
    ) -> (SandboxParts, Records) {
        let egress =
            CallEgress::new(Arc::clone(&self.gate), cx, Arc::clone(manifest), operation.urgency_for(cx));
        let records = egress.records();
        let parts = SandboxParts {
            cx: Arc::new(cx.clone()),
            manifest: Arc::clone(manifest),
            state: Arc::clone(&self.state),
            clock: Arc::clone(&self.clock),
            egress,
            output: Arc::new(GuestOutput::new(self.is_trial)),
            meter: Arc::new(Meter::default()),
            memory_bytes_max: self.limits.memory_bytes,
            cpu_ticks_max: self.limits.cpu_ticks,
        };
        (parts, records)
    }
}

/// Is it what a component says that could not ask? What a provider answered to another request says more than the refusal.
const fn may_follow_from_a_refusal(error: &ProviderError) -> bool {
    matches!(
        error,
        ProviderError::Unauthorised
            | ProviderError::Forbidden(_)
            | ProviderError::Unavailable { .. }
            | ProviderError::Unsupported { .. }
            | ProviderError::Vendor { .. }
    )
}

/// Run work that holds a sandbox: measure the time in which it runs, and end it after `wall`. The sandbox is gone when
/// this returns.
pub(crate) async fn bounded<T>(
    meter: &Meter,
    wall: Duration,
    work: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    let mut work = pin!(work);
    let metered = poll_fn(|task| {
        let before = thread_cpu_ns();
        let poll = work.as_mut().poll(task);
        meter.ran(thread_cpu_ns().saturating_sub(before));
        poll
    });
    tokio::time::timeout(wall, metered).await.unwrap_or(Err(Fault::WallTime))
}
