//! Values of the rules of synchronisation, for `drift.rs`.

use berth_model::id::MemberId;
use berth_model::mirror::rules::{
    BufferTimes, RuleActions, RuleConditions, SourceOfTruth, SyncMode, SyncRule, SyncRules,
};
use uuid::Uuid;

pub(super) fn sync_rules() -> SyncRules {
    SyncRules {
        mode: SyncMode::Import,
        source_of_truth: SourceOfTruth::Berth,
        auto_resolve: false,
        notify: false,
        buffer_minutes: 5,
        max_advance_days: 30,
        member: Some(MemberId::from_uuid(Uuid::from_u128(7))),
        sync_availability: false,
        rules: Some(vec![sync_rule()]),
    }
}

pub(super) fn sync_rule() -> SyncRule {
    SyncRule {
        id: "near".into(),
        name: "Soon".into(),
        source_system: "both".into(),
        priority: 5,
        conditions: RuleConditions {
            buffer_times: BufferTimes { before: 15, after: 10 },
            max_advance_booking: Some(90),
        },
        actions: RuleActions { sync_availability: false, auto_resolve_conflicts: false, notify_admin: false },
        active: false,
    }
}
