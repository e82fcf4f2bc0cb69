//! Opening conflicts: both versions are kept, and what has one obvious end ends by itself where the rules allow it.

use berth_model::{
    booking::Booking,
    connection::ConnectionRecord,
    provider::{ExternalBooking, Later},
    sync::{Conflict, ConflictKind, Resolution, SourceOfTruth, SyncRules},
};
use berth_store::{StoreError, records::Audit};
use serde_json::{Value, json};

use crate::Engine;

impl Engine {
    /// Open a conflict. True if it ended by itself.
    ///
    /// Boxed, since its end may drive the booking again, which may find another conflict.
    pub(crate) fn conflict<'a>(
        &'a self,
        connection: &'a ConnectionRecord,
        kind: ConflictKind,
        ours: Option<&'a Booking>,
        theirs: Option<&'a ExternalBooking>,
    ) -> Later<'a, Result<bool, StoreError>> {
        Box::pin(self.open_and_end(connection, kind, ours, theirs))
    }

    async fn open_and_end(
        &self,
        connection: &ConnectionRecord,
        kind: ConflictKind,
        ours: Option<&Booking>,
        theirs: Option<&ExternalBooking>,
    ) -> Result<bool, StoreError> {
        let conflict = self.new_conflict(connection, kind, ours, theirs);
        let actor = format!("provider:{}", connection.plugin);
        let (id, is_new) =
            self.store().open_conflict(conflict.clone(), self.audit_by(&actor, "sync")).await?;
        metrics::counter!("berth_sync_conflicts_total", "kind" => kind.as_str()).increment(u64::from(is_new));
        let rules = self.store().sync_state(connection.tenant, connection.id).await?.rules;
        if is_new
            && rules.notify
            && let Some(booking) = ours
        {
            self.note_in_timeline(booking, kind, theirs, self.audit_by(&actor, "sync")).await?;
        }
        let own_twin = ours.is_some_and(|b| b.external_id.is_some() && b.external_id == conflict.external_id);
        let Some(resolution) = obvious(kind, own_twin, &rules) else { return Ok(false) };
        let conflict = Conflict { id, ..conflict };
        match self.carry_out(&conflict, resolution, "system", "sync").await {
            Ok(()) => {
                let audit = self.audit_by("system", "sync");
                self.store().resolve_conflict(connection.tenant, id, resolution, false, audit).await?;
                Ok(true)
            }
            // A person has to look at it then.
            Err(problem) => {
                tracing::info!(conflict = %id, %problem, "a conflict did not end by itself");
                Ok(false)
            }
        }
    }

    async fn note_in_timeline(
        &self,
        booking: &Booking,
        kind: ConflictKind,
        theirs: Option<&ExternalBooking>,
        audit: Audit,
    ) -> Result<(), StoreError> {
        let data = json!({
            "kind": kind, "here": booking.when, "at_provider": theirs.map(|t| t.when), "external_id": theirs.map(|t| &t.id),
        });
        self.store().note_on_booking(booking.tenant, booking.id, "booking.conflict", data, audit).await
    }

    /// Both sides were changed before either knew of the other. Ours is on its way to the provider already, so that it counts; the
    /// provider's version is kept, and somebody may choose it afterwards.
    pub(crate) async fn both_changed(
        &self,
        connection: &ConnectionRecord,
        ours: &Booking,
        theirs: &ExternalBooking,
    ) -> Result<(), StoreError> {
        let conflict = self.new_conflict(connection, ConflictKind::BothChanged, Some(ours), Some(theirs));
        let actor = format!("provider:{}", connection.plugin);
        let (id, is_new) = self.store().open_conflict(conflict, self.audit_by(&actor, "sync")).await?;
        if is_new {
            self.note_in_timeline(
                ours,
                ConflictKind::BothChanged,
                Some(theirs),
                self.audit_by(&actor, "sync"),
            )
            .await?;
        }
        let audit = self.audit_by("system", "sync");
        self.store().resolve_conflict(connection.tenant, id, Resolution::Ours, false, audit).await
    }

    fn new_conflict(
        &self,
        connection: &ConnectionRecord,
        kind: ConflictKind,
        ours: Option<&Booking>,
        theirs: Option<&ExternalBooking>,
    ) -> Conflict {
        Conflict {
            id: self.new_id(),
            tenant: connection.tenant,
            connection: connection.id,
            booking: ours.map(|b| b.id),
            external_id: theirs.map(|t| t.id.clone()),
            kind,
            ours: ours.map_or(
                Value::Null,
                |b| json!({ "when": b.when, "status": b.status.as_str(), "external_id": b.external_id }),
            ),
            theirs: json!(theirs),
            resolved: false,
            resolution: None,
            resolved_by: None,
            detected_at: self.now(),
            resolved_at: None,
        }
    }

    /// A booking and its twin agree: what was open about them is over.
    pub(crate) async fn agreed(&self, booking: &Booking) -> Result<(), StoreError> {
        let Some(connection) = booking.connection else { return Ok(()) };
        if self.store().open_conflicts(booking.tenant, connection).await? == 0 {
            return Ok(());
        }
        for kind in [ConflictKind::TimeOverlap, ConflictKind::Capacity, ConflictKind::BothChanged] {
            let key = format!("{connection}:{}:{}", kind.as_str(), booking.id);
            self.store().conflict_settled(booking.tenant, key, self.now()).await?;
        }
        Ok(())
    }
}

/// The end of a conflict that needs no person; none if it does.
fn obvious(kind: ConflictKind, own_twin: bool, rules: &SyncRules) -> Option<Resolution> {
    let word = match rules.source_of_truth {
        SourceOfTruth::Provider => Resolution::Theirs,
        SourceOfTruth::Berth => Resolution::Ours,
    };
    if !rules.auto_resolve {
        return None;
    }
    match (kind, word) {
        // Nobody is in anybody's way, only later than wished.
        (ConflictKind::Buffer, _) => Some(Resolution::Ignored),
        (ConflictKind::BothChanged | ConflictKind::VanishedThere, word) => Some(word),
        // Ours can be brought back; theirs does not fit here.
        (ConflictKind::TimeOverlap | ConflictKind::Capacity, Resolution::Ours) if own_twin => {
            Some(Resolution::Ours)
        }
        (ConflictKind::VanishedHere, Resolution::Ours) => Some(Resolution::Ours),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_obvious_ends_by_itself() {
        let provider = SyncRules::default();
        let berth = SyncRules { source_of_truth: SourceOfTruth::Berth, ..SyncRules::default() };
        let by_hand = SyncRules { auto_resolve: false, ..SyncRules::default() };
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
        assert_eq!(obvious(ConflictKind::Buffer, false, &provider), Some(Resolution::Ignored));
        assert_eq!(obvious(ConflictKind::UnknownService, false, &berth), None);
    }
}
