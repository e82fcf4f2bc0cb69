//! Work that may need a core for long. It runs on threads of its own, so that requests go on beside it; each tenant has a share, so
//! that one cannot take all; and it ends when nobody waits for it any more.
//!
//! How dear a question is cannot be told from its size: so what is small is begun where it is asked, with the steps of about a
//! millisecond, and begun again on a thread if those are not enough.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use berth_model::{
    budget::Budget,
    id::TenantId,
    limits,
    problem::{Code, Problem},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinError,
};

use crate::Outcome;

/// The threads of a process, and the shares of tenants.
pub struct Computing {
    process: Arc<Semaphore>,
    tenants: Mutex<HashMap<TenantId, Arc<Share>>>,
    per_tenant: usize,
}

/// What one tenant may have.
struct Share {
    running: Arc<Semaphore>,
    waiting: AtomicUsize,
}

/// The right to compute; given back when the computation has ended, also if nobody waits for it any more.
struct Permit {
    _tenant: OwnedSemaphorePermit,
    _process: OwnedSemaphorePermit,
}

/// One who waits, as long as it lives.
struct Waiting<'a>(&'a Share);

impl<'a> Waiting<'a> {
    fn of(share: &'a Share) -> Option<Self> {
        let before = share.waiting.fetch_add(1, Ordering::Relaxed);
        let waiting = Self(share);
        (before < limits::COMPUTES_WAITING_PER_TENANT_MAX).then_some(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Raises the flag of a computation when nobody waits for it any more.
#[derive(Default)]
struct Deadline(Arc<AtomicBool>);

impl Drop for Deadline {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn busy() -> Problem {
    Problem::new(Code::Busy, "Too many computations of this tenant are under way.")
        .with_retry_after_seconds(1)
}

impl Computing {
    /// So many computations at the same time, at least two; a tenant may have half of them.
    pub(crate) fn new(threads: usize) -> Self {
        let threads = threads.clamp(2, limits::COMPUTES_CONCURRENT_MAX);
        Self {
            process: Arc::new(Semaphore::new(threads)),
            tenants: Mutex::default(),
            per_tenant: threads.div_euclid(2),
        }
    }

    /// As many as the machine has cores.
    pub(crate) fn of_this_machine() -> Self {
        Self::new(std::thread::available_parallelism().map_or(2, std::num::NonZero::get))
    }

    fn share(&self, tenant: TenantId) -> Arc<Share> {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        if tenants.len() >= limits::TENANT_PERMITS_KEPT_MAX {
            // One that nobody else holds is idle.
            tenants.retain(|_, share| Arc::strong_count(share) > 1 || Arc::strong_count(&share.running) > 1);
        }
        let new =
            || Share { running: Arc::new(Semaphore::new(self.per_tenant)), waiting: AtomicUsize::new(0) };
        Arc::clone(tenants.entry(tenant).or_insert_with(|| Arc::new(new())))
    }

    /// A permit for this tenant, waited for if it must be. The tenant's own comes first, so that its queue holds none of everybody's.
    async fn take(&self, tenant: TenantId) -> Outcome<Permit> {
        let share = self.share(tenant);
        let _waiting = Waiting::of(&share).ok_or_else(busy)?;
        let both = async {
            let tenant = Arc::clone(&share.running).acquire_owned().await.ok()?;
            let process = Arc::clone(&self.process).acquire_owned().await.ok()?;
            Some(Permit { _tenant: tenant, _process: process })
        };
        let permit = tokio::time::timeout(Duration::from_millis(limits::COMPUTE_WAIT_MS_MAX), both).await;
        permit.ok().flatten().ok_or_else(busy)
    }

    /// Compute for a tenant on a thread of its own, with the steps of one answer; refused as busy beyond the tenant's share. If the caller
    /// goes away, the computation ends at its next step, and only then is its permit given back.
    pub async fn run<T: Send + 'static>(
        &self,
        tenant: TenantId,
        work: impl FnOnce(&Budget) -> Outcome<T> + Send + 'static,
    ) -> Outcome<T> {
        let permit = self.take(tenant).await?;
        let deadline = Deadline::default();
        let budget = Budget::of_answer(Arc::clone(&deadline.0));
        let span = tracing::Span::current();
        let done = tokio::task::spawn_blocking(move || {
            let done = span.in_scope(|| work(&budget));
            drop(permit);
            done
        });
        done.await.unwrap_or_else(|error| Err(not_ended(&error)))
    }

    /// The same with so many steps, begun here if it is small: it may be begun twice.
    pub(crate) async fn run_small<T: Send + 'static>(
        &self,
        tenant: TenantId,
        is_small: bool,
        steps: u64,
        work: impl Fn(&Budget) -> Outcome<T> + Send + 'static,
    ) -> Outcome<T> {
        if is_small {
            let budget = Budget::of(limits::COMPUTE_INLINE_STEPS_MAX);
            let done = work(&budget);
            if done.is_ok() || budget.left() > 0 {
                return done;
            }
        }
        self.run(tenant, move |budget| budget.part(steps, work)).await
    }
}

/// Work that takes as long as there are bytes or rows: on a thread of its own where they are many (`is_long`), else where it is asked.
/// For what is bounded by the size of one message or answer; what is not computes for a tenant ([`Computing::run`]).
pub async fn beside<T: Send + 'static>(
    is_long: bool,
    work: impl FnOnce() -> T + Send + 'static,
) -> Outcome<T> {
    if !is_long {
        return Ok(work());
    }
    let span = tracing::Span::current();
    tokio::task::spawn_blocking(move || span.in_scope(work)).await.map_err(|error| not_ended(&error))
}

fn not_ended(error: &JoinError) -> Problem {
    tracing::error!(%error, "a computation did not end");
    Problem::new(Code::Internal, "The computation could not be finished.")
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use berth_model::budget::Exhausted;

    use super::*;

    fn tenant(n: u8) -> TenantId {
        format!("00000000-0000-0000-0000-0000000000{n:02x}").parse().unwrap()
    }

    /// Computes until it is told to stop; says that it began.
    fn until_stopped(
        began: mpsc::Sender<()>,
        ended: mpsc::Sender<Exhausted>,
    ) -> impl Fn(&Budget) -> Outcome<()> {
        move |budget| {
            began.send(()).unwrap();
            loop {
                if let Err(why) = budget.spend(0) {
                    ended.send(why).unwrap();
                    return Err(why.into());
                }
                std::thread::yield_now();
            }
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_tenant_s_dear_questions_leave_room_for_another_s() {
        let computing = Arc::new(Computing::new(2));
        let (began, beginnings) = mpsc::channel();
        let (ended, _ends) = mpsc::channel();
        let asked: Vec<_> = (0..5)
            .map(|_| {
                let (computing, work) = (Arc::clone(&computing), until_stopped(began.clone(), ended.clone()));
                tokio::spawn(async move { computing.run(tenant(1), work).await })
            })
            .collect();
        beginnings.recv().unwrap();
        let other = computing.run(tenant(2), |budget| Ok(budget.left() > 0)).await;
        assert_eq!(other.ok(), Some(true), "another tenant has a thread while the first one's questions run");
        assert!(beginnings.try_recv().is_err(), "one tenant has half of the threads");
        for task in asked {
            task.abort();
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_computation_ends_when_nobody_waits_for_it_and_then_gives_back_its_permit() {
        let computing = Arc::new(Computing::new(2));
        let (began, beginnings) = mpsc::channel();
        let (ended, ends) = mpsc::channel();
        let request = tokio::spawn({
            let (computing, work) = (Arc::clone(&computing), until_stopped(began, ended));
            async move { computing.run(tenant(1), work).await }
        });
        beginnings.recv().unwrap();
        assert_eq!(computing.process.available_permits(), 1);
        request.abort();
        assert_eq!(ends.recv().unwrap(), Exhausted::Stopped, "the flag reached into the loop");
        assert!(computing.run(tenant(1), |_| Ok(())).await.is_ok(), "its permit is there again");
    }

    #[tokio::test(start_paused = true)]
    async fn beyond_its_share_a_tenant_is_refused_as_busy() {
        let computing = Computing::new(2);
        let held = computing.take(tenant(1)).await.map_err(drop).unwrap();
        let refused = computing.take(tenant(1)).await.map(drop).unwrap_err();
        assert_eq!((refused.code, refused.retry_after_seconds), (Code::Busy, Some(1)), "it waited in vain");
        let share = computing.share(tenant(1));
        let waiting: Vec<_> =
            (0..limits::COMPUTES_WAITING_PER_TENANT_MAX).map_while(|_| Waiting::of(&share)).collect();
        let began = tokio::time::Instant::now();
        assert_eq!(computing.take(tenant(1)).await.map(drop).unwrap_err().code, Code::Busy);
        assert_eq!(began.elapsed(), Duration::ZERO, "too many wait: it is told so at once");
        assert!(computing.take(tenant(2)).await.is_ok(), "another tenant is not concerned");
        drop((waiting, held));
        assert!(computing.take(tenant(1)).await.is_ok());
    }

    #[tokio::test]
    async fn what_is_small_is_answered_where_it_is_asked() {
        let computing = Computing::new(2);
        let (all, _held) = (2_u32, computing.process.acquire_many(2).await.unwrap());
        assert_eq!(
            computing.run_small(tenant(1), true, 9, move |_| Ok(all)).await.ok(),
            Some(2),
            "no thread was needed"
        );
    }

    #[tokio::test]
    async fn what_is_long_is_done_beside_and_what_is_short_is_done_here() {
        let here = std::thread::current().id();
        let where_done = async |is_long| beside(is_long, || std::thread::current().id()).await.unwrap();
        assert_eq!(where_done(false).await, here);
        assert_ne!(where_done(true).await, here);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_was_taken_for_small_is_begun_again_with_more_steps() {
        let computing = Computing::new(2);
        let work = |budget: &Budget| {
            budget.spend(limits::COMPUTE_INLINE_STEPS_MAX.saturating_add(1))?;
            Ok(budget.left() > 0)
        };
        assert_eq!(
            computing.run_small(tenant(1), true, limits::ANSWER_STEPS_MAX, work).await.ok(),
            Some(true)
        );
        let refused = |budget: &Budget| -> Outcome<()> {
            budget.spend(1)?;
            Err(Problem::not_found("anything"))
        };
        let _held = computing.process.acquire_many(2).await.unwrap();
        let answer = computing.run_small(tenant(1), true, 9, refused).await.unwrap_err();
        assert_eq!(answer.code, Code::NotFound, "another refusal is an answer");
    }
}
