//! What every feed of events must be, whatever happened.

use std::{
    collections::{BTreeMap, HashMap},
    sync::LazyLock,
};

use berth_model::{
    bookings::booking::Booking,
    events::{After, Cursor, Event, EventKind, example, schema},
    id::TenantId,
    limits,
};
use berth_store::Store;
use jsonschema::Validator;
use serde_json::{Value, json};

static SCHEMAS: LazyLock<HashMap<&str, (Value, Validator)>> = LazyLock::new(|| {
    let of = |kind: &EventKind| {
        let schema = schema(*kind);
        let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
        (kind.as_str(), (schema, validator))
    };
    EventKind::ALL.iter().map(of).collect()
});

/// Is it as its kind says, with no member that is not described?
pub fn is_described(event: &Value) {
    let (schema, validator) = &SCHEMAS[event["kind"].as_str().unwrap()];
    let wrong: Vec<String> = validator.iter_errors(event).map(|error| format!("{error}")).collect();
    assert!(wrong.is_empty(), "{event}: {wrong:?}");
    for (part, of) in [(schema, event), (&schema["properties"]["data"], &event["data"])] {
        for name in of.as_object().unwrap().keys() {
            assert!(!part["properties"][name].is_null(), "{name} is not described: {event}");
        }
    }
}

/// The example of each kind is as the kind says.
pub fn examples_are_described() {
    for kind in EventKind::ALL {
        is_described(&example(*kind));
    }
}

/// Place and read everything, from the beginning, in pages of an odd size. Each event is as its kind says, and there is no gap.
pub async fn whole_feed(store: &Store, tenant: TenantId) -> Vec<Event> {
    while store.place_events(tenant).await.unwrap().count > 0 {}
    let mut all: Vec<Event> = Vec::new();
    let mut cursor = Cursor::default();
    loop {
        let page = store.events(tenant, cursor, &[], 97).await.unwrap();
        cursor = Cursor { after: After::Position(page.next), epoch: Some(page.head.epoch) };
        let is_last = !page.has_more();
        all.extend(page.events);
        if is_last {
            break;
        }
    }
    assert!(all.iter().map(|event| event.position).eq(1..=i64::try_from(all.len()).unwrap()));
    for event in &all {
        is_described(&json!({
            "id": event.id, "position": event.position, "kind": event.kind, "subject_kind": event.subject_kind,
            "subject_id": event.subject, "sequence": event.sequence, "occurred_at": event.occurred_at,
            "actor": event.actor, "data": event.data,
        }));
    }
    all
}

/// Whoever knows nothing but the feed knows how every booking stands.
pub fn tell_how_they_stand(events: &[Event], bookings: &[Booking]) {
    let mut of = BTreeMap::<_, Vec<&Event>>::new();
    for event in events.iter().filter(|event| event.subject_kind == "booking") {
        of.entry(event.subject).or_default().push(event);
    }
    assert_eq!(of.len(), bookings.len(), "bookings that are told of, and that are there");
    for booking in bookings {
        let told = &of[&booking.id.uuid()];
        assert!(told.iter().map(|event| event.sequence).eq(0..=booking.sequence), "{}: {told:?}", booking.id);
        assert_eq!(told[0].kind, "booking.created");
        let last = &told[told.len() - 1].data;
        let known =
            json!([last["status"], last["start"], last["end"], last["member_id"], last["other_member_ids"]]);
        let there = json!([
            booking.status,
            booking.when.start(),
            booking.when.end(),
            booking.member,
            booking.other_members
        ]);
        assert_eq!(known, there, "{}: {told:?}", booking.id);
    }
}

/// How many events of one kind there are.
pub fn count(events: &[Event], kind: EventKind) -> usize {
    events.iter().filter(|event| event.kind == kind.as_str()).count()
}

/// So long after everything that all of it is forgotten.
pub const FORGOTTEN_SECONDS: i64 = limits::EVENTS_KEPT_SECONDS + 86_400;
