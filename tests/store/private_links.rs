//! Links to one event type.

use berth_model::{
    catalog::private_link::{LinkState, PrivateLink},
    limits,
};
use berth_store::{StoreError, records::NewBooking};

use crate::world::{Scene, World, at_once, minute, span};

fn link(world: &World, scene: &Scene, single_use: bool) -> PrivateLink {
    PrivateLink {
        id: world.id(),
        tenant: scene.tenant,
        event_type: scene.event_type,
        name: "Ada".into(),
        single_use,
        uses: 0,
        last_used_at: None,
        expires_at: None,
        there: None,
        created_at: world.now(),
    }
}

async fn made(world: &World, scene: &Scene, single_use: bool) -> PrivateLink {
    let link = link(world, scene, single_use);
    world.store.create_private_link(link.clone(), world.audit()).await.unwrap();
    link
}

pub async fn links_are_kept_within_their_tenant(world: &World) {
    let (scene, other) = (world.scene("quay").await, world.scene("pier").await);
    let first = made(world, &scene, true).await;
    let second = made(world, &scene, false).await;
    assert_eq!(world.store.private_link(scene.tenant, first.id).await.unwrap(), first);
    let all = world.store.list_private_links(scene.tenant, Some(scene.event_type), None, 10).await.unwrap();
    assert_eq!(all, [first.clone(), second.clone()]);
    let rest = world.store.list_private_links(scene.tenant, None, Some(first.id), 10).await.unwrap();
    assert_eq!(rest, std::slice::from_ref(&second));
    // Another tenant's are not there.
    let foreign = world.store.private_link(other.tenant, first.id).await;
    assert!(matches!(foreign, Err(StoreError::NotFound("link"))), "{foreign:?}");
    let foreign = world.store.delete_private_link(other.tenant, first.id, world.audit()).await;
    assert!(matches!(foreign, Err(StoreError::NotFound("link"))), "{foreign:?}");
    assert!(world.store.list_private_links(other.tenant, None, None, 10).await.unwrap().is_empty());
    let astray = PrivateLink { event_type: other.event_type, ..link(world, &scene, true) };
    let astray = world.store.create_private_link(astray, world.audit()).await;
    assert!(matches!(astray, Err(StoreError::NotFound("event type"))), "{astray:?}");

    world.store.delete_private_link(scene.tenant, second.id, world.audit()).await.unwrap();
    // An event type takes its links along.
    world.store.delete_event_type(scene.tenant, scene.event_type, world.audit()).await.unwrap();
    assert!(world.store.list_private_links(scene.tenant, None, None, 10).await.unwrap().is_empty());
}

pub async fn a_link_for_one_booking_is_used_once(world: &World) {
    let scene = world.scene("quay").await;
    let link = made(world, &scene, true).await;
    let by = |n: i64| NewBooking {
        private_link: Some(link.id),
        ..world.booking(&scene, span(n * 60, n * 60 + 30))
    };
    // What is not booked uses nothing up.
    world.store.create_booking(world.booking(&scene, span(0, 30)), world.audit()).await.unwrap();
    let taken = world.store.create_booking(by(0), world.audit()).await;
    assert!(matches!(taken, Err(StoreError::Overlap)), "{taken:?}");
    assert_eq!(world.store.private_link(scene.tenant, link.id).await.unwrap().uses, 0);
    // At times that are all free: it is the link that only one has.
    let results = at_once((1..=8).map(|n| {
        let (store, new, audit) = (world.store.clone(), by(n), world.audit());
        async move { store.create_booking(new, audit).await }
    }))
    .await;
    let won = results.iter().filter(|result| result.is_ok()).count();
    assert_eq!(won, 1, "{results:?}");
    let lost = |result: &&Result<_, StoreError>| matches!(result, Err(StoreError::NotFound("open link")));
    assert_eq!(results.iter().filter(lost).count(), 7, "{results:?}");
    let used = world.store.private_link(scene.tenant, link.id).await.unwrap();
    assert_eq!((used.uses, used.state(world.now())), (1, LinkState::Used));
    assert!(used.last_used_at.is_some());
}

pub async fn a_link_ends_with_its_time_and_leads_to_one_event_type(world: &World) {
    let scene = world.scene("quay").await;
    let ends = PrivateLink { expires_at: Some(minute(5)), ..link(world, &scene, false) };
    world.store.create_private_link(ends.clone(), world.audit()).await.unwrap();
    let by = |n: i64| NewBooking {
        private_link: Some(ends.id),
        ..world.booking(&scene, span(n * 60, n * 60 + 30))
    };
    let book = async |n: i64, at: i64| {
        let mut audit = world.audit();
        audit.at = minute(at);
        world.store.create_booking(by(n), audit).await
    };
    book(1, 3).await.unwrap();
    book(2, 4).await.unwrap();
    let late = book(3, 5).await;
    assert!(matches!(late, Err(StoreError::NotFound("open link"))), "equality is over: {late:?}");
    assert_eq!(world.store.private_link(scene.tenant, ends.id).await.unwrap().uses, 2);

    let other = world.event_type(scene.tenant, scene.listing, "shave", vec![scene.member]);
    world.store.create_event_type(other.clone(), world.audit()).await.unwrap();
    let elsewhere = made(world, &scene, true).await;
    let mut astray = NewBooking { private_link: Some(elsewhere.id), ..world.booking(&scene, span(600, 630)) };
    astray.booking.event_type = other.id;
    let astray = world.store.create_booking(astray, world.audit()).await;
    assert!(matches!(astray, Err(StoreError::NotFound("open link"))), "{astray:?}");
}

pub async fn one_event_type_has_so_many_links(world: &World) {
    let scene = world.scene("quay").await;
    let used = made(world, &scene, true).await;
    let new = NewBooking { private_link: Some(used.id), ..world.booking(&scene, span(60, 90)) };
    world.store.create_booking(new, world.audit()).await.unwrap();
    for _ in 1..limits::PRIVATE_LINKS_OF_ONE_MAX {
        made(world, &scene, true).await;
    }
    let many = world.store.create_private_link(link(world, &scene, true), world.audit()).await;
    assert!(matches!(many, Err(StoreError::TooMany(limits::PRIVATE_LINKS_OF_ONE_MAX))), "{many:?}");
    // One that has been over for long makes room, those that are open do not.
    let mut later = world.audit();
    later.at = world.now().plus_seconds(limits::PRIVATE_LINKS_KEPT_DAYS * 86_400);
    world.store.create_private_link(link(world, &scene, true), later).await.unwrap();
    let gone = world.store.private_link(scene.tenant, used.id).await;
    assert!(matches!(gone, Err(StoreError::NotFound("link"))), "{gone:?}");
}
