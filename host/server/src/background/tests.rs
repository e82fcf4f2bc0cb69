//! What keeps background work alive, on a clock of its own.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use berth_model::{limits, time::Clock};
use tokio::time::sleep;

use super::supervisor::{Duty, Supervisor};
use crate::Readiness;

struct Standing;

impl Clock for Standing {
    fn now(&self) -> berth_model::time::Instant {
        berth_model::time::Instant::from_seconds(1_900_000_000)
    }
}

fn supervisor() -> (Supervisor, Readiness) {
    let readiness = Readiness::default();
    (Supervisor::new(readiness.clone(), Arc::new(Standing)), readiness)
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// What a task or duty of a test does, and how often it was begun.
#[derive(Clone, Default)]
struct Counted {
    begun: Arc<AtomicU32>,
    ill: Arc<AtomicBool>,
    hangs: Arc<AtomicBool>,
}

impl Counted {
    fn begun(&self) -> u32 {
        self.begun.load(Ordering::SeqCst)
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_that_panics_is_started_again_and_named_until_it_runs_well() {
    let (supervisor, readiness) = supervisor();
    let counted = Counted::default();
    counted.ill.store(true, Ordering::SeqCst);
    let (stop, of) = (supervisor.stopping(), counted.clone());
    let keeper = tokio::spawn(supervisor.clone().keep("worker", move || {
        let (of, mut stop) = (of.clone(), stop.clone());
        async move {
            of.begun.fetch_add(1, Ordering::SeqCst);
            assert!(!of.ill.load(Ordering::SeqCst), "a defect");
            let _ = stop.wait_for(|stop| *stop).await;
        }
    }));
    sleep(ms(1)).await;
    assert_eq!(counted.begun(), 1);
    assert!(readiness.failing().is_empty(), "once is an accident");
    sleep(ms(limits::TASK_BACKOFF_MS_MIN)).await;
    assert_eq!(counted.begun(), 2, "after the first wait");
    sleep(ms(limits::TASK_BACKOFF_MS_MIN * 2)).await;
    assert_eq!(counted.begun(), 3, "after twice the wait");
    assert_eq!(readiness.failing()["task worker"], "3 times in a row: it panicked");

    counted.ill.store(false, Ordering::SeqCst);
    sleep(ms(limits::TASK_BACKOFF_MS_MAX)).await;
    assert!(!readiness.failing().is_empty(), "it runs, and has not proved itself yet");
    sleep(ms(limits::TASK_WELL_MS)).await;
    assert!(readiness.failing().is_empty());
    let begun = counted.begun();
    supervisor.stop();
    keeper.await.unwrap();
    assert_eq!(counted.begun(), begun, "what is told to stop is not started again");
}

#[tokio::test(start_paused = true)]
async fn a_task_that_ends_unasked_is_started_again() {
    let (supervisor, readiness) = supervisor();
    let begun = Arc::new(AtomicU32::new(0));
    let of = begun.clone();
    let keeper = tokio::spawn(supervisor.clone().keep("worker", move || {
        let of = of.clone();
        async move {
            of.fetch_add(1, Ordering::SeqCst);
        }
    }));
    sleep(ms(10 * 60_000)).await;
    let times = begun.load(Ordering::SeqCst);
    assert!((10..=16).contains(&times), "started {times} times in ten minutes");
    assert!(readiness.failing()["task worker"].ends_with("it ended"));
    supervisor.stop();
    keeper.await.unwrap();
}

const EVERY: Duration = Duration::from_mins(1);
const LONGEST: Duration = Duration::from_secs(10);

fn duty(name: &'static str) -> Duty<Counted> {
    let run = |counted: Counted| -> berth_model::boxed::BoxFuture<'static, Result<(), String>> {
        Box::pin(async move {
            counted.begun.fetch_add(1, Ordering::SeqCst);
            assert!(!counted.ill.load(Ordering::SeqCst), "a defect");
            if counted.hangs.load(Ordering::SeqCst) {
                std::future::pending::<()>().await;
            }
            Ok(())
        })
    };
    Duty { name, every: EVERY, longest: LONGEST, run }
}

#[tokio::test(start_paused = true)]
async fn a_duty_that_panics_or_hangs_stops_no_other_and_is_done_again() {
    let (supervisor, readiness) = supervisor();
    let (panics, hangs, well) = (Counted::default(), Counted::default(), Counted::default());
    panics.ill.store(true, Ordering::SeqCst);
    hangs.hangs.store(true, Ordering::SeqCst);
    let keepers: Vec<_> = [("panics", &panics), ("hangs", &hangs), ("well", &well)]
        .map(|(name, counted)| {
            let (supervisor, counted) = (supervisor.clone(), counted.clone());
            tokio::spawn(async move { supervisor.repeat(&duty(name), counted).await })
        })
        .into();
    sleep(EVERY * 2 + LONGEST * 2).await;
    assert!(readiness.failing().len() < 2, "not yet: {:?}", readiness.failing());
    sleep(EVERY * 2).await;
    assert_eq!(readiness.failing().keys().collect::<Vec<_>>(), ["duty hangs", "duty panics"]);
    assert!(readiness.failing()["duty hangs"].ends_with("it took too long"));
    assert!(readiness.failing()["duty panics"].ends_with("it panicked"));
    assert_eq!((well.begun(), panics.begun()), (5, 5));
    assert_eq!(hangs.begun(), 4, "given up after its time, and begun again at its next turn");

    panics.ill.store(false, Ordering::SeqCst);
    sleep(EVERY).await;
    assert_eq!(readiness.failing().keys().collect::<Vec<_>>(), ["duty hangs"]);
    hangs.hangs.store(false, Ordering::SeqCst);
    sleep(EVERY + LONGEST).await;
    assert!(readiness.failing().is_empty(), "{:?}", readiness.failing());
    supervisor.stop();
    for keeper in keepers {
        keeper.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_duty_that_does_not_let_go_of_its_thread_is_not_begun_twice() {
    let (supervisor, readiness) = supervisor();
    let counted = Counted::default();
    counted.hangs.store(true, Ordering::SeqCst);
    let run = |counted: Counted| -> berth_model::boxed::BoxFuture<'static, Result<(), String>> {
        Box::pin(async move {
            counted.begun.fetch_add(1, Ordering::SeqCst);
            // A loop that never waits cannot be ended from outside.
            while counted.hangs.load(Ordering::SeqCst) {
                std::thread::yield_now();
            }
            Ok(())
        })
    };
    let duty = Duty { name: "spins", every: ms(1), longest: ms(1), run };
    let (of, keeper) = (counted.clone(), supervisor.clone());
    let keeper = tokio::spawn(async move { keeper.repeat(&duty, of).await });
    while !readiness.failing().get("duty spins").is_some_and(|why| why.ends_with("it hangs")) {
        tokio::task::yield_now().await;
    }
    assert_eq!(counted.begun(), 1);
    counted.hangs.store(false, Ordering::SeqCst);
    while !readiness.failing().is_empty() {
        tokio::task::yield_now().await;
    }
    assert!(counted.begun() > 1);
    supervisor.stop();
    keeper.await.unwrap();
}
