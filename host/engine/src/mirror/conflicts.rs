//! Opening conflicts: both versions are kept, and what has one obvious end ends by itself where the rules allow it.

use std::sync::Arc;

use berth_model::{
    bookings::booking::Booking,
    connections::connection::ConnectionRecord,
    id::ConflictId,
    jobs::kind::{JobKind, JobQueue},
    limits,
    mirror::sync::{Conflict, ConflictKind, Done, Resolution, SourceOfTruth, SyncRules},
    outbound::provider::ExternalBooking,
    time::Instant,
};
use berth_store::{
    StoreError,
    records::{NewJob, Opened},
};
use serde_json::{Value, json};

use crate::{base::Base, jobs::queue::Queue};

/// What the provider's version of a conflict is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Theirs {
    /// Our booking's own counterpart.
    Counterpart,
    /// Another booking: both stand.
    Another,
}

/// Conflicts as they are opened and closed. What ends one is decided above (`resolve.rs`, `endings.rs`).
pub(crate) struct Conflicts {
    pub(crate) base: Base,
    pub(crate) queue: Arc<Queue>,
}

impl Conflicts {
    /// Open a conflict. True if it ends by itself: then there is a job that sees to it.
    ///
    /// The end is never carried out here: it may drive the booking again, which may find another conflict, and how often that goes on is
    /// for the provider to say. As jobs, ends wait their turn, and are counted.
    pub(crate) async fn conflict(
        &self,
        connection: &ConnectionRecord,
        kind: ConflictKind,
        ours: Option<&Booking>,
        theirs: Option<&ExternalBooking>,
        whose: Theirs,
    ) -> Result<bool, StoreError> {
        let conflict = self.new_conflict(connection, kind, ours, theirs, whose);
        let rules = self.base.store().sync_state(connection.tenant, connection.id).await?.rules;
        let rules = rules.at(conflict.start(), self.base.now());
        let end = obvious(&conflict, &rules);
        let job = end.filter(|end| *end != Resolution::Ignored).map(|_| self.end_job(&conflict));
        let is_job = job.is_some();
        let noted = ours.filter(|_| rules.notify);
        let id = match self.open_conflict(connection, conflict, noted, job).await? {
            Opened::New(id) | Opened::Again(id) => id,
            Opened::Ignored => return Ok(false),
        };
        if is_job {
            self.queue.wake_workers(JobQueue::Bookings);
        } else if let Some(ignored) = end {
            self.resolved(connection, id, ignored).await?;
        }
        Ok(end.is_some())
    }

    /// Open a conflict, counted if it is new, and noted in the timeline of the booking. `end` is the job that ends it.
    pub(crate) async fn open_conflict(
        &self,
        connection: &ConnectionRecord,
        conflict: Conflict,
        noted: Option<&Booking>,
        end: Option<NewJob>,
    ) -> Result<Opened, StoreError> {
        let audit = || self.base.audit_by(&format!("provider:{}", connection.plugin), "sync");
        let kind = conflict.kind;
        let data = noted.map(|booking| {
            json!({
                "kind": kind, "here": booking.when, "at_provider": conflict.theirs.get("when"), "external_id": conflict.external_id,
            })
        });
        let opened = self.base.store().open_conflict(conflict, end, audit()).await?;
        if matches!(opened, Opened::New(_)) {
            metrics::counter!("berth_sync_conflicts_total", "kind" => kind.as_str()).increment(1);
            if let (Some(booking), Some(data)) = (noted, data) {
                self.base
                    .store()
                    .note_on_booking(booking.tenant, booking.id, "booking.conflict", data, audit())
                    .await?;
            }
        }
        Ok(opened)
    }

    /// Both sides were changed before either knew of the other. Ours is on its way to the provider already, so that it counts; the
    /// provider's version is kept, and somebody may choose it afterwards.
    pub(crate) async fn both_changed(
        &self,
        connection: &ConnectionRecord,
        ours: &Booking,
        theirs: &ExternalBooking,
    ) -> Result<(), StoreError> {
        match self.open_for_a_person(connection, ConflictKind::BothChanged, ours, theirs).await? {
            Some(id) => self.resolved(connection, id, Resolution::Ours).await,
            None => Ok(()),
        }
    }

    /// Open a conflict about a booking and its counterpart that does not end by itself. None if it was ignored as it is.
    pub(crate) async fn open_for_a_person(
        &self,
        connection: &ConnectionRecord,
        kind: ConflictKind,
        ours: &Booking,
        theirs: &ExternalBooking,
    ) -> Result<Option<ConflictId>, StoreError> {
        let conflict = self.new_conflict(connection, kind, Some(ours), Some(theirs), Theirs::Counterpart);
        match self.open_conflict(connection, conflict, Some(ours), None).await? {
            Opened::New(id) | Opened::Again(id) => Ok(Some(id)),
            Opened::Ignored => Ok(None),
        }
    }

    /// Nothing has to be done for this end.
    async fn resolved(
        &self,
        connection: &ConnectionRecord,
        id: ConflictId,
        resolution: Resolution,
    ) -> Result<(), StoreError> {
        let conflict = self.base.store().conflict(connection.tenant, id).await?;
        let audit = self.base.audit_by("system", "sync");
        match self.base.store().resolve_conflict(conflict, resolution, false, audit).await {
            // Somebody found it again in this moment, and ends it.
            Err(StoreError::WrongState) => Ok(()),
            other => other,
        }
    }

    fn new_conflict(
        &self,
        connection: &ConnectionRecord,
        kind: ConflictKind,
        ours: Option<&Booking>,
        theirs: Option<&ExternalBooking>,
        whose: Theirs,
    ) -> Conflict {
        Conflict {
            id: self.base.new_id(),
            tenant: connection.tenant,
            connection: connection.id,
            booking: ours.map(|b| b.id),
            external_id: theirs.map(|t| t.id.clone()),
            own_counterpart: whose == Theirs::Counterpart,
            kind,
            ours: ours.map_or(
                Value::Null,
                |b| json!({ "when": b.when, "status": b.status.as_str(), "external_id": b.external_id }),
            ),
            theirs: json!(theirs),
            resolved: false,
            resolution: None,
            resolved_by: None,
            detected_at: self.base.now(),
            resolved_at: None,
            findings: 1,
        }
    }

    /// A booking and its counterpart agree: what was open about the two is over. If it has `moved` for that, it is out of others' way as well.
    pub(crate) async fn agreed(&self, booking: &Booking, moved: bool) -> Result<(), StoreError> {
        let Some(connection) = booking.connection else { return Ok(()) };
        if self.base.store().open_conflicts(booking.tenant, connection).await? == 0 {
            return Ok(());
        }
        self.base.store().booking_agrees(booking.tenant, connection, booking.id, self.base.now(), moved).await
    }

    /// The job that ends a conflict; the store fills in which.
    pub(super) fn end_job(&self, conflict: &Conflict) -> NewJob {
        self.queue.job(conflict.tenant, JobKind::ResolveConflict, Value::Null, String::new())
    }

    /// Until when whoever ends a conflict has it alone.
    pub(super) fn end_lease(&self) -> Instant {
        self.base.now().plus_millis(i64::try_from(limits::JOB_LEASE_MS).unwrap_or(i64::MAX))
    }

    /// Where ours is where theirs is, nothing else that was open about the two is left.
    pub(super) async fn others_are_over(&self, conflict: &Conflict, done: Done) -> Result<(), StoreError> {
        match conflict.booking {
            Some(id) if matches!(done, Done::MovedHere | Done::Moved) => {
                let booking = self.base.store().booking(conflict.tenant, id).await?;
                self.agreed(&booking, true).await
            }
            _ => Ok(()),
        }
    }
}

/// The end of a conflict that needs no person; none if it does.
pub(super) fn obvious(conflict: &Conflict, rules: &SyncRules) -> Option<Resolution> {
    let word = match (rules.mode.follows_changes(), rules.source_of_truth) {
        // What is not followed does not count.
        (false, _) | (true, SourceOfTruth::Berth) => Resolution::Ours,
        (true, SourceOfTruth::Provider) => Resolution::Theirs,
    };
    if !rules.auto_resolve {
        return None;
    }
    match (conflict.kind, word) {
        // Nobody is in anybody's way, only later than wished.
        (ConflictKind::Buffer, _) => Some(Resolution::Ignored),
        (ConflictKind::BothChanged | ConflictKind::VanishedThere, word) => Some(word),
        // Ours can be brought back; theirs does not fit here. Another booking is nobody's to cancel but a person's.
        (ConflictKind::TimeOverlap | ConflictKind::Capacity, Resolution::Ours)
            if conflict.own_counterpart =>
        {
            Some(Resolution::Ours)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use berth_model::mirror::sync::SyncMode;

    use super::*;

    fn conflict(kind: ConflictKind, own_counterpart: bool) -> Conflict {
        let id = berth_model::id::Id::from_uuid(uuid::Uuid::nil());
        Conflict {
            id,
            tenant: berth_model::id::Id::from_uuid(uuid::Uuid::nil()),
            connection: berth_model::id::Id::from_uuid(uuid::Uuid::nil()),
            booking: None,
            external_id: Some("x1".to_owned()),
            own_counterpart,
            kind,
            ours: Value::Null,
            theirs: Value::Null,
            resolved: false,
            resolution: None,
            resolved_by: None,
            detected_at: berth_model::time::Instant::from_seconds(0),
            resolved_at: None,
            findings: 1,
        }
    }

    #[test]
    fn only_what_is_obvious_ends_by_itself() {
        let provider = SyncRules::default();
        let berth = SyncRules { source_of_truth: SourceOfTruth::Berth, ..SyncRules::default() };
        let export = SyncRules { mode: SyncMode::Export, ..SyncRules::default() };
        let by_hand = SyncRules { auto_resolve: false, ..SyncRules::default() };
        let obvious = |kind, own_counterpart, rules| obvious(&conflict(kind, own_counterpart), rules);
        for kind in ConflictKind::ALL {
            assert_eq!(obvious(kind, true, &by_hand), None, "{kind:?}");
        }
        assert_eq!(obvious(ConflictKind::TimeOverlap, true, &provider), None);
        assert_eq!(obvious(ConflictKind::TimeOverlap, true, &berth), Some(Resolution::Ours));
        assert_eq!(
            obvious(ConflictKind::TimeOverlap, false, &berth),
            None,
            "nobody's booking is cancelled without a person"
        );
        assert_eq!(obvious(ConflictKind::VanishedThere, true, &provider), Some(Resolution::Theirs));
        for kind in [ConflictKind::BothChanged, ConflictKind::VanishedThere, ConflictKind::TimeOverlap] {
            assert_eq!(obvious(kind, true, &export), Some(Resolution::Ours), "ours counts: {kind:?}");
        }
        assert_eq!(obvious(ConflictKind::TimeOverlap, false, &export), None);
        assert_eq!(obvious(ConflictKind::Buffer, false, &provider), Some(Resolution::Ignored));
        assert_eq!(obvious(ConflictKind::UnknownService, false, &berth), None);
        assert_eq!(obvious(ConflictKind::VanishedHere, false, &berth), None, "a reference proves nothing");
    }
}
