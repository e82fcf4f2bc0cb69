//! The whole provider, natively.

use berth_model::plugins::manifest::Manifest;
use berth_sdk::{
    Availability, Blocks, Bookings, Catalog, Clients, Connection, Webhooks,
    testing::{self, create_request},
    time::{self, MINUTE},
    types::{
        BlockLookup, BlockRequest, Booking, BookingStatus, BusyQuery, CancelRequest, CreateRequest, Interval,
        PageRequest, ProviderError, ReferenceLookup, RescheduleRequest, SlotQuery, WebhookEvent,
        WebhookRequest,
    },
};
use serde_json::json;

use crate::Reference;

fn open(settings: &serde_json::Value) -> Reference {
    let manifest = Manifest::parse(include_str!("../plugin.toml")).unwrap();
    let settings = berth_settings::check(&manifest, settings).unwrap();
    testing::set_settings(&settings.to_string());
    Reference::open().unwrap()
}

fn fresh(settings: &serde_json::Value) -> Reference {
    testing::reset();
    testing::set_now(at("2026-01-02T09:00:00Z"));
    open(settings)
}

fn at(text: &str) -> i64 {
    time::parse(text).unwrap()
}

fn half_hour(start: &str) -> Interval {
    Interval { start: at(start), end: at(start) + 30 * MINUTE }
}

fn create(key: &str, start: &str) -> CreateRequest {
    create_request(key, &format!("ref-{key}"), "consultation", half_hour(start))
}

fn find(provider: &Reference, reference: &str) -> Vec<Booking> {
    let lookup = ReferenceLookup {
        reference: reference.to_owned(),
        attendee_email: None,
        created_after: 0,
        when: half_hour("2026-01-05T09:00:00Z"),
    };
    provider.find_by_reference(lookup).unwrap()
}

#[test]
fn a_repeated_create_finds_its_own_booking() {
    let provider = fresh(&json!({}));
    let first = provider.create(create("k1", "2026-01-05T09:00:00Z")).unwrap();
    assert_eq!(provider.create(create("k1", "2026-01-05T09:00:00Z")).unwrap(), first);
    assert_eq!(provider.create(create("k2", "2026-01-05T09:15:00Z")), Err(ProviderError::slot_taken()));
    assert!(provider.create(create("k3", "2026-01-05T09:30:00Z")).is_ok(), "half-open");
    assert_eq!(find(&provider, "ref-k1"), [first]);
}

#[test]
fn a_lost_answer_has_still_made_the_booking() {
    let provider = fresh(&json!({ "fail_create": "unavailable_after", "fail_times": 1 }));
    let request = create("k1", "2026-01-05T09:00:00Z");
    assert_eq!(provider.create(request.clone()), Err(ProviderError::Unavailable(Some(50))));
    assert_eq!(find(&provider, "ref-k1").len(), 1);
    assert!(provider.create(request).is_ok());
    assert_eq!(find(&provider, "ref-k1").len(), 1);
}

#[test]
fn every_failure_of_the_schema_can_be_read() {
    let text = include_str!("../plugin.toml");
    let manifest = Manifest::parse(text).unwrap();
    let patterns = manifest.settings_schema["patternProperties"].as_object().unwrap();
    let failures = patterns.values().next().unwrap()["enum"].as_array().unwrap().clone();
    assert_eq!(failures.len(), 14);
    for failure in failures {
        let provider = fresh(&json!({ "fail_validate": failure }));
        if failure != "trap" {
            assert_ne!(provider.validate().err(), None, "{failure}");
        }
    }
    assert!(berth_settings::check(&manifest, &json!({ "fail_everything": "vendor" })).is_err());
}

#[test]
fn a_moved_booking_is_replaced_or_kept() {
    for keeps in [false, true] {
        let provider = fresh(&json!({ "reschedule_keeps_id": keeps }));
        let old = provider.create(create("k1", "2026-01-05T09:00:00Z")).unwrap();
        let request = RescheduleRequest {
            idempotency_key: "m1".to_owned(),
            id: old.id.clone(),
            reference: "ref-k1".to_owned(),
            when: half_hour("2026-01-05T09:15:00Z"),
            reason: None,
            requested_by: None,
            slot_token: None,
        };
        let new = provider.reschedule(request.clone()).unwrap();
        assert_eq!(provider.reschedule(request).unwrap().id, new.id);
        assert_eq!(new.id == old.id, keeps);
        let now = provider.get(old.id).unwrap();
        if keeps {
            assert_eq!(now.when, new.when);
        } else {
            assert_eq!((now.status, now.rescheduled_to), (BookingStatus::Cancelled, Some(new.id)));
        }
    }
}

#[test]
fn changes_come_in_order_and_none_is_missed() {
    let provider = fresh(&json!({ "page_size": 2 }));
    for (key, start) in
        [("a", "2026-01-05T09:00:00Z"), ("b", "2026-01-05T10:00:00Z"), ("c", "2026-01-05T11:00:00Z")]
    {
        provider.create(create(key, start)).unwrap();
    }
    let first = provider.list_changes(None, 100).unwrap();
    assert_eq!((first.items.len(), first.more), (2, true));
    let second = provider.list_changes(Some(first.cursor), 100).unwrap();
    assert_eq!((second.items.len(), second.more), (1, false));
    let id = first.items[0].id.clone();
    provider.cancel(CancelRequest { idempotency_key: "x".to_owned(), id: id.clone(), reason: None }).unwrap();
    let third = provider.list_changes(Some(second.cursor), 100).unwrap();
    assert_eq!(third.items.iter().map(|b| &b.id).collect::<Vec<_>>(), [&id]);
    assert_eq!(provider.list_changes(Some("junk".to_owned()), 1), Err(ProviderError::CursorExpired));
}

#[test]
fn free_slots_shrink_by_what_is_booked() {
    let provider = fresh(&json!({}));
    let query = SlotQuery {
        event_type: "consultation".to_owned(),
        within: Interval { start: at("2026-01-05T00:00:00Z"), end: at("2026-01-06T00:00:00Z") },
        length_minutes: None,
        time_zone: "UTC".to_owned(),
        rescheduling: None,
    };
    assert_eq!(provider.free_slots(query.clone()).unwrap().len(), 16);
    let booking = provider.create(create("k1", "2026-01-05T09:00:00Z")).unwrap();
    let left = provider.free_slots(query.clone()).unwrap();
    assert_eq!((left.len(), left[0].when.start), (15, at("2026-01-05T09:30:00Z")));
    let moving = SlotQuery { rescheduling: Some(booking.id), ..query };
    assert_eq!(provider.free_slots(moving).unwrap().len(), 16);
}

#[test]
fn it_is_open_on_the_clocks_of_its_zone() {
    // Clocks go forward on the second day.
    let query = SlotQuery {
        event_type: "consultation".to_owned(),
        within: Interval { start: at("2026-03-28T00:00:00Z"), end: at("2026-03-30T00:00:00Z") },
        length_minutes: None,
        time_zone: "UTC".to_owned(),
        rescheduling: None,
    };
    for (zone, expected) in [
        ("UTC", ["2026-03-28T09:00:00Z", "2026-03-29T09:00:00Z"]),
        ("Europe/Warsaw", ["2026-03-28T08:00:00Z", "2026-03-29T07:00:00Z"]),
    ] {
        let slots = fresh(&json!({ "time_zone": zone })).free_slots(query.clone()).unwrap();
        let starts: Vec<_> = slots.iter().map(|slot| time::format(slot.when.start)).collect();
        assert_eq!(
            (starts.len(), &starts[0], &starts[16]),
            (32, &expected[0].to_owned(), &expected[1].to_owned())
        );
    }
    assert!(fresh(&json!({ "time_zone": "Atlantis" })).free_slots(query).is_err());
}

#[test]
fn counting_and_paging_the_catalogue() {
    let provider = fresh(&json!({ "page_size": 2 }));
    let counted =
        provider.resolve_link(r#"https://reference.example/count#{"a":[1,2,[3]]}"#.to_owned()).unwrap();
    assert_eq!(counted.seats, 4);
    let page = provider.list_event_types(PageRequest { token: None, limit: 100 }).unwrap();
    assert_eq!((page.items.len(), page.next.as_deref()), (2, Some("2")));
    let last = provider.list_event_types(PageRequest { token: page.next, limit: 100 }).unwrap();
    assert_eq!((last.items.len(), last.next), (1, None));
}

#[test]
fn an_erased_client_leaves_no_trace() {
    let provider = fresh(&json!({}));
    let booking = provider.create(create("k1", "2026-01-05T09:00:00Z")).unwrap();
    let page = PageRequest { token: None, limit: 10 };
    let clients = provider.list_clients(page.clone()).unwrap().items;
    assert_eq!(clients.len(), 1);
    provider.erase_client(clients[0].id.clone()).unwrap();
    provider.erase_client(clients[0].id.clone()).unwrap();
    assert!(provider.list_clients(page).unwrap().items.is_empty());
    let text = format!("{:?}", provider.get(booking.id).unwrap());
    assert!(!text.contains("Ada") && !text.contains("ada@"), "{text}");
}

#[test]
fn messages_become_events() {
    let provider = fresh(&json!({}));
    let handle = |query: &str, body: &str| {
        provider.handle(WebhookRequest {
            method: "POST".to_owned(),
            headers: Vec::new(),
            query: query.to_owned(),
            body: body.as_bytes().to_vec(),
            received_at: 0,
            subscription: None,
        })
    };
    let booking = r#""booking":{"id":"b2","status":"confirmed","start":"2026-01-05T09:00:00Z","end":"2026-01-05T09:30:00Z"}"#;
    let moved = handle("", &format!(r#"{{"event":"rescheduled","old_id":"b1",{booking}}}"#)).unwrap();
    assert!(
        matches!(&moved.events[..], [WebhookEvent::Rescheduled(r)] if r.old_id == "b1" && r.booking.id == "b2")
    );
    assert!(handle("", r#"{"event":"ping"}"#).unwrap().events.is_empty());
    assert_eq!(handle("validation=tok", "").unwrap().reply.unwrap().body, b"tok");
    assert!(matches!(handle("", "junk"), Err(ProviderError::Invalid(_))));
}

#[test]
fn a_closed_time_is_nobodys_until_it_is_opened() {
    let provider = fresh(&json!({}));
    let when = half_hour("2026-01-05T09:00:00Z");
    let request = |key: &str, when| BlockRequest {
        idempotency_key: key.to_owned(),
        reference: "ref-1".to_owned(),
        calendar: "house".to_owned(),
        when,
        title: "Busy".to_owned(),
    };
    let block = provider.create_block(request("b1", when)).unwrap();
    assert_eq!(provider.create_block(request("b1", when)).unwrap(), block, "the same for the same key");
    assert_eq!(provider.create(create("k1", "2026-01-05T09:15:00Z")), Err(ProviderError::slot_taken()));
    let busy = BusyQuery { within: when, calendars: Vec::new(), time_zone: "UTC".to_owned() };
    assert_eq!(provider.busy(busy).unwrap()[0].source.as_ref(), Some(&block.id));
    let lookup =
        |reference: &str| BlockLookup { reference: reference.to_owned(), calendar: "house".to_owned(), when };
    assert_eq!(provider.find_blocks(lookup("ref-1")).unwrap(), std::slice::from_ref(&block));
    assert!(provider.find_blocks(lookup("ref-2")).unwrap().is_empty());

    provider.remove_block(block.id.clone()).unwrap();
    provider.remove_block(block.id).unwrap();
    provider.create(create("k1", "2026-01-05T09:15:00Z")).unwrap();
    assert_eq!(provider.create_block(request("b2", when)), Err(ProviderError::slot_taken()));
}
