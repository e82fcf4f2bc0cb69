//! What is done again and again, one line each.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use berth_model::{limits, problem::Problem};
use tokio::sync::Mutex;

use super::supervisor::Duty;
use crate::{App, cli::watch, wiring::Wired, zones::ZoneKeeper};

/// How many times as rarely a process says that it is there: that is a write, and an idle process should make few.
const SEEN_EVERY: u32 = 5;

/// How often the database is asked what other replicas did.
const SOON: Duration = Duration::from_secs(2);
/// How often measurements are added up.
const UPKEEP: Duration = Duration::from_secs(5);
/// How often the rest is done.
const MINUTE: Duration = Duration::from_mins(1);
/// How often time-zone data is looked at.
const ZONES: Duration = Duration::from_millis(limits::ZONE_LOOK_MS);
/// How often compiled components are looked through that nothing needs any more.
const HOUR: Duration = Duration::from_hours(1);
/// How long a duty may take that asks the database alone: longer than its own limits let anything take.
const SHORT: Duration = Duration::from_mins(2);
/// Looks at a database that does not work, before a duty is left for its next turn: some time less than a short duty may take.
const TROUBLE_LOOKS_MAX: u64 = 90 * 1_000 / limits::DATABASE_PROBE_EVERY_MS;
/// How long one may take that asks providers, or compiles.
const LONG: Duration = Duration::from_mins(15);

pub(super) const DUTIES: [Duty<DutyContext>; 18] = [
    Duty { name: "replicas", every: SOON, longest: SHORT, run: |on| Box::pin(once_it_works(replicas, on)) },
    Duty { name: "plugins", every: SOON, longest: LONG, run: |on| Box::pin(once_it_works(plugins, on)) },
    Duty {
        name: "plugin-folder",
        every: SOON,
        longest: LONG,
        run: |on| Box::pin(once_it_works(plugin_folder, on)),
    },
    Duty { name: "measurements", every: UPKEEP, longest: SHORT, run: |on| Box::pin(measurements(on)) },
    Duty { name: "time-zones", every: ZONES, longest: SHORT, run: |on| Box::pin(time_zones(on)) },
    Duty { name: "forget", every: MINUTE, longest: SHORT, run: |on| Box::pin(once_it_works(forget, on)) },
    Duty { name: "complete", every: MINUTE, longest: LONG, run: |on| Box::pin(once_it_works(complete, on)) },
    Duty { name: "closed", every: SOON, longest: LONG, run: |on| Box::pin(once_it_works(closed, on)) },
    Duty { name: "refusals", every: MINUTE, longest: SHORT, run: |on| Box::pin(once_it_works(refusals, on)) },
    Duty {
        name: "calendars",
        every: MINUTE,
        longest: SHORT,
        run: |on| Box::pin(once_it_works(calendars, on)),
    },
    Duty { name: "blocks", every: MINUTE, longest: SHORT, run: |on| Box::pin(once_it_works(blocks, on)) },
    Duty { name: "looks", every: MINUTE, longest: SHORT, run: |on| Box::pin(once_it_works(looks, on)) },
    Duty { name: "clocks", every: MINUTE, longest: LONG, run: |on| Box::pin(once_it_works(clocks, on)) },
    Duty {
        name: "customers",
        every: MINUTE,
        longest: LONG,
        run: |on| Box::pin(once_it_works(customers, on)),
    },
    Duty { name: "search", every: MINUTE, longest: LONG, run: |on| Box::pin(once_it_works(search, on)) },
    Duty { name: "syncs", every: MINUTE, longest: SHORT, run: |on| Box::pin(once_it_works(syncs, on)) },
    Duty {
        name: "subscriptions",
        every: MINUTE,
        longest: LONG,
        run: |on| Box::pin(once_it_works(subscriptions, on)),
    },
    Duty { name: "compiled", every: HOUR, longest: SHORT, run: |on| Box::pin(once_it_works(compiled, on)) },
];

/// What duties work with. Cheap to clone.
#[derive(Clone)]
pub(super) struct DutyContext(Arc<Inner>);

struct Inner {
    wired: Wired,
    app: App,
    zones: ZoneKeeper,
    plugin_dir: Option<PathBuf>,
    /// Files of the plugin folder.
    seen: Mutex<watch::Seen>,
    /// Times that the other replicas were counted.
    counted: AtomicU32,
}

impl DutyContext {
    pub(super) fn new(wired: Wired, app: App, zones: ZoneKeeper, plugin_dir: Option<PathBuf>) -> Self {
        let (seen, counted) = (Mutex::default(), AtomicU32::new(0));
        Self(Arc::new(Inner { wired, app, zones, plugin_dir, seen, counted }))
    }
}

type Done = Result<(), String>;

/// While the database is away or full nothing can be done that would not fail of it, which is told elsewhere; once it works again, this is
/// the first thing that is done.
async fn once_it_works<R: Future<Output = Done>>(duty: fn(DutyContext) -> R, on: DutyContext) -> Done {
    let stopping = on.0.wired.supervisor.stopping();
    for _ in 0..TROUBLE_LOOKS_MAX {
        if on.0.wired.engine.store().trouble().is_none() || *stopping.borrow() {
            return duty(on).await;
        }
        tokio::time::sleep(Duration::from_millis(limits::DATABASE_PROBE_EVERY_MS)).await;
    }
    Err("the database does not work".to_owned())
}

fn said(problem: &Problem) -> String {
    problem.to_string()
}

/// Say that this process is there, and share the rates of providers with the others.
async fn replicas(DutyContext(on): DutyContext) -> Done {
    let (store, now) = (on.wired.engine.store(), on.wired.engine.now());
    let counted = if on.counted.fetch_add(1, Ordering::Relaxed).is_multiple_of(SEEN_EVERY) {
        store.replica_seen(on.wired.replica, now).await
    } else {
        store.replicas_there(now).await
    };
    on.wired.gate.share_rates_with(counted.map_err(|error| error.to_string())?);
    Ok(())
}

/// Load what was activated, here or by another replica.
async fn plugins(DutyContext(on): DutyContext) -> Done {
    for (version, problem) in on.wired.engine.plugins.load_active_plugins().await.map_err(|p| said(&p))? {
        tracing::error!(plugin = %version.plugin, %problem, "an active plugin was not loaded");
    }
    Ok(())
}

async fn plugin_folder(DutyContext(on): DutyContext) -> Done {
    if let Some(dir) = &on.plugin_dir {
        watch::install_new(&on.wired.engine, dir, &mut *on.seen.lock().await).await;
    }
    Ok(())
}

fn measurements(DutyContext(on): DutyContext) -> std::future::Ready<Done> {
    on.app.upkeep();
    std::future::ready(Ok(()))
}

/// Use the newest time-zone data there is.
async fn time_zones(DutyContext(on): DutyContext) -> Done {
    let kept = tokio::task::spawn_blocking(move || on.zones.keep(false, &on.wired.readiness)).await;
    kept.map_err(|error| error.to_string())
}

/// Rows that are older than they are kept.
async fn forget(DutyContext(on): DutyContext) -> Done {
    on.wired.engine.store().prune(on.wired.engine.now()).await.map(drop).map_err(|error| error.to_string())
}

/// Complete what ended and decline what nobody confirmed, as much of it as there is.
async fn complete(DutyContext(on): DutyContext) -> Done {
    let engine = &on.wired.engine;
    // Ends: what was changed is not found again.
    loop {
        let ended = engine.bookings.complete_ended().await.map_err(|p| said(&p))?;
        let unanswered = engine.bookings.decline_unanswered().await.map_err(|p| said(&p))?;
        if ended.max(unanswered) < limits::COMPLETION_ROWS_MAX {
            return Ok(());
        }
    }
}

/// Remove what is left of what was closed.
async fn closed(DutyContext(on): DutyContext) -> Done {
    let cleared = on.wired.engine.connections.clear_disconnected().await;
    let removed = on.wired.engine.tenant_removal.remove_deleted_tenants().await.map(drop);
    cleared.and(removed).map_err(|p| said(&p))
}

/// Bookings of before they could be searched.
async fn search(DutyContext(on): DutyContext) -> Done {
    let ours = on.wired.engine.bookings.fill_booking_words().await;
    let theirs = on.wired.engine.mirror.fill_external_words().await;
    ours.and(theirs).map_err(|p| said(&p))
}

/// Bookings of before there were customers.
async fn customers(DutyContext(on): DutyContext) -> Done {
    on.wired.engine.customers.fill_customers().await.map(drop).map_err(|p| said(&p))
}

async fn refusals(DutyContext(on): DutyContext) -> Done {
    on.wired.engine.inbound.write_refusals().await;
    Ok(())
}

async fn calendars(DutyContext(on): DutyContext) -> Done {
    on.wired.engine.calendar_writer.begin_calendar_writes().await.map(drop).map_err(|p| said(&p))
}

async fn blocks(DutyContext(on): DutyContext) -> Done {
    on.wired.engine.calendar_writer.begin_block_writes().await.map(drop).map_err(|p| said(&p))
}

/// Events that appeared over bookings in members' calendars.
async fn looks(DutyContext(on): DutyContext) -> Done {
    on.wired.engine.calendars.begin_calendar_looks().await.map(drop).map_err(|p| said(&p))
}

/// Bookings whose clocks show another time than was told, once other data of zones is in use.
async fn clocks(DutyContext(on): DutyContext) -> Done {
    if let Some(changed) = on.wired.engine.bookings.look_at_clocks().await.map_err(|p| said(&p))? {
        #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
        metrics::gauge!("berth_bookings_clock_changed").set(changed as f64);
    }
    Ok(())
}

async fn syncs(DutyContext(on): DutyContext) -> Done {
    on.wired.engine.mirror.begin_syncs().await.map(drop).map_err(|p| said(&p))
}

async fn subscriptions(DutyContext(on): DutyContext) -> Done {
    on.wired.engine.connections.keep_subscriptions().await.map(drop).map_err(|p| said(&p))
}

/// Remove compiled components of versions that are not installed any more.
async fn compiled(DutyContext(on): DutyContext) -> Done {
    let versions = on.wired.engine.plugins.list_plugins().await.map_err(|p| said(&p))?;
    let needed = versions.into_iter().map(|version| version.digest).collect();
    let runtime = Arc::clone(&on.wired.runtime);
    #[expect(
        clippy::disallowed_methods,
        reason = "compared with the age of files, which the machine's clock gave them"
    )]
    let now = std::time::SystemTime::now();
    let cleaned = tokio::task::spawn_blocking(move || runtime.clean_cache(&needed, now)).await;
    let removed = cleaned.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
    if removed > 0 {
        tracing::info!(removed, "compiled components that nothing needs were removed");
    }
    Ok(())
}
