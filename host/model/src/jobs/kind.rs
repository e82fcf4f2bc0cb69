//! Kinds of jobs, and the queue of each: what hangs in one queue never delays another, since each has workers of its own.

use crate::limits;

/// Where a job waits for a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum JobQueue {
    /// What changes bookings: people wait for it.
    Bookings,
    /// What waits for another party while no booking waits for it.
    Outbound,
    /// Work on the database alone: it never waits for another party.
    Upkeep,
}

impl JobQueue {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Bookings, Self::Outbound, Self::Upkeep];

    /// The name in the database and in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bookings => "bookings",
            Self::Outbound => "outbound",
            Self::Upkeep => "upkeep",
        }
    }

    /// Jobs of it that one process works on at the same time.
    #[must_use]
    pub const fn workers(self) -> usize {
        match self {
            Self::Bookings => limits::JOB_BOOKINGS_WORKERS,
            Self::Outbound => limits::JOB_OUTBOUND_WORKERS,
            Self::Upkeep => limits::JOB_UPKEEP_WORKERS,
        }
    }
}

/// What a job is for. A new kind is a variant, a line in [`JobKind::ALL`], one in `row`, and one where jobs are worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum JobKind {
    /// Drive a booking's counterpart at its provider to where the booking says that it should be.
    SyncBooking,
    /// Work on the messages of a connection that wait.
    ProcessWebhooks,
    /// End a conflict as its connection's rules say.
    ResolveConflict,
    /// Go on with the same change of many bookings.
    ChangeInBulk,
    /// Close times in a member's calendar at a provider.
    WriteBlocks,
    /// Write a booking into its members' calendars.
    WriteCalendars,
    /// Read what changed at a provider.
    SyncConnection,
    /// Look at a member's calendar for what appeared over bookings.
    LookAtCalendar,
}

impl JobKind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::SyncBooking,
        Self::ProcessWebhooks,
        Self::ResolveConflict,
        Self::ChangeInBulk,
        Self::WriteBlocks,
        Self::WriteCalendars,
        Self::SyncConnection,
        Self::LookAtCalendar,
    ];

    /// Name, queue, and the order within the queue: smaller goes first.
    const fn row(self) -> (&'static str, JobQueue, i64) {
        match self {
            Self::SyncBooking => ("sync_booking", JobQueue::Bookings, 10),
            Self::ProcessWebhooks => ("process_webhooks", JobQueue::Bookings, 20),
            // After the messages that may tell of it.
            Self::ResolveConflict => ("resolve_conflict", JobQueue::Bookings, 30),
            // Behind what single bookings wait for.
            Self::ChangeInBulk => ("change_in_bulk", JobQueue::Bookings, 40),
            // Before entries: somebody may book the time there.
            Self::WriteBlocks => ("write_blocks", JobQueue::Outbound, 20),
            Self::WriteCalendars => ("write_calendars", JobQueue::Outbound, 30),
            Self::SyncConnection => ("sync_connection", JobQueue::Outbound, 50),
            Self::LookAtCalendar => ("look_at_calendar", JobQueue::Outbound, 60),
        }
    }

    /// The name in the database and in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.row().0
    }

    /// Where jobs of this kind wait.
    #[must_use]
    pub const fn queue(self) -> JobQueue {
        self.row().1
    }

    /// Their order within the queue: smaller goes first.
    #[must_use]
    pub const fn priority(self) -> i64 {
        self.row().2
    }

    /// The kind of this name. None for one of a later or an earlier program.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_a_name_of_its_own() {
        for kind in JobKind::ALL {
            assert_eq!(JobKind::named(kind.as_str()), Some(kind));
        }
        assert_eq!(JobKind::named("sync"), None);
    }

    /// What is worked on while a person waits is not behind what waits for others.
    #[test]
    fn what_changes_bookings_has_a_queue_of_its_own() {
        let bookings: Vec<_> = JobKind::ALL.into_iter().filter(|k| k.queue() == JobQueue::Bookings).collect();
        assert_eq!(
            bookings,
            [JobKind::SyncBooking, JobKind::ProcessWebhooks, JobKind::ResolveConflict, JobKind::ChangeInBulk]
        );
    }
}
