//! Many at once.

use berth_store::StoreError;

use crate::world::{World, at_once, moved_to, span};

const TASKS: i64 = 24;

pub async fn a_slot_is_given_once(world: &World) {
    let scene = world.scene("quay").await;
    let results = at_once((0..TASKS).map(|n| {
        // All of them overlap one another, few of them are equal.
        let (store, new, audit) =
            (world.store.clone(), world.booking(&scene, span(60 + n, 120 + n)), world.audit());
        async move { store.create_booking(new, audit).await }
    }))
    .await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
    for result in &results {
        assert!(matches!(result, Ok(_) | Err(StoreError::Overlap)), "{result:?}");
    }
    assert_eq!(world.taken(&scene).await.len(), 1);
    let bookings = world.store.list_bookings(scene.tenant, Default::default(), 99).await.unwrap();
    assert_eq!(bookings.len(), 1);
}

pub async fn a_refused_write_does_not_hurt_its_neighbours(world: &World) {
    let scene = world.scene("quay").await;
    // Pairs for the same hour: of each, one is refused, whichever is the later.
    let results = at_once((0..2 * TASKS).map(|n| {
        let hour = n / 2;
        let (store, audit) = (world.store.clone(), world.audit());
        let new = world.booking(&scene, span(hour * 60, hour * 60 + 60));
        async move { (new.booking.id, store.create_booking(new, audit).await) }
    }))
    .await;
    for pair in results.chunks(2) {
        let (good, bad): (Vec<_>, Vec<_>) = pair.iter().partition(|(_, result)| result.is_ok());
        assert_eq!((good.len(), bad.len()), (1, 1), "{pair:?}");
        assert!(matches!(bad[0].1, Err(StoreError::Overlap)), "{pair:?}");
        assert!(world.store.booking(scene.tenant, good[0].0).await.is_ok(), "what was acknowledged is there");
        assert!(world.store.booking(scene.tenant, bad[0].0).await.is_err(), "what was refused is not");
        assert!(world.actions(scene.tenant, bad[0].0).await.is_empty());
    }
    assert_eq!(i64::try_from(world.taken(&scene).await.len()), Ok(TASKS));
}

pub async fn a_write_that_fails_half_way_leaves_nothing(world: &World) {
    let scene = world.scene("quay").await;
    let results = at_once((0..2 * TASKS).map(|n| {
        let (store, audit) = (world.store.clone(), world.audit());
        let mut new = world.booking(&scene, span(n * 60, n * 60 + 60));
        if n % 2 == 1 {
            // Takes its place, and only then turns out to be for nothing that exists.
            new.booking.event_type = world.id();
        }
        async move { store.create_booking(new, audit).await }
    }))
    .await;
    for (n, result) in results.iter().enumerate() {
        assert_eq!(result.is_ok(), n % 2 == 0, "{n}: {result:?}");
    }
    let kept: Vec<_> = (0..TASKS).map(|n| (n * 120, n * 120 + 60)).collect();
    assert_eq!(world.taken(&scene).await, kept);
}

pub async fn moves_do_not_cross(world: &World) {
    let scene = world.scene("quay").await;
    let mut bookings = Vec::new();
    for n in 0..TASKS {
        let new = world.booking(&scene, span(n * 60, n * 60 + 60));
        bookings.push(new.booking.clone());
        world.store.create_booking(new, world.audit()).await.unwrap();
    }
    // All want the same free hour.
    let free = span(TASKS * 60, TASKS * 60 + 60);
    let results = at_once(bookings.into_iter().map(|booking| {
        let (store, audit) = (world.store.clone(), world.audit());
        let to = moved_to(free, free, None);
        async move { store.change_booking(booking.tenant, booking.id, 0, to, None, audit).await }
    }))
    .await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
    for result in &results {
        assert!(matches!(result, Ok(_) | Err(StoreError::Overlap)), "{result:?}");
    }
    let taken = world.taken(&scene).await;
    assert_eq!(i64::try_from(taken.len()), Ok(TASKS));
    assert!(taken.windows(2).all(|pair| pair[0].1 <= pair[1].0), "{taken:?}");
}
