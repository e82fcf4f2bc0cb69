//! What the data of each kind looks like: a JSON Schema (draft 2020-12) and an example. More members may come; those that are there stay.

use serde_json::{Map, Value, json};

use super::kinds::{EventKind, SubjectKind};
use crate::{
    bookings::{booking::BookingStatus, role::Role},
    connections::connection::{ConnectionState, ConnectionStatus},
};

const BOOKING: &str = "01937b1c-6b00-7000-8000-000000000001";
const CONNECTION: &str = "01937b1c-6b00-7000-8000-000000000002";
const MEMBER: &str = "01937b1c-6b00-7000-8000-000000000003";
const CUSTOMER: &str = "01937b1c-6b00-7000-8000-000000000008";
const EVENT: &str = "01937b1c-6b00-7000-8000-000000000004";

/// A member of the data: its name, its schema, its example, and whether it is always there.
struct Member {
    name: &'static str,
    schema: Value,
    example: Value,
    always: bool,
}

fn member(name: &'static str, schema: Value, example: Value) -> Member {
    Member { name, schema, example, always: true }
}

fn id(name: &'static str, of: &str, example: &str) -> Member {
    let schema = json!({ "type": "string", "format": "uuid", "description": of });
    member(name, schema, example.into())
}

fn id_or_null(name: &'static str, of: &str, example: Value) -> Member {
    member(name, json!({ "type": ["string", "null"], "format": "uuid", "description": of }), example)
}

fn time(name: &'static str, of: &str, example: &str) -> Member {
    let schema = json!({ "type": "string", "format": "date-time", "description": of });
    member(name, schema, example.into())
}

fn one_of(name: &'static str, of: &str, values: &[&str], example: &str) -> Member {
    member(name, json!({ "type": "string", "enum": values, "description": of }), example.into())
}

fn text(name: &'static str, of: &str, example: &str) -> Member {
    member(name, json!({ "type": "string", "description": of }), example.into())
}

fn ids(name: &'static str, of: &str) -> Member {
    let schema =
        json!({ "type": "array", "items": { "type": "string", "format": "uuid" }, "description": of });
    member(name, schema, json!([]))
}

fn sometimes(member: Member) -> Member {
    Member { always: false, ..member }
}

/// In whose name the example of a change is.
fn by(change: &str) -> &'static str {
    match change {
        "created" | "rescheduled" => "customer",
        "declined" | "no_show" => "tenant",
        "completed" => "system",
        _ => "provider",
    }
}

fn booking_members(kind: EventKind) -> Vec<Member> {
    let (status, change, before) = match kind {
        EventKind::BookingCreated => ("confirmed", "created", None),
        EventKind::BookingConfirmed => ("confirmed", "confirmed", Some("pending")),
        EventKind::BookingRescheduled | EventKind::BookingReassigned => ("confirmed", "rescheduled", None),
        EventKind::BookingCancelled => ("cancelled", "cancelled_by_provider", Some("confirmed")),
        EventKind::BookingDeclined => ("cancelled", "declined", Some("pending")),
        EventKind::BookingFailed => ("failed", "refused", Some("pending")),
        EventKind::BookingCompleted => ("completed", "completed", Some("confirmed")),
        EventKind::BookingNoShow => ("no_show", "no_show", Some("confirmed")),
        EventKind::BookingReinstated => ("confirmed", "cancel_refused", Some("cancelled")),
        _ => ("cancelled", "cancel_synced", None),
    };
    let statuses = BookingStatus::ALL.map(BookingStatus::as_str);
    let mut all = vec![
        text("change", "What was done, as the booking's timeline names it. More names may come.", change),
        one_of("by", "In whose name it was done.", &Role::ALL.map(Role::as_str), by(change)),
        one_of("status", "Its status now.", &statuses, status),
        time("start", "Its start now.", "2026-12-01T09:00:00Z"),
        time("end", "Its end now.", "2026-12-01T09:30:00Z"),
        id("member_id", "Who it is with now: the organiser.", MEMBER),
        ids("other_member_ids", "Who takes part besides the organiser."),
        id("listing_id", "Its listing.", "01937b1c-6b00-7000-8000-000000000005"),
        id("event_type_id", "Its event type.", "01937b1c-6b00-7000-8000-000000000006"),
        id_or_null(
            "connection_id",
            "The connection that it is booked over; null for the built-in provider.",
            json!(CONNECTION),
        ),
        sometimes(id_or_null(
            "customer_id",
            "Whom it is for; absent from before there were customers, null until one is found. Who a customer became part of says \
                `customer.merged`.",
            json!(CUSTOMER),
        )),
        id_or_null("series_id", "The series that it is an occurrence of.", Value::Null),
        member(
            "provider_task",
            json!({ "type": ["string", "null"], "enum": ["create", "cancel", "reschedule", "update", "reassign", null], "description": "What is still to be delivered to its provider; null when both sides agree." }),
            Value::Null,
        ),
    ];
    let rescheduled = kind == EventKind::BookingRescheduled;
    let reassigned = kind == EventKind::BookingReassigned;
    let mut previous = |given: bool, member: Member| {
        let example = if given { member.example } else { Value::Null };
        all.push(sometimes(Member { example, ..member }));
    };
    previous(
        before.is_some(),
        one_of(
            "previous_status",
            "Its status before, if that changed.",
            &statuses,
            before.unwrap_or_default(),
        ),
    );
    previous(
        rescheduled,
        time("previous_start", "Its start before, if the time changed.", "2026-11-30T15:00:00Z"),
    );
    previous(
        rescheduled,
        time("previous_end", "Its end before, if the time changed.", "2026-11-30T15:30:00Z"),
    );
    previous(
        reassigned,
        id(
            "previous_member_id",
            "Its organiser before, if who takes part changed.",
            "01937b1c-6b00-7000-8000-000000000007",
        ),
    );
    previous(
        reassigned,
        ids("previous_other_member_ids", "Who took part besides, if who takes part changed."),
    );
    all
}

fn conflict_members(kind: EventKind) -> Vec<Member> {
    let resolved = kind == EventKind::ConflictResolved;
    vec![
        text("conflict", "What kind of conflict it is. More names may come.", "both_changed"),
        one_of(
            "status",
            "Its status now.",
            &["open", "resolved"],
            if resolved { "resolved" } else { "open" },
        ),
        member(
            "resolution",
            json!({ "type": ["string", "null"], "description": "How it ended; null while it is open. More names may come." }),
            if resolved { "ours".into() } else { Value::Null },
        ),
        id("connection_id", "The connection with whose provider there is a conflict.", CONNECTION),
        id_or_null("booking_id", "The booking that it is about, if it is one of ours.", json!(BOOKING)),
    ]
}

fn connection_members(kind: EventKind) -> Vec<Member> {
    let (state, status) = match kind {
        EventKind::ConnectionUnauthorised => ("active", "unauthorised"),
        EventKind::ConnectionUnavailable => ("active", "unavailable"),
        EventKind::ConnectionPaused => ("paused", "healthy"),
        EventKind::ConnectionDisconnected | EventKind::ConnectionDeleted => ("disconnected", "healthy"),
        _ => ("active", "healthy"),
    };
    vec![
        one_of(
            "state",
            "May it be used? People decide that.",
            &ConnectionState::ALL.map(ConnectionState::as_str),
            state,
        ),
        one_of(
            "status",
            "Did it work when it was used last?",
            &ConnectionStatus::ALL.map(ConnectionStatus::as_str),
            status,
        ),
        text("provider", "Name of the provider.", "acme"),
        id_or_null("listing_id", "The listing that it is for; null for all of the tenant's.", Value::Null),
    ]
}

fn consent_members(kind: EventKind) -> Vec<Member> {
    let (status, text_id) = match kind {
        EventKind::ConsentWithdrawn => ("withdrawn", Value::Null),
        _ => ("given", json!("01937b1c-6b00-7000-8000-000000000009")),
    };
    vec![
        one_of("status", "What was done.", &["given", "withdrawn"], status),
        id("customer_id", "Whose consent it is.", CUSTOMER),
        text("purpose", "What it is for.", "marketing"),
        id_or_null("text_id", "The text that the customer agreed to; null of a withdrawal.", text_id),
    ]
}

fn customer_members(kind: EventKind) -> Vec<Member> {
    let other = "01937b1c-6b00-7000-8000-00000000000d";
    match kind {
        EventKind::CustomerMerged => vec![
            id(
                "merged_customer_id",
                "Who became part of the customer. Whatever is asked for under this id names the customer.",
                other,
            ),
            member(
                "bookings",
                json!({ "type": "integer", "minimum": 0, "description": "How many bookings went to the customer." }),
                3.into(),
            ),
        ],
        EventKind::CustomerSplit => vec![
            id("new_customer_id", "Whose they are now.", other),
            member(
                "booking_ids",
                json!({ "type": "array", "items": { "type": "string", "format": "uuid" }, "description": "The bookings that are the new customer's now." }),
                json!([BOOKING]),
            ),
        ],
        _ => vec![
            member(
                "changed",
                json!({ "type": "array", "items": { "type": "string" }, "description": "The fields that have another value now. More names may come." }),
                json!(["email", "tags"]),
            ),
            member(
                "blocked",
                json!({ "type": "boolean", "description": "May they not book?" }),
                false.into(),
            ),
        ],
    }
}

fn members(kind: EventKind) -> Vec<Member> {
    match kind.subject() {
        SubjectKind::Booking => booking_members(kind),
        SubjectKind::Conflict => conflict_members(kind),
        SubjectKind::Connection => connection_members(kind),
        SubjectKind::Consent => consent_members(kind),
        SubjectKind::Customer => customer_members(kind),
    }
}

fn object(members: Vec<Member>) -> Value {
    let required: Vec<&str> = members.iter().filter(|m| m.always).map(|m| m.name).collect();
    let required = json!(required);
    let properties: Map<String, Value> = members.into_iter().map(|m| (m.name.to_owned(), m.schema)).collect();
    json!({ "type": "object", "required": required, "properties": properties })
}

/// The JSON Schema of the data of events of this kind.
#[must_use]
pub fn data_schema(kind: EventKind) -> Value {
    object(members(kind))
}

const fn subject_id(of: SubjectKind) -> &'static str {
    match of {
        SubjectKind::Booking => BOOKING,
        SubjectKind::Connection => CONNECTION,
        SubjectKind::Conflict => "01937b1c-6b00-7000-8000-00000000000b",
        SubjectKind::Consent => "01937b1c-6b00-7000-8000-00000000000c",
        SubjectKind::Customer => CUSTOMER,
    }
}

fn envelope(kind: EventKind) -> Vec<Member> {
    let subject = kind.subject().as_str();
    let data: Map<String, Value> = members(kind)
        .into_iter()
        .filter(|m| m.always || !m.example.is_null())
        .map(|m| (m.name.to_owned(), m.example))
        .collect();
    let actor = match (data.get("by").and_then(Value::as_str), kind.subject()) {
        (Some("tenant"), _) => "key:01937b1c-6b00-7000-8000-00000000000a",
        (Some("provider"), _) => "provider:acme",
        (Some("customer"), _) | (None, SubjectKind::Consent) => "customer",
        _ => "system",
    };
    let whole = |of: &str, least: i64| json!({ "type": "integer", "minimum": least, "description": of });
    vec![
        id("id", "Id of the event.", EVENT),
        member(
            "position",
            whole("Its place among the tenant's events: 1, 2, 3, … without gaps.", 1),
            17.into(),
        ),
        one_of("kind", kind.description(), &[kind.as_str()], kind.as_str()),
        one_of("subject_kind", "What it is about.", &[subject], subject),
        id("subject_id", "Id of what it is about.", subject_id(kind.subject())),
        member(
            "sequence",
            whole("Counts the events of the subject: the highest one says how it stands now.", 0),
            i64::from(kind != EventKind::BookingCreated).into(),
        ),
        time("occurred_at", "When it happened.", "2026-11-30T12:00:00Z"),
        text(
            "actor",
            "Who did it: `key:` and its id, `customer`, `provider:` and its name, `job:` and its id, `operator`, `system`.",
            actor,
        ),
        member("data", data_schema(kind), data.into()),
    ]
}

/// The JSON Schema of events of this kind as they are read.
#[must_use]
pub fn schema(kind: EventKind) -> Value {
    object(envelope(kind))
}

/// An example of an event of this kind as it is read.
#[must_use]
pub fn example(kind: EventKind) -> Value {
    let members = envelope(kind).into_iter().map(|m| (m.name.to_owned(), m.example));
    Value::Object(members.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_of_an_example_is_described() {
        for kind in EventKind::ALL {
            let (schema, example) = (schema(*kind), example(*kind));
            for (part, of) in [(&schema, &example), (&schema["properties"]["data"], &example["data"])] {
                let described = part["properties"].as_object().unwrap();
                let shown = of.as_object().unwrap();
                assert!(shown.keys().all(|name| described.contains_key(name)), "{kind:?}");
                let required = part["required"].as_array().unwrap();
                assert!(required.iter().all(|name| shown.contains_key(name.as_str().unwrap())), "{kind:?}");
                assert!(described.values().all(|of| of["description"].is_string() || of["type"] == "object"));
            }
        }
    }
}
