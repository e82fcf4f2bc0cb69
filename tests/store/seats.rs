//! Shared meetings and meetings of several members.

use std::collections::BTreeSet;

use berth_model::{
    bookings::{
        booking::Booking,
        change::{BookingChange, Hosts},
        occupancy::Occupancy,
    },
    time::Interval,
};
use berth_store::{
    StoreError,
    records::{BookingFilter, ChangeOrder, Counted, NewBooking},
};

use crate::world::{NOON, Scene, World, at_once, external_booking, minute, moved_to, span};

const SEATS: u32 = 5;

fn seat(world: &World, scene: &Scene, when: Interval, seats: u32) -> NewBooking {
    let mut new = world.booking(scene, when);
    new.booking.seats = seats;
    new
}

/// Seats that are taken of the scene's member's time, with the start of their meeting in minutes after noon.
async fn seats(world: &World, scene: &Scene) -> Vec<(i64, u32)> {
    world.taken(scene).await;
    let taken = world.store.busy_times(scene.tenant, &[scene.member], span(0, 6_000), NOON).await.unwrap();
    taken.iter().map(|o| (o.when.start().micros_since(NOON) / 60_000_000, o.seat)).collect()
}

async fn change(
    world: &World,
    booking: &Booking,
    change: impl Into<ChangeOrder> + Send,
) -> Result<Booking, StoreError> {
    let audit = world.audit();
    world.store.change_booking(booking.tenant, booking.id, booking.sequence, change, None, audit).await
}

pub async fn as_many_as_there_are_seats(world: &World) {
    let scene = world.scene("quay").await;
    let results = at_once((0..40).map(|_| {
        let (store, audit) = (world.store.clone(), world.audit());
        let new = seat(world, &scene, span(60, 90), SEATS);
        async move { store.create_booking(new, audit).await }
    }))
    .await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 5, "{results:?}");
    for result in &results {
        assert!(matches!(result, Ok(_) | Err(StoreError::Overlap)), "{result:?}");
    }
    let taken: Vec<_> = (0..SEATS).map(|seat| (60, seat)).collect();
    assert_eq!(seats(world, &scene).await, taken);
    let all = world.store.busy_times(scene.tenant, &[scene.member], span(0, 600), NOON).await.unwrap();
    assert_eq!(all.iter().map(|o| o.session).collect::<BTreeSet<_>>().len(), 1, "one session");
    assert!(all.iter().all(|o| o.event_type == Some(scene.event_type)));
}

pub async fn a_cancelled_seat_is_free_again(world: &World) {
    let scene = world.scene("quay").await;
    let mut made = Vec::new();
    for _ in 0..3 {
        let new = seat(world, &scene, span(60, 90), 3);
        made.push(new.booking.clone());
        world.store.create_booking(new, world.audit()).await.unwrap();
    }
    let full = seat(world, &scene, span(60, 90), 3);
    assert!(matches!(
        world.store.create_booking(full.clone(), world.audit()).await,
        Err(StoreError::Overlap)
    ));
    change(world, &made[1], BookingChange::Cancel { reason: None }).await.unwrap();
    assert_eq!(seats(world, &scene).await, [(60, 0), (60, 2)]);
    world.store.create_booking(full, world.audit()).await.unwrap();
    assert_eq!(seats(world, &scene).await, [(60, 0), (60, 1), (60, 2)]);
}

pub async fn sessions_keep_others_out(world: &World) {
    let scene = world.scene("quay").await;
    let first = seat(world, &scene, span(60, 90), SEATS);
    let other_type = world.event_type(scene.tenant, scene.listing, "other", vec![scene.member]);
    world.store.create_event_type(other_type.clone(), world.audit()).await.unwrap();
    world.store.create_booking(first.clone(), world.audit()).await.unwrap();
    // Another start, another length, another event type, a meeting of one's own: none of them is this session.
    let mut others = vec![
        seat(world, &scene, span(75, 105), SEATS),
        seat(world, &scene, span(60, 120), SEATS),
        seat(world, &scene, span(60, 90), SEATS),
        world.booking(&scene, span(60, 90)),
    ];
    others[2].booking.event_type = other_type.id;
    for other in others {
        let refused = world.store.create_booking(other, world.audit()).await;
        assert!(matches!(refused, Err(StoreError::Overlap)), "{refused:?}");
    }
    // Buffers that were edited since: the session keeps the range it has.
    let mut wider = seat(world, &scene, span(60, 90), SEATS);
    wider.padded = span(50, 100);
    world.store.create_booking(wider, world.audit()).await.unwrap();
    assert_eq!(world.taken(&scene).await, [(60, 90), (60, 90)]);
    // Touching is not overlapping.
    world.store.create_booking(seat(world, &scene, span(90, 120), SEATS), world.audit()).await.unwrap();
}

pub async fn seats_move_one_by_one(world: &World) {
    let scene = world.scene("quay").await;
    let mut made = Vec::new();
    for _ in 0..3 {
        let mut new = seat(world, &scene, span(60, 90), 2);
        if made.len() == 2 {
            new = seat(world, &scene, span(120, 150), 2);
            new.booking.connection = Some(scene.connection);
        }
        made.push(new.booking.clone());
        world.store.create_booking(new, world.audit()).await.unwrap();
    }
    let to = |from, until| moved_to(span(from, until), span(from, until), None);
    change(world, &made[0], to(120, 150)).await.unwrap();
    assert_eq!(seats(world, &scene).await, [(60, 1), (120, 0), (120, 1)]);
    let full = change(world, &made[1], to(120, 150)).await;
    assert!(matches!(full, Err(StoreError::Overlap)), "{full:?}");
    assert_eq!(seats(world, &scene).await, [(60, 1), (120, 0), (120, 1)], "and nothing changed");

    // With a provider both seats are held until it is settled; what it knows already keeps its seat.
    let job = world.leased(&scene, made[2].id);
    let there = moved_to(span(300, 330), span(300, 330), Some(job));
    let moving = change(world, &made[2], there).await.unwrap();
    assert_eq!(seats(world, &scene).await, [(60, 1), (120, 0), (120, 1), (300, 0)]);
    let synced =
        BookingChange::Delivered { external: external_booking("t", span(300, 330)), padded: span(300, 330) };
    change(world, &moving, synced).await.unwrap();
    assert_eq!(seats(world, &scene).await, [(60, 1), (120, 1), (300, 0)]);
}

/// A booking of two members takes both or neither, whatever the order they are named in.
pub async fn several_members_are_taken_together(world: &World) {
    let scene = world.scene("quay").await;
    let bea = world.member(scene.tenant);
    let bea_id = bea.id;
    world.store.create_member(bea, world.audit()).await.unwrap();
    let both = |when, swapped: bool| {
        let mut new = world.booking(&scene, when);
        let (first, second) = if swapped { (bea_id, scene.member) } else { (scene.member, bea_id) };
        (new.booking.member, new.booking.other_members) = (first, vec![second]);
        new
    };
    let results = at_once((0..30).map(|n| {
        let (store, audit, new) = (world.store.clone(), world.audit(), both(span(60, 90), n % 2 == 1));
        async move { store.create_booking(new, audit).await }
    }))
    .await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
    for result in &results {
        assert!(matches!(result, Ok(_) | Err(StoreError::Overlap)), "{result:?}");
    }

    let mut busy = world.booking(&scene, span(200, 230));
    busy.booking.member = bea_id;
    world.store.create_booking(busy, world.audit()).await.unwrap();
    let refused = both(span(210, 240), false);
    let id = refused.booking.id;
    assert!(matches!(world.store.create_booking(refused, world.audit()).await, Err(StoreError::Overlap)));
    assert!(matches!(world.store.booking(scene.tenant, id).await, Err(StoreError::NotFound(_))));
    assert_eq!(world.taken(&scene).await, [(60, 90)], "all or nothing");

    let filter = BookingFilter { member: Some(bea_id), ..BookingFilter::default() };
    let listed = world.store.list_bookings(scene.tenant, filter, 10).await.unwrap();
    assert_eq!(listed.len(), 2, "also where somebody else is the organiser");
    let counted = Counted::StartingIn(span(0, 600));
    let members = [scene.member, bea_id];
    let had =
        world.store.assigned(scene.tenant, scene.event_type, &members, counted, minute(0)).await.unwrap();
    assert_eq!(had.iter().map(|a| a.upcoming).collect::<Vec<_>>(), [1, 2]);
    let together = listed.into_iter().find(|b| !b.other_members.is_empty()).unwrap();
    change(world, &together, BookingChange::Cancel { reason: None }).await.unwrap();
    assert_eq!(world.taken(&scene).await, []);
}

/// Who takes part after a move, and after its refusal, in the order that was chosen.
pub async fn members_change_with_a_move_and_come_back(world: &World) {
    let scene = world.scene("quay").await;
    let mut others = Vec::new();
    for _ in 0..3 {
        let member = world.member(scene.tenant);
        others.push(member.id);
        world.store.create_member(member, world.audit()).await.unwrap();
    }
    others.reverse();
    let mut new = world.booking(&scene, span(60, 90));
    new.booking.connection = Some(scene.connection);
    new.booking.other_members = vec![others[0], others[1]];
    let booking = new.booking.clone();
    let customer = world.store.create_booking(new, world.audit()).await.unwrap();
    let booking = Booking { customer, ..booking };
    let read = async || world.store.booking(scene.tenant, booking.id).await.unwrap();
    assert_eq!(read().await, booking);

    let occupancy = Occupancy { padded: span(200, 230), when: span(200, 230) };
    let hosts =
        Some(Hosts { member: others[2], other_members: vec![scene.member, others[0]], assignment: None });
    let moved = ChangeOrder {
        change: BookingChange::Reschedule { occupancy, hosts },
        job: Some(world.leased(&scene, booking.id)),
        limits: Vec::new(),
    };
    let moving = change(world, &booking, moved).await.unwrap();
    assert_eq!(read().await, moving);
    assert_eq!(moving.members().collect::<Vec<_>>(), [others[2], scene.member, others[0]]);
    let of = async |member| {
        let filter = BookingFilter { member: Some(member), ..BookingFilter::default() };
        world.store.list_bookings(scene.tenant, filter, 10).await.unwrap()
    };
    assert_eq!((of(others[0]).await, of(others[1]).await.len()), (vec![moving.clone()], 0));

    let occupancy = Occupancy { padded: span(60, 90), when: span(60, 90) };
    let refused = BookingChange::RescheduleRefused { reason: "Late".into(), occupancy, external: None };
    let back = change(world, &moving, refused).await.unwrap();
    assert_eq!(back.members().collect::<Vec<_>>(), [scene.member, others[0], others[1]]);
    assert_eq!(read().await, back);
    assert_eq!((of(others[1]).await, of(others[2]).await.len()), (vec![back], 0));
    // Who has bookings is not deleted from under them.
    let gone = world.store.delete_member(scene.tenant, others[1], world.audit()).await;
    assert!(matches!(gone, Err(StoreError::InUse(_))), "{gone:?}");
}
