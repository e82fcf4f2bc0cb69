//! What goes on behind the requests: tasks that are started again when they end, and duties that are done again and again. None of them
//! can take another one with it, and none is gone without a word.

mod duties;
pub(crate) mod supervisor;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use berth_model::jobs::kind::JobQueue;
use tokio::task::JoinSet;

use self::duties::{DUTIES, DutyContext};
use crate::{App, wiring::Wired, zones::ZoneKeeper};

/// Work in the background until told to stop; then finish what is under way.
pub(crate) async fn run(wired: Wired, app: App, zones: ZoneKeeper, plugin_dir: Option<PathBuf>) {
    let supervisor = wired.supervisor.clone();
    let context = DutyContext::new(wired.clone(), app, zones, plugin_dir);
    let mut tasks = JoinSet::new();
    for queue in JobQueue::ALL {
        let name = match queue {
            JobQueue::Bookings => "jobs-bookings",
            JobQueue::Outbound => "jobs-outbound",
            JobQueue::Upkeep => "jobs-upkeep",
        };
        let (engine, stop) = (wired.engine.clone(), supervisor.stopping());
        tasks.spawn(supervisor.clone().keep(name, move || {
            let (engine, stop) = (engine.clone(), stop.clone());
            async move { engine.jobs.work(queue, stop).await }
        }));
    }
    let (engine, stop) = (wired.engine.clone(), supervisor.stopping());
    tasks.spawn(supervisor.clone().keep("events", move || {
        let (engine, stop) = (engine.clone(), stop.clone());
        async move { engine.events.keep_placing_events(stop).await }
    }));
    for duty in &DUTIES {
        let (keeper, context) = (supervisor.clone(), context.clone());
        tasks.spawn(supervisor.clone().keep(duty.name, move || {
            let (keeper, context) = (keeper.clone(), context.clone());
            async move { keeper.repeat(duty, context).await }
        }));
    }
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "a keeper of background work is gone");
        }
    }
    if let Err(error) = wired.engine.store().replica_leaves(wired.replica).await {
        tracing::warn!(%error, "the other replicas were not told that this one ends");
    }
}
