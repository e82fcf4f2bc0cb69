//! Keeping background work alive, and saying so where it cannot be kept.

use std::{sync::Arc, time::Duration};

use berth_model::{boxed::BoxFuture, limits, supervision::Health, time::Clock};
use tokio::{
    sync::watch,
    task::{JoinError, JoinHandle},
    time::{Instant, sleep, timeout},
};

use crate::Readiness;

/// Something that is done again and again.
#[derive(Debug)]
pub(crate) struct Duty<C> {
    /// For log lines, metrics and `/readyz`.
    pub(crate) name: &'static str,
    /// How long after it ended it is done again.
    pub(crate) every: Duration,
    /// It is given up for this time if it takes longer.
    pub(crate) longest: Duration,
    /// The error is for the log.
    pub(crate) run: fn(C) -> BoxFuture<'static, Result<(), String>>,
}

/// Starts background work again, and says what fails again and again. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Supervisor {
    readiness: Readiness,
    clock: Arc<dyn Clock>,
    stop: Arc<watch::Sender<bool>>,
}

impl Supervisor {
    pub(crate) fn new(readiness: Readiness, clock: Arc<dyn Clock>) -> Self {
        Self { readiness, clock, stop: Arc::new(watch::channel(false).0) }
    }

    /// From now on nothing is started again.
    pub(crate) fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// True once it is to stop.
    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }

    fn is_stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// Wait, or be told to stop.
    async fn pause(&self, time: Duration) {
        let mut stop = self.stopping();
        tokio::select! {
            () = sleep(time) => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
    }

    /// Keep a task running until told to stop: one that panics or ends is started again, after a wait that doubles. After
    /// [`limits::TASK_FAILURES_MAX`] in a row the process is not ready until the task has run for [`limits::TASK_WELL_MS`].
    pub(crate) async fn keep<F, R>(self, name: &'static str, task: F)
    where
        F: Fn() -> R,
        R: Future<Output = ()> + Send + 'static,
    {
        let check = format!("task {name}");
        let mut health = Health::default();
        loop {
            let started = Instant::now();
            let mut running = tokio::spawn(task());
            let well = Duration::from_millis(limits::TASK_WELL_MS);
            let ended = if health.failures() == 0 {
                running.await
            } else if let Ok(ended) = timeout(well, &mut running).await {
                ended
            } else {
                health.succeeded();
                self.readiness.holds(&check);
                running.await
            };
            if self.is_stopping() {
                if let Err(error) = ended {
                    tracing::error!(task = name, %error, "a background task did not end well");
                }
                return;
            }
            let ran_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
            let wait_ms = health.failed(ran_ms);
            let (why, failures) =
                (ended.map_or_else(|error| why(&error), |()| "it ended"), health.failures());
            tracing::error!(task = name, why, failures, wait_ms, "a background task is started again");
            metrics::counter!("berth_task_restarts_total", "task" => name).increment(1);
            self.judge(&check, health, why);
            self.pause(Duration::from_millis(wait_ms)).await;
            if self.is_stopping() {
                return;
            }
        }
    }

    /// Do a duty again and again until told to stop. One that panics, fails or takes too long is done again at its next turn, and the
    /// process is not ready after [`limits::TASK_FAILURES_MAX`] failures in a row until it succeeds.
    pub(crate) async fn repeat<C: Clone>(self, duty: &Duty<C>, context: C) {
        let check = format!("duty {}", duty.name);
        let (mut health, mut stuck) = (Health::default(), None);
        while !self.is_stopping() {
            match turn(duty, context.clone(), &mut stuck).await {
                Ok(()) => {
                    health.succeeded();
                    self.readiness.holds(&check);
                    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
                    let now = self.clock.now().micros() as f64 / 1_000_000.0;
                    metrics::gauge!("berth_duty_last_success_seconds", "duty" => duty.name).set(now);
                }
                Err(Failure { why, error }) => {
                    // The wait is the duty's own.
                    health.failed(0);
                    let failures = health.failures();
                    tracing::warn!(duty = duty.name, why, error, failures, "a duty was not done");
                    metrics::counter!("berth_duty_failures_total", "duty" => duty.name).increment(1);
                    self.judge(&check, health, why);
                }
            }
            self.pause(duty.every).await;
        }
    }

    fn judge(&self, check: &str, health: Health, why: &str) {
        if health.is_failing() {
            self.readiness.fails(check, &format!("{} times in a row: {why}", health.failures()));
        }
    }
}

/// Why a duty was not done.
struct Failure {
    /// For anybody.
    why: &'static str,
    /// For the log.
    error: String,
}

/// Do it once. What does not let go of its thread cannot be ended from outside: it is left in `stuck`, and not begun a second time.
async fn turn<C>(
    duty: &Duty<C>,
    context: C,
    stuck: &mut Option<JoinHandle<Result<(), String>>>,
) -> Result<(), Failure> {
    if stuck.as_ref().is_some_and(|task| !task.is_finished()) {
        return Err(Failure { why: "it hangs", error: String::new() });
    }
    *stuck = None;
    let mut task = tokio::spawn((duty.run)(context));
    match timeout(duty.longest, &mut task).await {
        Ok(Ok(done)) => done.map_err(|error| Failure { why: "it failed; the log says why", error }),
        Ok(Err(error)) => Err(Failure { why: why(&error), error: error.to_string() }),
        Err(_) => {
            task.abort();
            *stuck = Some(task);
            Err(Failure {
                why: "it took too long",
                error: format!("longer than {} s", duty.longest.as_secs()),
            })
        }
    }
}

/// Without the words of a panic, which may hold anything: those are in the log.
fn why(error: &JoinError) -> &'static str {
    if error.is_panic() { "it panicked" } else { "it was cancelled" }
}
