//! Holds: kept for a while, given up by themselves.

use berth_model::{bookings::hold::HoldRecord, time::Interval};
use berth_store::{StoreError, records::NewHold};

use crate::world::{NOON, Scene, World, at_once, minute, span};

/// A hold of the scene's member's time that ends so many minutes after noon.
fn hold(world: &World, scene: &Scene, when: Interval, until: i64) -> NewHold {
    let hold = HoldRecord {
        id: world.id(),
        tenant: scene.tenant,
        event_type: scene.event_type,
        member: scene.member,
        other_members: Vec::new(),
        when,
        token_hash: [7; 32],
        expires_at: minute(until),
        created_at: world.now(),
    };
    NewHold { hold, padded: when, seats: 1 }
}

pub async fn a_hold_keeps_a_place_until_it_is_over(world: &World) {
    let scene = world.scene("quay").await;
    let new = hold(world, &scene, span(60, 90), 5);
    let id = new.hold.id;
    world.store.create_hold(new.clone(), world.audit()).await.unwrap();
    assert_eq!(world.store.hold(scene.tenant, id, minute(4)).await.unwrap(), new.hold);
    let booking = world.booking(&scene, span(60, 90));
    let refused = world.store.create_booking(booking.clone(), world.audit()).await;
    assert!(matches!(refused, Err(StoreError::Overlap)), "{refused:?}");
    let taken =
        async |now| world.store.busy_times(scene.tenant, &[scene.member], span(0, 600), now).await.unwrap();
    assert_eq!(taken(minute(4)).await[0].hold, Some(id));

    // Equality is over.
    assert!(taken(minute(5)).await.is_empty());
    assert!(matches!(world.store.hold(scene.tenant, id, minute(5)).await, Err(StoreError::NotFound("hold"))));
    let mut late = world.audit();
    late.at = minute(5);
    assert!(matches!(
        world.store.extend_hold(scene.tenant, id, minute(9), late.clone()).await,
        Err(StoreError::NotFound("hold"))
    ));
    assert!(matches!(
        world.store.release_hold(scene.tenant, id, late.clone()).await,
        Err(StoreError::NotFound("hold"))
    ));
    // Nobody swept: the booking removes it on its way.
    world.store.create_booking(booking.clone(), late).await.unwrap();
    assert_eq!(taken(minute(4)).await[0].booking, Some(booking.booking.id));
}

pub async fn a_hold_is_extended_released_and_swept(world: &World) {
    let scene = world.scene("quay").await;
    let first = hold(world, &scene, span(60, 90), 5);
    let id = first.hold.id;
    assert_eq!(world.taken(&scene).await, []);
    world.store.create_hold(first, world.audit()).await.unwrap();
    assert_eq!(world.taken_at(&scene, minute(4)).await, [(60, 90)]);
    assert_eq!(world.taken_at(&scene, minute(10)).await, []);
    world.store.extend_hold(scene.tenant, id, minute(20), world.audit()).await.unwrap();
    assert_eq!(world.taken_at(&scene, minute(10)).await, [(60, 90)]);
    assert_eq!(world.store.hold(scene.tenant, id, minute(10)).await.unwrap().expires_at, minute(20));
    let mut later = world.audit();
    later.at = minute(10);
    let second = hold(world, &scene, span(60, 90), 30);
    let refused = world.store.create_hold(second.clone(), later.clone()).await;
    assert!(matches!(refused, Err(StoreError::Overlap)), "{refused:?}");
    world.store.release_hold(scene.tenant, id, later).await.unwrap();
    assert_eq!(world.taken_at(&scene, minute(10)).await, []);
    let entries = world.store.timeline(scene.tenant, "hold", id.uuid()).await.unwrap();
    let actions: Vec<_> = entries.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions, ["hold.created", "hold.extended", "hold.released"]);

    world.store.create_hold(second, world.audit()).await.unwrap();
    world.store.prune(minute(29)).await.unwrap();
    assert_eq!(world.taken(&scene).await, [(60, 90)]);
    assert_eq!(world.store.prune(minute(30)).await.unwrap(), 2, "the hold and its occupancy");
    assert_eq!(world.taken_at(&scene, minute(30)).await, []);
    let walled = hold(world, &scene, span(60, 90), 30);
    world.store.create_hold(walled.clone(), world.audit()).await.unwrap();
    let other = world.scene("other").await;
    for result in [
        world.store.hold(other.tenant, walled.hold.id, NOON).await.map(drop),
        world.store.release_hold(other.tenant, walled.hold.id, world.audit()).await,
    ] {
        assert!(matches!(result, Err(StoreError::NotFound("hold"))), "{result:?}");
    }
}

pub async fn a_booking_takes_its_own_hold_over_once(world: &World) {
    let scene = world.scene("quay").await;
    let new = hold(world, &scene, span(60, 90), 5);
    world.store.create_hold(new.clone(), world.audit()).await.unwrap();
    let results = at_once((0..20).map(|_| {
        let (store, audit) = (world.store.clone(), world.audit());
        let mut booking = world.booking(&scene, span(60, 90));
        booking.hold = Some(new.hold.id);
        async move { store.create_booking(booking, audit).await }
    }))
    .await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
    for result in &results {
        assert!(matches!(result, Ok(_) | Err(StoreError::NotFound("hold"))), "{result:?}");
    }
    assert_eq!(world.taken(&scene).await, [(60, 90)]);
}

/// Many want a place whose hold is just over: one gets it.
pub async fn what_a_hold_kept_is_given_once(world: &World) {
    let scene = world.scene("quay").await;
    for hour in 0..3 {
        let new = hold(world, &scene, span(60 + hour * 10, 70 + hour * 10), 0);
        world.store.create_hold(new, world.audit()).await.unwrap();
    }
    let results = at_once((0..30).map(|n| {
        let (store, audit) = (world.store.clone(), world.audit());
        let booking = world.booking(&scene, span(60, 90));
        let another = hold(world, &scene, span(60, 90), 60);
        async move {
            if n % 2 == 0 {
                store.create_booking(booking, audit).await.map(drop)
            } else {
                store.create_hold(another, audit).await
            }
        }
    }))
    .await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
    for result in &results {
        assert!(matches!(result, Ok(()) | Err(StoreError::Overlap)), "{result:?}");
    }
    assert_eq!(world.taken(&scene).await, [(60, 90)]);
}
