//! Bookings: made, read, listed.

use berth_model::{
    bookings::{
        booking::{Booking, ProviderTask},
        lists::WantedStates,
    },
    time::{Instant, Interval},
};
use berth_store::{
    StoreError,
    records::{Assigned, BookingFilter, Counted, OccupancyQuery},
};

use crate::world::{NOON, World, external_booking, minute, span};

pub async fn a_booking_comes_back_as_it_was_made(world: &World) {
    let scene = world.scene("quay").await;
    let mut new = world.pending(&scene, span(60, 90));
    new.padded = span(55, 100);
    new.booking.external_id = Some("counterpart-1".into());
    new.booking.external =
        Some(serde_json::to_value(external_booking("counterpart-1", span(60, 90))).unwrap());
    new.booking.external_updated_at = Some(minute(3));
    let customer = world.store.create_booking(new.clone(), world.audit()).await.unwrap();
    assert!(customer.is_some());
    let booking = Booking { customer, ..new.booking };
    assert_eq!(world.store.booking(scene.tenant, booking.id).await.unwrap(), booking);
    let found =
        world.store.bookings_of_counterpart(scene.tenant, scene.connection, "counterpart-1").await.unwrap();
    assert_eq!(found, std::slice::from_ref(&booking));
    let none =
        world.store.bookings_of_counterpart(scene.tenant, scene.connection, "counterpart-2").await.unwrap();
    assert_eq!(none, []);
    assert_eq!(world.actions(scene.tenant, booking.id).await, ["booking.created"]);
    let taken = world.store.busy_times(scene.tenant, &[scene.member], span(0, 600), NOON).await.unwrap();
    assert_eq!(taken.len(), 1);
    assert_eq!((taken[0].padded, taken[0].when), (span(55, 100), span(60, 90)));
    assert_eq!((taken[0].member, taken[0].booking), (scene.member, Some(booking.id)));
    assert!(
        world.store.busy_times(scene.tenant, &[scene.member], span(100, 600), NOON).await.unwrap().is_empty()
    );
    assert!(world.store.busy_times(scene.tenant, &[], span(0, 600), NOON).await.unwrap().is_empty());
}

pub async fn a_place_is_taken_once(world: &World) {
    let scene = world.scene("quay").await;
    let first = world.booking(&scene, span(60, 90));
    world.store.create_booking(first.clone(), world.audit()).await.unwrap();
    for (from, to) in [(60, 90), (0, 61), (89, 120), (70, 80), (0, 600)] {
        let new = world.booking(&scene, span(from, to));
        let id = new.booking.id;
        let refused = world.store.create_booking(new, world.audit()).await;
        assert!(matches!(refused, Err(StoreError::Overlap)), "{from} to {to}: {refused:?}");
        assert!(matches!(world.store.booking(scene.tenant, id).await, Err(StoreError::NotFound(_))));
        assert!(world.actions(scene.tenant, id).await.is_empty(), "no audit row either");
    }
    for (from, to) in [(30, 60), (90, 120), (-120, -60)] {
        world.store.create_booking(world.booking(&scene, span(from, to)), world.audit()).await.unwrap();
    }
    let mut twice = world.booking(&scene, span(300, 330));
    twice.booking.id = first.booking.id;
    let twice = world.store.create_booking(twice, world.audit()).await;
    assert!(matches!(twice, Err(StoreError::Duplicate(_))), "{twice:?}");
    let other = world.member(scene.tenant);
    world.store.create_member(other.clone(), world.audit()).await.unwrap();
    let mut beside = world.booking(&scene, span(60, 90));
    beside.booking.member = other.id;
    world.store.create_booking(beside, world.audit()).await.unwrap();
    assert_eq!(world.taken(&scene).await, [(-120, -60), (30, 60), (60, 90), (90, 120)]);
}

pub async fn lists_are_narrowed_and_paged(world: &World) {
    let scene = world.scene("quay").await;
    let mut ids = Vec::new();
    for hour in 1..=3 {
        let new = world.booking(&scene, span(hour * 60, hour * 60 + 30));
        ids.push(new.booking.id);
        world.store.create_booking(new, world.audit()).await.unwrap();
    }
    let pending = world.pending(&scene, span(240, 270));
    ids.push(pending.booking.id);
    world.store.create_booking(pending, world.audit()).await.unwrap();
    let list = async |filter: BookingFilter, limit: u32| -> Vec<_> {
        world
            .store
            .list_bookings(scene.tenant, filter, limit)
            .await
            .unwrap()
            .into_iter()
            .map(|b| b.id)
            .collect()
    };
    let all = BookingFilter::default;
    assert_eq!(list(all(), 9).await, ids);
    assert_eq!(list(all(), 2).await, ids[..2]);
    assert_eq!(list(BookingFilter { after: Some((minute(120), ids[1])), ..all() }, 9).await, ids[2..]);
    assert_eq!(list(BookingFilter { within: Some(span(90, 121)), ..all() }, 9).await, ids[1..2]);
    assert_eq!(
        list(BookingFilter { states: WantedStates::named("pending").unwrap(), ..all() }, 9).await,
        ids[3..]
    );
    assert_eq!(list(BookingFilter { provider_task: Some(ProviderTask::Create), ..all() }, 9).await, ids[3..]);
    let mine = BookingFilter {
        listing: Some(scene.listing),
        event_type: Some(scene.event_type),
        member: Some(scene.member),
        ..all()
    };
    assert_eq!(list(mine, 9).await, ids);
    assert!(list(BookingFilter { listing: Some(world.id()), ..all() }, 9).await.is_empty());
    assert!(list(BookingFilter { event_type: Some(world.id()), ..all() }, 9).await.is_empty());
    assert!(list(BookingFilter { member: Some(world.id()), ..all() }, 9).await.is_empty());
    assert!(list(BookingFilter { connection: Some(world.id()), ..all() }, 9).await.is_empty());
}

pub async fn what_members_were_given_is_counted(world: &World) {
    let scene = world.scene("quay").await;
    let idle = world.member(scene.tenant);
    world.store.create_member(idle.clone(), world.audit()).await.unwrap();
    let mut last = None;
    for from in [-60, 60, 120] {
        let new = world.booking(&scene, span(from, from + 30));
        last = Some(new.booking.created_at);
        world.store.create_booking(new, world.audit()).await.unwrap();
    }
    let ask = async |counted| {
        let members = [idle.id, scene.member];
        world.store.assigned(scene.tenant, scene.event_type, &members, counted, minute(0)).await.unwrap()
    };
    let none = Assigned { member: idle.id, bookings: 0, upcoming: 0, last_assigned_at: None };
    let had = |bookings| Assigned { member: scene.member, bookings, upcoming: 2, last_assigned_at: last };
    assert_eq!(ask(Counted::StartingIn(span(60, 120))).await, [none, had(1)]);
    assert_eq!(ask(Counted::StartingIn(span(-60, 121))).await, [none, had(3)]);
    let made = Interval::new(Instant::MIN, Instant::MAX).unwrap();
    assert_eq!(ask(Counted::CreatedIn(made)).await, [none, had(3)]);
    let nobody =
        world.store.assigned(scene.tenant, scene.event_type, &[], Counted::CreatedIn(made), minute(0));
    assert!(nobody.await.unwrap().is_empty());
}

pub async fn taken_places_are_what_is_occupied(world: &World) {
    let scene = world.scene("quay").await;
    let odd = |from: i64, to: i64| {
        let at = |second: i64| minute(0).plus_micros(second * 1_000_000 + 7);
        Interval::new(at(from), at(to)).unwrap()
    };
    let mut made = Vec::new();
    for (when, padded) in [
        (span(60, 90), span(55, 100)),
        (odd(7_200, 9_001), odd(7_100, 9_500)),
        (span(300, 301), span(300, 301)),
        (span(10_000, 11_440), span(8_560, 12_880)),
        // Longer than the short form holds.
        (span(20_000, 25_000), span(20_000, 25_000)),
    ] {
        let mut new = world.booking(&scene, when);
        new.padded = padded;
        made.push(new.booking.id);
        world.store.create_booking(new, world.audit()).await.unwrap();
    }
    let ask = async |within: Interval, event_type, own: Option<uuid::Uuid>| {
        let of = OccupancyQuery { members: vec![scene.member], within, now: minute(0), event_type, own };
        world.store.occupancies(scene.tenant, of).await.unwrap()
    };
    for within in [span(0, 30_000), span(90, 9_000), span(-5_000, 60), span(24_999, 26_000), span(100, 110)] {
        let busy_times =
            world.store.busy_times(scene.tenant, &[scene.member], within, minute(0)).await.unwrap();
        let mut expected: Vec<_> = busy_times.iter().map(|o| (o.padded, o.when)).collect();
        let mut found: Vec<_> = ask(within, scene.event_type, None)
            .await
            .into_iter()
            .flat_map(|(member, places)| {
                assert_eq!(member, scene.member);
                places
            })
            .map(|occupancy| {
                assert!(occupancy.same_event_type && !occupancy.hold);
                (occupancy.padded, occupancy.when)
            })
            // Up to a day more at each end.
            .filter(|(padded, _)| padded.overlaps(within))
            .collect();
        expected.sort_unstable();
        found.sort_unstable();
        assert_eq!(found, expected, "{within:?}");
    }
    let others = ask(span(0, 30_000), scene.event_type, Some(made[0].uuid())).await;
    assert_eq!(others[0].1.len(), 4, "one's own is not in one's way");
    let other_type = ask(span(0, 200), world.id(), None).await;
    assert!(other_type[0].1.iter().all(|occupancy| !occupancy.same_event_type));
}
