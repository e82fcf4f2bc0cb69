//! Limits hold under races; several bookings are made together.

use berth_model::{
    bookings::change::BookingChange,
    scheduling::rules::{Limit, Quantity},
};
use berth_store::{
    StoreError,
    records::{ChangeOrder, MemberLimit, NewBooking},
};

use crate::world::{Scene, World, at_once, moved_to, span};

fn limited(world: &World, scene: &Scene, from: i64, length: i64, most: Quantity) -> NewBooking {
    let daily: Limit = serde_json::from_str(r#"{"per": "day", "max_bookings": 1}"#).unwrap();
    let limit = Limit { most, ..daily };
    // The days of this world begin at noon.
    let day = span(from.div_euclid(1_440) * 1_440, (from.div_euclid(1_440) + 1) * 1_440);
    let mut new = world.booking(scene, span(from, from + length));
    new.limits = vec![MemberLimit { member: scene.member, limit, period: day }];
    new
}

pub async fn a_limit_is_not_exceeded_by_racing_bookings(world: &World) {
    let scene = world.scene("quay").await;
    for most in [Quantity::MaxBookings(7), Quantity::MaxMinutes(90)] {
        // All at different times of one day: only the limit is in their way.
        let day = if matches!(most, Quantity::MaxBookings(_)) { 0 } else { 1_440 };
        let results = at_once((0..40).map(|n| {
            let (store, audit) = (world.store.clone(), world.audit());
            let new = limited(world, &scene, day + n * 20, 13, most);
            async move { store.create_booking(new, audit).await }
        }))
        .await;
        // Six of thirteen minutes are 78; a seventh would be 91.
        let made = if day == 0 { 7 } else { 6 };
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), made, "{results:?}");
        for result in &results {
            assert!(matches!(result, Ok(_) | Err(StoreError::LimitReached(_))), "{result:?}");
        }
    }
}

pub async fn a_limit_counts_what_it_should(world: &World) {
    counts_what_it_should(world, 1).await;
}

/// So many that they are counted together.
pub async fn the_limits_of_a_large_team_count_the_same(world: &World) {
    counts_what_it_should(world, 40).await;
}

async fn counts_what_it_should(world: &World, times: usize) {
    let scene = world.scene("quay").await;
    let limited = |world: &World, scene: &Scene, from, length, most| {
        let mut new = limited(world, scene, from, length, most);
        new.limits = new.limits.repeat(times);
        new
    };
    let most = Quantity::MaxBookings(2);
    let mut made = Vec::new();
    for from in [60, 120] {
        let new = limited(world, &scene, from, 30, most);
        made.push(new.booking.clone());
        world.store.create_booking(new, world.audit()).await.unwrap();
    }
    let third = limited(world, &scene, 180, 30, most);
    let book = async |new: &NewBooking| world.store.create_booking(new.clone(), world.audit()).await;
    assert!(matches!(book(&third).await, Err(StoreError::LimitReached(limit)) if limit.most == most));
    let tomorrow = limited(world, &scene, 1_440, 30, most);
    book(&tomorrow).await.unwrap();

    // The booking that moves does not count; one that moves into a full day does.
    let to = |new: &NewBooking, from: i64| ChangeOrder {
        limits: new.limits.clone(),
        ..moved_to(span(from, from + 30), span(from, from + 30), None)
    };
    let change = async |id, sequence, change| {
        world.store.change_booking(scene.tenant, id, sequence, change, None, world.audit_by("operator")).await
    };
    change(made[0].id, 0, to(&third, 300)).await.unwrap();
    let refused = change(tomorrow.booking.id, 0, to(&third, 400)).await;
    assert!(matches!(refused, Err(StoreError::LimitReached(_))), "{refused:?}");

    // What took place counts, what was cancelled does not.
    change(made[0].id, 1, BookingChange::NoShow.into()).await.unwrap();
    assert!(matches!(book(&third).await, Err(StoreError::LimitReached(_))));
    change(made[1].id, 0, BookingChange::Cancel { reason: None }.into()).await.unwrap();
    // A booking counts for each of its members.
    let bea = world.member(scene.tenant);
    let mut together = third.clone();
    (together.booking.member, together.booking.other_members) = (bea.id, vec![scene.member]);
    world.store.create_member(bea, world.audit()).await.unwrap();
    book(&together).await.unwrap();
    let fourth = limited(world, &scene, 240, 30, most);
    assert!(matches!(book(&fourth).await, Err(StoreError::LimitReached(_))));
}

pub async fn several_bookings_are_made_together_or_not_at_all(world: &World) {
    let scene = world.scene("quay").await;
    let series = |starts: &[i64]| {
        let make = |from: &i64| {
            let mut new = limited(world, &scene, *from, 30, Quantity::MaxBookings(4));
            new.booking.series = Some(berth_model::id::Id::from_uuid(uuid::Uuid::from_u128(7)));
            (new, world.audit())
        };
        starts.iter().map(make).collect::<Vec<_>>()
    };
    let create = async |starts: &[i64]| world.store.create_bookings(series(starts)).await;
    create(&[60, 120]).await.unwrap();
    assert!(matches!(create(&[200, 130]).await, Err(StoreError::Overlap)));
    assert!(matches!(create(&[200, 300, 400]).await, Err(StoreError::LimitReached(_))), "its own count too");
    assert_eq!(world.taken(&scene).await, [(60, 90), (120, 150)]);

    let results = at_once((0..20_i64).map(|n| {
        // Half of them the other way round.
        let (store, mut all) = (world.store.clone(), series(&[1_500, 1_560, 1_620]));
        if n % 2 == 0 {
            all.reverse();
        }
        async move { store.create_bookings(all).await }
    }))
    .await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
    for result in &results {
        let typed = matches!(result, Ok(_) | Err(StoreError::Overlap | StoreError::LimitReached(_)));
        assert!(typed, "{result:?}");
    }
}

pub async fn what_ended_is_found_for_the_sweep(world: &World) {
    let scene = world.scene("quay").await;
    let mut made = Vec::new();
    for from in [60, 0] {
        let new = world.booking(&scene, span(from, from + 30));
        made.push(new.booking.clone());
        world.store.create_booking(new, world.audit()).await.unwrap();
    }
    world.store.create_booking(world.pending(&scene, span(100, 110)), world.audit()).await.unwrap();
    let ended = async |minute, limit| {
        let rows = world.store.ended_bookings(crate::world::minute(minute), limit).await.unwrap();
        rows.into_iter()
            .map(|(tenant, id, sequence)| (tenant == scene.tenant, id, sequence))
            .collect::<Vec<_>>()
    };
    assert_eq!(ended(29, 10).await, []);
    assert_eq!(ended(30, 10).await, [(true, made[1].id, 0)]);
    assert_eq!(ended(999, 1).await, [(true, made[1].id, 0)]);
    assert_eq!(ended(999, 10).await, [(true, made[1].id, 0), (true, made[0].id, 0)]);
}

pub async fn what_nobody_answered_is_found_for_the_sweep(world: &World) {
    let scene = world.scene("quay").await;
    // One is confirmed, one is on its way to the provider, two wait for their tenant.
    world.store.create_booking(world.booking(&scene, span(0, 30)), world.audit()).await.unwrap();
    world.store.create_booking(world.pending(&scene, span(30, 60)), world.audit()).await.unwrap();
    let mut waiting = Vec::new();
    for from in [90, 60] {
        let mut new = world.booking(&scene, span(from, from + 30));
        new.booking.status = berth_model::bookings::booking::BookingStatus::Pending;
        waiting.push(new.booking.id);
        world.store.create_booking(new, world.audit()).await.unwrap();
    }
    let found = async |minute, limit| {
        let rows = world.store.unanswered_bookings(crate::world::minute(minute), limit).await.unwrap();
        rows.into_iter().map(|(tenant, id, _)| (tenant == scene.tenant, id)).collect::<Vec<_>>()
    };
    assert_eq!(found(59, 10).await, []);
    assert_eq!(found(60, 10).await, [(true, waiting[1])], "in the moment it begins");
    assert_eq!(found(999, 1).await, [(true, waiting[1])]);
    assert_eq!(found(999, 10).await, [(true, waiting[1]), (true, waiting[0])]);
}
