//! Events: one for each change, placed after the commit, read by position.

use std::collections::BTreeMap;

use berth_model::{
    bookings::{change::BookingChange, occupancy::Occupancy},
    connections::connection::ConnectionStatus,
    events::{After, Cursor, Event, EventKind, Head, NoWayOn},
    id::TenantId,
    limits,
    mirror::sync::{Conflict, ConflictKind, Resolution},
    time::{Instant, Interval},
};
use berth_store::{
    Store, StoreError,
    records::{ChangeOrder, EventPage, Opened},
};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};

use crate::world::{World, external_booking, minute, span};

/// Place all that there is, and read all of it.
pub async fn all(store: &Store, tenant: TenantId) -> Vec<Event> {
    while store.place_events(tenant).await.unwrap().count > 0 {}
    let mut all: Vec<Event> = Vec::new();
    loop {
        let page = page(store, tenant, after(all.last().map_or(0, |event| event.position))).await.unwrap();
        if page.events.is_empty() {
            assert_eq!(page.next, page.head.position);
            return all;
        }
        all.extend(page.events);
    }
}

async fn page(store: &Store, tenant: TenantId, cursor: Cursor) -> Result<EventPage, NoWayOn> {
    store.events(tenant, cursor, &[], limits::EVENTS_PAGE_MAX).await.map_err(|error| match error {
        StoreError::PastCursor(past) => past.why,
        other => panic!("{other}"),
    })
}

fn after(position: i64) -> Cursor {
    Cursor { after: After::Position(position), epoch: None }
}

fn kinds(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.kind.as_str()).collect()
}

/// A move of all that it takes.
fn to(when: Interval) -> ChangeOrder {
    BookingChange::Reschedule { occupancy: Occupancy { when, padded: when }, hosts: None }.into()
}

async fn execute(world: &World, statement: &str) -> u64 {
    let statement = AssertSqlSafe(statement.to_owned());
    if world.store.engine() == "postgres" {
        let mut conn = PgConnection::connect(&world.url).await.unwrap();
        conn.execute(statement).await.unwrap().rows_affected()
    } else {
        let mut conn = SqliteConnection::connect(&world.url).await.unwrap();
        conn.execute(statement).await.unwrap().rows_affected()
    }
}

pub async fn each_change_of_a_booking_is_told(world: &World) {
    let scene = world.scene("quay").await;
    let new = world.pending(&scene, span(0, 30));
    let (id, mut sequence) = (new.booking.id, 0);
    world.store.create_booking(new, world.audit()).await.unwrap();
    let job = || world.job(scene.tenant, &id.to_string(), minute(0));
    let changes = [
        BookingChange::Delivered { external: external_booking("t", span(0, 30)), padded: span(0, 30) },
        to(span(60, 90)).change,
        BookingChange::RescheduleRefused {
            reason: "The provider's own words".to_owned(),
            occupancy: Occupancy { when: span(0, 30), padded: span(0, 30) },
            external: None,
        },
        BookingChange::Cancel { reason: Some("Ada is ill".to_owned()) },
        BookingChange::CancelRefused { reason: "no".to_owned(), external: None, padded: span(0, 30) },
        BookingChange::Cancel { reason: None },
        BookingChange::CancelDelivered { external: None },
    ];
    for change in changes {
        let order = ChangeOrder { job: Some(job()), ..change.into() };
        let changed =
            world.store.change_booking(scene.tenant, id, sequence, order, None, world.audit()).await;
        sequence = changed.unwrap().sequence;
    }
    let told: Vec<Event> =
        all(&world.store, scene.tenant).await.into_iter().filter(|e| e.subject == id.uuid()).collect();
    assert_eq!(
        kinds(&told),
        [
            "booking.created",
            "booking.confirmed",
            "booking.rescheduled",
            "booking.rescheduled",
            "booking.cancelled",
            "booking.reinstated",
            "booking.cancelled",
            "booking.updated"
        ]
    );
    let whole = serde_json::to_string(&told.iter().map(|e| &e.data).collect::<Vec<_>>()).unwrap();
    assert!(!whole.contains("words") && !whole.contains("Ada") && !whole.contains("Grace"), "{whole}");
    let changes: Vec<&Value> = told.iter().map(|event| &event.data["change"]).collect();
    assert_eq!((changes[3], changes[7]), (&json!("reschedule_refused"), &json!("cancel_synced")));
    assert_eq!(told[3].data["previous_start"], json!(minute(60)));
    assert_eq!(told.iter().map(|e| e.sequence).collect::<Vec<_>>(), (0..8).collect::<Vec<i64>>());
    // What is refused changes nothing, and tells nothing.
    let stale = BookingChange::Cancel { reason: None };
    world.store.change_booking(scene.tenant, id, 3, stale, None, world.audit()).await.unwrap_err();
    let taken = world.booking(&scene, span(0, 30));
    world.store.create_booking(taken, world.audit()).await.unwrap();
    let overlapping = world.booking(&scene, span(10, 30));
    world.store.create_booking(overlapping, world.audit()).await.unwrap_err();
    let after = all(&world.store, scene.tenant).await;
    assert_eq!(after.iter().filter(|e| e.kind == "booking.created").count(), 2);
    assert_eq!(after.len(), told.len() + 2, "one of the connection, one of the second booking");
}

pub async fn a_connection_is_told_of_when_its_state_changes(world: &World) {
    let scene = world.scene("quay").await;
    let (tenant, connection) = (scene.tenant, scene.connection);
    let found = |status, detail: Option<&str>| {
        world.store.set_connection_health(tenant, connection, status, detail.map(str::to_owned), world.now())
    };
    for _ in 0..3 {
        found(ConnectionStatus::Unavailable, Some("It says nothing.")).await.unwrap();
    }
    found(ConnectionStatus::Unauthorised, None).await.unwrap();
    found(ConnectionStatus::Healthy, None).await.unwrap();
    found(ConnectionStatus::Healthy, None).await.unwrap();
    let record = world.store.connection(tenant, connection).await.unwrap();
    let mut broken = record.clone();
    broken.status = ConnectionStatus::Unavailable;
    broken.name = "Another name".to_owned();
    let record = world.store.update_connection(broken, None, record.revision, world.audit()).await.unwrap();
    let again = world.store.update_connection(record.clone(), None, record.revision, world.audit()).await;
    let revision = again.unwrap().revision;
    world.store.pause_connection(tenant, connection, revision, world.audit()).await.unwrap();
    world.store.resume_connection(tenant, connection, revision + 1, world.audit()).await.unwrap();
    world.store.delete_connection(tenant, connection, world.audit()).await.unwrap();
    let told = all(&world.store, tenant).await;
    assert_eq!(
        kinds(&told),
        [
            "connection.healthy",
            "connection.unavailable",
            "connection.unauthorised",
            "connection.healthy",
            "connection.unavailable",
            "connection.paused",
            "connection.resumed",
            "connection.deleted"
        ]
    );
    assert_eq!(told.iter().map(|e| e.sequence).collect::<Vec<_>>(), (1..9).collect::<Vec<i64>>());
    assert_eq!(
        told[5].data,
        json!({ "state": "paused", "status": "unavailable", "provider": "tide", "listing_id": null })
    );
    let gone =
        world.store.set_connection_health(tenant, connection, ConnectionStatus::Healthy, None, minute(9));
    gone.await.unwrap_err();
}

pub async fn a_conflict_is_told_of_from_its_beginning_to_its_end(world: &World) {
    let scene = world.scene("quay").await;
    let (tenant, connection) = (scene.tenant, scene.connection);
    let conflict = |external: &str| Conflict {
        id: world.id(),
        tenant,
        connection,
        booking: None,
        external_id: Some(external.to_owned()),
        own_counterpart: false,
        kind: ConflictKind::UnknownService,
        ours: json!({}),
        theirs: json!({ "title": "Grace's haircut" }),
        resolved: false,
        resolution: None,
        resolved_by: None,
        detected_at: world.now(),
        resolved_at: None,
        findings: 1,
    };
    let first = conflict("x-1");
    let Opened::New(id) = world.store.open_conflict(first.clone(), None, world.audit()).await.unwrap() else {
        panic!("it is new")
    };
    // Found again: nothing new to tell.
    assert_eq!(
        world.store.open_conflict(conflict("x-1"), None, world.audit()).await.unwrap(),
        Opened::Again(id)
    );
    let open = world.store.conflict(tenant, id).await.unwrap();
    world.store.resolve_conflict(open.clone(), Resolution::Ours, false, world.audit()).await.unwrap();
    world.store.resolve_conflict(open, Resolution::Theirs, true, world.audit()).await.unwrap();
    let second = conflict("x-2");
    world.store.open_conflict(second.clone(), None, world.audit()).await.unwrap();
    world.store.conflict_settled(tenant, second.dedup_key(), world.now()).await.unwrap();
    world.store.conflict_settled(tenant, second.dedup_key(), world.now()).await.unwrap();
    let told = all(&world.store, tenant).await;
    assert_eq!(
        kinds(&told)[1..],
        ["conflict.opened", "conflict.resolved", "conflict.resolved", "conflict.opened", "conflict.resolved"]
    );
    let shown: Vec<Value> = told[1..].iter().map(|e| json!([e.sequence, e.data["resolution"]])).collect();
    let shown = json!(shown);
    assert_eq!(shown, json!([[1, null], [2, "ours"], [3, "theirs"], [1, null], [2, "ignored"]]));
    assert!(!told.iter().any(|e| e.data.to_string().contains("Grace")), "{told:?}");
}

/// Positions follow the time, but for one booking its sequence, whatever the clocks said.
pub async fn the_order_of_a_booking_does_not_turn(world: &World) {
    let scene = world.scene("quay").await;
    let new = world.booking(&scene, span(0, 30));
    let id = new.booking.id;
    world.store.create_booking(new, world.audit()).await.unwrap();
    let other = world.booking(&scene, span(30, 60));
    let other_id = other.booking.id;
    world.store.create_booking(other, world.audit()).await.unwrap();
    // Moved again and again by a replica whose clock is an hour behind, each move a second before the last one, or in the same instant.
    let moves = i64::from(limits::EVENTS_PLACED_AT_ONCE) + 20;
    for sequence in 0..moves {
        let when = span(100 + sequence, 130 + sequence);
        let mut audit = world.audit();
        audit.at = minute(-60).plus_seconds(-(sequence / 2));
        world.store.change_booking(scene.tenant, id, sequence, to(when), None, audit).await.unwrap();
    }
    let told = all(&world.store, scene.tenant).await;
    let of = |id: uuid::Uuid| {
        let of = told.iter().filter(move |e| e.subject == id);
        of.map(|e| (e.position, e.sequence)).collect::<Vec<_>>()
    };
    assert_eq!(of(id.uuid()).iter().map(|(_, s)| *s).collect::<Vec<_>>(), (0..=moves).collect::<Vec<_>>());
    assert_eq!(of(other_id.uuid()).len(), 1);
    assert_eq!(
        told.iter().map(|e| e.position).collect::<Vec<_>>(),
        (1..=moves + 3).collect::<Vec<_>>(),
        "there is no gap"
    );
}

pub async fn a_reader_that_cannot_go_on_is_told_so(world: &World) {
    let (scene, other) = (world.scene("quay").await, world.scene("mole").await);
    let tenant = scene.tenant;
    assert_eq!(world.store.event_head(tenant).await.unwrap(), Head::default());
    assert_eq!(page(&world.store, tenant, after(1)).await, Err(NoWayOn::Ahead), "nothing is placed yet");
    assert_eq!(world.store.tenants_with_unplaced_events(None).await.unwrap().len(), 2);
    let mut after_each = Vec::new();
    let mut cursor = None;
    while let Some(found) = world.store.tenants_with_unplaced_events(cursor).await.unwrap().first().copied() {
        cursor = Some(found);
        after_each.push(found);
    }
    assert_eq!(after_each.len(), 2, "one after the other");
    for n in 0..5 {
        let new = world.booking(&scene, span(n * 30, n * 30 + 30));
        world.store.create_booking(new, world.audit()).await.unwrap();
    }
    let told = all(&world.store, tenant).await;
    assert_eq!((told.len(), told[0].kind.as_str()), (6, "connection.healthy"));
    assert!(told.iter().all(|e| e.tenant == tenant && e.subject != other.connection.uuid()));
    assert_eq!(world.store.tenants_with_unplaced_events(None).await.unwrap(), [other.tenant]);

    let some = world.store.events(tenant, after(0), &[EventKind::BookingCreated], 2).await.unwrap();
    assert_eq!((some.events.len(), some.next), (2, 3), "the one that is passed over counts");
    let none = world.store.events(tenant, after(2), &[EventKind::BookingFailed], 2).await.unwrap();
    assert_eq!((none.events.len(), none.next), (0, 6), "readers of what seldom happens go on, too");
    let latest = Cursor { after: After::Latest, epoch: Some(1) };
    assert_eq!(
        page(&world.store, tenant, latest).await.map(|page| (page.events.len(), page.next)),
        Ok((0, 6))
    );
    assert_eq!(page(&world.store, tenant, after(7)).await, Err(NoWayOn::Ahead));
    let restored = Cursor { after: After::Position(3), epoch: Some(2) };
    assert_eq!(page(&world.store, tenant, restored).await, Err(NoWayOn::OtherEpoch));
}

pub async fn old_events_are_forgotten_in_their_order(world: &World) {
    let scene = world.scene("quay").await;
    for n in 0..4 {
        let new = world.booking(&scene, span(n * 30, n * 30 + 30));
        let mut audit = world.audit();
        // A clock that was wrong: the second booking is from long after the others.
        audit.at = if n == 1 { minute(200 * 24 * 60) } else { minute(n * 24 * 60) };
        world.store.create_booking(new, audit).await.unwrap();
    }
    assert_eq!(all(&world.store, scene.tenant).await.len(), 5);
    let kept = |days: i64| minute(0).plus_seconds(limits::EVENTS_KEPT_SECONDS).plus_seconds(days * 86_400);
    let prune = async |now: Instant| {
        world.store.prune(now).await.unwrap();
        let head = world.store.event_head(scene.tenant).await.unwrap();
        (head.first, head.position)
    };
    assert_eq!(prune(kept(-1)).await, (1, 5));
    // Connection, first booking and the third (two days later) are over; the one that claims to be later was placed last.
    assert_eq!(prune(kept(1)).await, (3, 5));
    assert_eq!(page(&world.store, scene.tenant, after(1)).await, Err(NoWayOn::Forgotten));
    assert_eq!(page(&world.store, scene.tenant, after(2)).await.unwrap().events.len(), 3);
    let oldest = page(&world.store, scene.tenant, Cursor::default()).await.unwrap();
    assert_eq!((oldest.after, oldest.events[0].position), (2, 3));
    assert_eq!(prune(kept(10)).await, (5, 5));
    assert_eq!(prune(kept(300)).await, (6, 5), "none is left, and the feed goes on where it was");
    let new = world.booking(&scene, span(500, 530));
    world.store.create_booking(new, world.audit()).await.unwrap();
    let told = world.store.place_events(scene.tenant).await.unwrap().count;
    let found = page(&world.store, scene.tenant, after(5)).await.unwrap();
    assert_eq!((told, found.events.len(), found.next), (1, 1, 6));
    // What has no position yet is not old, whatever its clock said.
    let mut audit = world.audit();
    audit.at = minute(-1);
    world.store.create_booking(world.booking(&scene, span(600, 630)), audit).await.unwrap();
    world.store.prune(kept(300)).await.unwrap();
    assert_eq!(world.store.place_events(scene.tenant).await.unwrap().count, 1);
}

/// An epoch is another life: what a restored back-up says of positions is nothing that was read before.
pub async fn another_epoch_is_another_feed(world: &World) {
    let scene = world.scene("quay").await;
    let told = all(&world.store, scene.tenant).await;
    assert_eq!(execute(world, "UPDATE event_heads SET epoch = epoch + 1").await, 1);
    let cursor = |epoch| Cursor { after: After::Position(told.len() as i64), epoch: Some(epoch) };
    assert_eq!(page(&world.store, scene.tenant, cursor(1)).await, Err(NoWayOn::OtherEpoch));
    assert_eq!(page(&world.store, scene.tenant, cursor(2)).await.unwrap().head.epoch, 2);
}

/// Many write, several place at once, several read along: nothing is missed, nothing comes twice, there is no gap.
pub async fn nothing_is_missed_under_a_storm(world: &World) {
    const WRITERS: i64 = 8;
    const EACH: i64 = 12;
    let scene = world.scene("quay").await;
    let tenant = scene.tenant;
    let stores = [world.store.clone(), world.viewer.clone()];
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let store = stores[(writer % 2) as usize].clone();
        let news: Vec<_> = (0..EACH)
            .map(|n| {
                let from = (writer * EACH + n) * 100;
                let later = span(from + 40, from + 70);
                (
                    world.booking(&scene, span(from, from + 30)),
                    later,
                    world.audit(),
                    world.audit(),
                    world.audit(),
                )
            })
            .collect();
        writers.spawn(async move {
            for (new, later, first, second, third) in news {
                let id = new.booking.id;
                store.create_booking(new, first).await.unwrap();
                store.change_booking(tenant, id, 0, to(later), None, second).await.unwrap();
                let cancel = BookingChange::Cancel { reason: None };
                store.change_booking(tenant, id, 1, cancel, None, third).await.unwrap();
            }
        });
    }
    let placers: Vec<_> = stores
        .iter()
        .cloned()
        .map(|store| {
            tokio::spawn(async move {
                loop {
                    store.place_events(tenant).await.unwrap();
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    let whole = WRITERS * EACH * 3 + 1;
    let readers: Vec<_> = (0..4)
        .map(|reader| {
            let store = stores[reader % 2].clone();
            tokio::spawn(async move {
                let mut read: Vec<Event> = Vec::new();
                let mut next = 0;
                while next < whole {
                    let limit = 1 + reader as u32 * 7;
                    let page = store.events(tenant, after(next), &[], limit).await.unwrap();
                    next = page.next;
                    read.extend(page.events);
                    tokio::task::yield_now().await;
                }
                read
            })
        })
        .collect();
    while let Some(done) = writers.join_next().await {
        done.unwrap();
    }
    for reader in readers {
        let read = reader.await.unwrap();
        assert!(read.iter().map(|e| e.position).eq(1..=whole), "no gap, nothing twice");
        let mut of = BTreeMap::<uuid::Uuid, Vec<i64>>::new();
        for event in &read {
            of.entry(event.subject).or_default().push(event.sequence);
        }
        assert_eq!(of.len() as i64, WRITERS * EACH + 1);
        assert!(of.iter().all(|(id, all)| *id == scene.connection.uuid() || *all == [0, 1, 2]), "{of:?}");
    }
    for placer in placers {
        placer.abort();
    }
}
