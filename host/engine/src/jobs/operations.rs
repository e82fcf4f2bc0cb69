//! Work for providers that waits, is under way or was given up; and why a booking is still pending.

use std::collections::{BTreeMap, HashMap};

use berth_model::{
    bookings::booking::Booking,
    connections::connection::{ConnectionState, Stopped},
    id::{BookingId, ConnectionId, JobId},
    limits,
    problem::Problem,
    time::Instant,
};
use berth_store::{StoreError, records::Job};
use serde_json::Value;

use super::queue::id_of;
use crate::{Caller, Outcome, jobs::Jobs, outbound::dispatch::job_key};

/// How a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum JobState {
    /// It is tried when its time comes.
    Waiting,
    /// Somebody works on it.
    Running,
    /// It was given up, until a person takes it up again.
    DeadLetter,
}

impl JobState {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Running, Self::DeadLetter];
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::DeadLetter => "dead_letter",
        }
    }

    fn of(job: &Job, now: Instant) -> Self {
        match job.leased_until {
            _ if job.dead => Self::DeadLetter,
            Some(until) if until > now => Self::Running,
            _ => Self::Waiting,
        }
    }
}

/// How delivery of a booking to its provider stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderSyncState {
    /// As its job stands.
    Job(JobState),
    /// Its connection is paused: it goes on when that is resumed.
    Paused,
    /// Its connection is disconnected: the provider is not told of anything any more.
    NotDelivered,
}

impl ProviderSyncState {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Job(state) => state.as_str(),
            Self::Paused => "paused",
            Self::NotDelivered => "not_told",
        }
    }
}

/// Why both sides of a booking do not agree yet, or need not agree any more.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ProviderSync {
    pub state: ProviderSyncState,
    /// Tries so far, one that is under way included.
    pub tries: i64,
    /// Why the last try that ended did not succeed.
    pub last_error: Option<String>,
    /// None while a try is under way, and after the last one.
    pub next_try_at: Option<Instant>,
}

/// Work for one connection.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Operation {
    pub connection: ConnectionId,
    pub state: JobState,
    pub job: Job,
}

impl Jobs {
    /// How delivery of these bookings to their providers stands; nothing for those on which both sides agree. For people who look: where
    /// it cannot be read, the bookings are shown without it.
    pub async fn provider_sync(
        &self,
        caller: &Caller,
        bookings: &[Booking],
    ) -> BTreeMap<BookingId, ProviderSync> {
        let mut standing = self.job_standing(caller, bookings).await;
        if bookings.iter().all(|b| b.connection.is_none()) {
            return standing;
        }
        let stopped: BTreeMap<ConnectionId, ConnectionState> =
            match self.base.store().stopped_connections(caller.tenant).await {
                Ok(stopped) => stopped.into_iter().collect(),
                Err(error) => {
                    tracing::warn!(%error, "which connections are paused was not read");
                    return standing;
                }
            };
        for booking in bookings {
            let state = booking.connection.and_then(|connection| stopped.get(&connection));
            let Some(why) = state.and_then(|state| state.stopped()) else { continue };
            let (last_error, next_try_at) = (Some(why.to_string()), None);
            if why == Stopped::Disconnected {
                let over = ProviderSync {
                    state: ProviderSyncState::NotDelivered,
                    tries: 0,
                    last_error,
                    next_try_at,
                };
                standing.insert(booking.id, over);
            } else if let Some(sync) = standing.get_mut(&booking.id) {
                *sync = ProviderSync {
                    state: ProviderSyncState::Paused,
                    tries: sync.tries,
                    last_error,
                    next_try_at,
                };
            }
        }
        standing
    }

    /// The same by their jobs alone.
    async fn job_standing(&self, caller: &Caller, bookings: &[Booking]) -> BTreeMap<BookingId, ProviderSync> {
        let keys: HashMap<String, BookingId> =
            bookings.iter().filter(|b| b.provider_task.is_some()).map(|b| (job_key(b.id), b.id)).collect();
        if keys.is_empty() {
            return BTreeMap::new();
        }
        let mut jobs =
            match self.base.store().jobs_with_keys(caller.tenant, keys.keys().cloned().collect()).await {
                Ok(jobs) => jobs,
                Err(error) => {
                    tracing::warn!(%error, "how bookings stand at their providers was not read");
                    return BTreeMap::new();
                }
            };
        // One that is open counts more than those that were given up before it, and of those the last.
        jobs.sort_by_key(|job| (!job.dead, job.id));
        let now = self.base.now();
        let of = |job: Job| {
            let state = JobState::of(&job, now);
            let next_try_at = (state == JobState::Waiting).then(|| job.leased_until.unwrap_or(job.due_at));
            let (tries, last_error) = (job.attempt, job.last_error);
            let state = ProviderSyncState::Job(state);
            keys.get(&job.dedup_key).map(|id| (*id, ProviderSync { state, tries, last_error, next_try_at }))
        };
        jobs.into_iter().filter_map(of).collect()
    }

    /// Work for these connections before this job, the latest first, at most `limit`; only what stands so, if that is said. With it where to
    /// go on: work of others is passed over, and so much of it may be in between that a page is not full although more is to come.
    pub async fn operations(
        &self,
        caller: &Caller,
        connections: &[ConnectionId],
        only: Option<JobState>,
        mut before: Option<JobId>,
        limit: u32,
    ) -> Outcome<(Vec<Operation>, Option<JobId>)> {
        let (mut found, mut scanned, now) = (Vec::new(), 0_u32, self.base.now());
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        let page = limits::PAGE_ITEMS_MAX;
        while scanned < limits::OPERATIONS_SCANNED_MAX {
            let mut jobs = Vec::new();
            for dead in [false, true] {
                if only.is_none_or(|state| (state == JobState::DeadLetter) == dead) {
                    jobs.extend(self.base.store().list_jobs(caller.tenant, dead, before, page).await?);
                }
            }
            jobs.sort_by_key(|job| std::cmp::Reverse(job.id));
            jobs.truncate(usize::try_from(page).unwrap_or(usize::MAX));
            if jobs.is_empty() {
                return Ok((found, None));
            }
            for job in jobs {
                if found.len() == wanted {
                    return Ok((found, before));
                }
                scanned = scanned.saturating_add(1);
                before = Some(job.id);
                let state = JobState::of(&job, now);
                let connection = self.connection_of(caller, &job.payload).await?;
                if let Some(connection) = connection.filter(|c| connections.contains(c))
                    && only.is_none_or(|only| only == state)
                {
                    found.push(Operation { connection, state, job });
                }
            }
        }
        Ok((found, before))
    }

    /// Work for one of these connections that was given up.
    pub async fn dead_letter(
        &self,
        caller: &Caller,
        connections: &[ConnectionId],
        id: JobId,
    ) -> Outcome<Job> {
        let job = self.base.store().job(caller.tenant, id).await?;
        match self.connection_of(caller, &job.payload).await? {
            Some(connection) if job.dead && connections.contains(&connection) => Ok(job),
            _ => Err(Problem::not_found("job of this provider that was given up")),
        }
    }

    /// The connection that a job is for: it names one, or something that belongs to one.
    async fn connection_of(&self, caller: &Caller, payload: &Value) -> Outcome<Option<ConnectionId>> {
        let tenant = caller.tenant;
        let found = if let Some(connection) = id_of(payload, "connection") {
            Ok(Some(connection))
        } else if let Some(booking) = id_of(payload, "booking") {
            self.base.store().booking(tenant, booking).await.map(|booking| booking.connection)
        } else if let Some(conflict) = id_of(payload, "conflict") {
            self.base.store().conflict(tenant, conflict).await.map(|conflict| Some(conflict.connection))
        } else if let Some(calendar) = id_of(payload, "calendar") {
            self.base.store().calendar(tenant, calendar).await.map(|calendar| Some(calendar.connection))
        } else {
            Ok(None)
        };
        match found {
            Ok(connection) => Ok(connection),
            Err(StoreError::NotFound(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}
