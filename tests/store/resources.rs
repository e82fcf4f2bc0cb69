//! Tenants, keys, listings, members, event types.

use berth_model::{
    catalog::{
        event_type::EventTypeRecord,
        listing::ListingRecord,
        member::{MemberRecord, MemberRole},
    },
    tenants::version::ApiVersion,
};
use berth_store::{
    StoreError,
    records::{ApiKeyRecord, KeyPatch},
};

use crate::world::{NOON, World, minute, span};

pub async fn tenants_are_kept(world: &World) {
    let mut tenant = world.tenant("quay");
    world.store.create_tenant(tenant.clone(), world.audit()).await.unwrap();
    assert_eq!(world.store.tenant(tenant.id).await.unwrap(), tenant);
    assert_eq!(world.store.tenant_by_slug("quay").await.unwrap(), tenant);
    let again = world.store.create_tenant(world.tenant("quay"), world.audit()).await;
    assert!(matches!(again, Err(StoreError::Duplicate(_))), "{again:?}");

    tenant.name = "Harbour".into();
    tenant.settings.public = true;
    tenant.settings.brand.accent = Some("#1a7f5a".into());
    let changed = world.store.update_tenant(tenant.clone(), 1, world.audit()).await.unwrap();
    assert_eq!(changed, berth_model::catalog::listing::TenantRecord { revision: 2, ..tenant.clone() });
    assert_eq!(world.store.list_tenants().await.unwrap(), [changed]);
    let stale = world.store.update_tenant(tenant, 1, world.audit()).await;
    assert!(matches!(stale, Err(StoreError::Stale)), "{stale:?}");
    let unknown = world.store.update_tenant(world.tenant("none"), 1, world.audit()).await;
    assert!(matches!(unknown, Err(StoreError::NotFound("tenant"))));
    assert!(matches!(world.store.tenant_by_slug("none").await, Err(StoreError::NotFound("tenant"))));

    let (a, b) = (world.scene("a").await, world.scene("b").await);
    let mut tenant = world.store.tenant(a.tenant).await.unwrap();
    tenant.default_connection = Some(a.connection);
    world.store.update_tenant(tenant.clone(), 1, world.audit()).await.unwrap();
    tenant.default_connection = Some(b.connection);
    let foreign = world.store.update_tenant(tenant, 2, world.audit()).await;
    assert!(matches!(foreign, Err(StoreError::NotFound("connection"))), "{foreign:?}");
    let used = world.store.delete_connection(a.tenant, a.connection, world.audit()).await;
    assert!(matches!(used, Err(StoreError::InUse(_))), "{used:?}");
}

pub async fn keys_are_found_by_hash(world: &World) {
    let tenant = world.tenant("quay");
    world.store.create_tenant(tenant.clone(), world.audit()).await.unwrap();
    let mut key = ApiKeyRecord {
        id: world.id(),
        tenant: Some(tenant.id),
        name: "Front desk".into(),
        prefix: "bk_abc".into(),
        scopes: vec!["bookings:write".into()],
        requests_per_minute: Some(30),
        version: ApiVersion::LATEST,
        sources: vec!["192.0.2.0/24".to_owned()],
        created_at: minute(0),
        expires_at: Some(minute(60)),
        revoked_at: None,
        last_used_at: None,
    };
    world.store.create_key(key.clone(), [1; 32], world.audit()).await.unwrap();
    let operator = ApiKeyRecord { id: world.id(), tenant: None, expires_at: None, ..key.clone() };
    world.store.create_key(operator.clone(), [2; 32], world.audit()).await.unwrap();
    let patch = KeyPatch { version: Some(ApiVersion::FIRST), sources: None };
    world.store.change_key(Some(tenant.id), key.id, patch, world.audit()).await.unwrap();
    key.version = ApiVersion::FIRST;
    let twice = ApiKeyRecord { id: world.id(), ..key.clone() };
    let twice = world.store.create_key(twice, [1; 32], world.audit()).await;
    assert!(matches!(twice, Err(StoreError::Duplicate(_))), "{twice:?}");
    let orphan = ApiKeyRecord { id: world.id(), tenant: Some(world.id()), ..key.clone() };
    let orphan = world.store.create_key(orphan, [3; 32], world.audit()).await;
    assert!(matches!(orphan, Err(StoreError::NotFound(_))), "{orphan:?}");

    assert_eq!(world.store.key_by_hash([1; 32]).await.unwrap().0, key);
    assert_eq!(world.store.list_keys(None).await.unwrap(), std::slice::from_ref(&operator));
    world.store.touch_key(key.tenant, key.id, minute(2)).await.unwrap();
    let foreign = world.store.revoke_key(None, key.id, world.audit()).await;
    assert!(matches!(foreign, Err(StoreError::NotFound("key"))));
    let audit = world.audit();
    world.store.revoke_key(Some(tenant.id), key.id, audit.clone()).await.unwrap();
    key.last_used_at = Some(minute(2));
    key.revoked_at = Some(audit.at);
    assert_eq!(world.store.list_keys(Some(tenant.id)).await.unwrap(), [key]);
    assert!(matches!(world.store.key_by_hash([9; 32]).await, Err(StoreError::NotFound("key"))));
}

pub async fn listings_are_edited_in_turn(world: &World) {
    let tenant = world.tenant("quay");
    world.store.create_tenant(tenant.clone(), world.audit()).await.unwrap();
    let one = world.listing(tenant.id, "one");
    let two = world.listing(tenant.id, "two");
    for listing in [&one, &two] {
        world.store.create_listing(listing.clone(), world.audit()).await.unwrap();
    }
    let taken = world.store.create_listing(world.listing(tenant.id, "one"), world.audit()).await;
    assert!(matches!(taken, Err(StoreError::Duplicate(_))));
    assert_eq!(
        world.store.list_listings(tenant.id, false, None, 1).await.unwrap(),
        std::slice::from_ref(&one)
    );
    assert_eq!(
        world.store.list_listings(tenant.id, false, Some(one.id), 9).await.unwrap(),
        std::slice::from_ref(&two)
    );

    let edited = ListingRecord { title: "Pier 2".into(), active: false, ..one.clone() };
    let audit = world.audit();
    let saved = world.store.update_listing(edited.clone(), 1, audit.clone()).await.unwrap();
    assert_eq!(saved, ListingRecord { revision: 2, updated_at: audit.at, ..edited.clone() });
    assert_eq!(world.store.listing(tenant.id, one.id).await.unwrap(), saved);
    let stale = world.store.update_listing(edited.clone(), 1, world.audit()).await;
    assert!(matches!(stale, Err(StoreError::Stale)));
    let taken = ListingRecord { slug: "two".into(), ..edited };
    let taken = world.store.update_listing(taken, 2, world.audit()).await;
    assert!(matches!(taken, Err(StoreError::Duplicate(_))));
    world.store.delete_listing(tenant.id, one.id, world.audit()).await.unwrap();
    let gone = world.store.delete_listing(tenant.id, one.id, world.audit()).await;
    assert!(matches!(gone, Err(StoreError::NotFound("listing"))));
    let actions: Vec<_> = world
        .store
        .timeline(tenant.id, "listing", one.id.uuid())
        .await
        .unwrap()
        .into_iter()
        .map(|e| e.action)
        .collect();
    assert_eq!(actions, ["listing.created", "listing.updated", "listing.deleted"]);
}

pub async fn members_are_edited_in_turn(world: &World) {
    let tenant = world.tenant("quay");
    world.store.create_tenant(tenant.clone(), world.audit()).await.unwrap();
    let one = world.member(tenant.id);
    let two = world.member(tenant.id);
    for member in [&one, &two] {
        world.store.create_member(member.clone(), world.audit()).await.unwrap();
    }
    assert_eq!(world.store.list_members(tenant.id, Some(one.id), 9).await.unwrap(), [two]);
    let edited = MemberRecord { email: None, weekly_hours: Vec::new(), ..one.clone() };
    let audit = world.audit();
    let saved = world.store.update_member(edited.clone(), 1, audit.clone()).await.unwrap();
    assert_eq!(saved, MemberRecord { revision: 2, updated_at: audit.at, ..edited.clone() });
    assert_eq!(world.store.member(tenant.id, one.id).await.unwrap(), saved);
    assert!(matches!(world.store.update_member(edited, 1, world.audit()).await, Err(StoreError::Stale)));
    world.store.delete_member(tenant.id, one.id, world.audit()).await.unwrap();
    assert!(matches!(world.store.member(tenant.id, one.id).await, Err(StoreError::NotFound("member"))));
}

pub async fn the_last_owner_stays(world: &World) {
    let tenant = world.tenant("quay");
    world.store.create_tenant(tenant.clone(), world.audit()).await.unwrap();
    let owners = [0, 1].map(|_| MemberRecord { role: MemberRole::Owner, ..world.member(tenant.id) });
    for owner in &owners {
        world.store.create_member(owner.clone(), world.audit()).await.unwrap();
    }
    // Both go at the same time: one of them stays.
    let demoted = owners.clone().map(|owner| MemberRecord { role: MemberRole::Viewer, ..owner });
    let [one, two] = demoted.map(|member| world.store.update_member(member, 1, world.audit()));
    let results = tokio::join!(one, two);
    let (stays, goes) = match results {
        (Ok(gone), Err(StoreError::LastOwner)) => (&owners[1], gone),
        (Err(StoreError::LastOwner), Ok(gone)) => (&owners[0], gone),
        other => panic!("{other:?}"),
    };
    let deleted = world.store.delete_member(tenant.id, stays.id, world.audit()).await;
    assert!(matches!(deleted, Err(StoreError::LastOwner)), "{deleted:?}");
    let idle = MemberRecord { active: false, ..stays.clone() };
    let refused = world.store.update_member(idle, 1, world.audit()).await;
    assert!(matches!(refused, Err(StoreError::LastOwner)), "{refused:?}");
    assert_eq!(world.store.member(tenant.id, stays.id).await.unwrap(), *stays);
    world.store.delete_member(tenant.id, goes.id, world.audit()).await.unwrap();
}

pub async fn event_types_keep_their_members_in_order(world: &World) {
    let scene = world.scene("quay").await;
    let second = world.member(scene.tenant);
    let idle = MemberRecord { active: false, ..world.member(scene.tenant) };
    for member in [&second, &idle] {
        world.store.create_member(member.clone(), world.audit()).await.unwrap();
    }
    let members = vec![second.id, idle.id, scene.member];
    let other = world.event_type(scene.tenant, scene.listing, "colour", members.clone());
    world.store.create_event_type(other.clone(), world.audit()).await.unwrap();
    assert_eq!(world.store.event_type(scene.tenant, other.id).await.unwrap(), other);
    let of_listing =
        world.store.list_event_types(scene.tenant, Some(scene.listing), false, None, 9).await.unwrap();
    assert_eq!(of_listing.len(), 2);
    assert_eq!(of_listing[1], other);
    let page =
        world.store.list_event_types(scene.tenant, None, false, Some(scene.event_type), 9).await.unwrap();
    assert_eq!(page, std::slice::from_ref(&other));
    let none = world.store.list_event_types(scene.tenant, Some(world.id()), false, None, 9).await.unwrap();
    assert!(none.is_empty());

    let found = world.store.booking_setup(scene.tenant, other.id).await.unwrap().records;
    assert_eq!((found.tenant.id, found.listing.id, &found.event_type), (scene.tenant, scene.listing, &other));
    assert_eq!(
        found.members.iter().map(|m| m.id).collect::<Vec<_>>(),
        [second.id, scene.member],
        "active ones, in order"
    );

    let edited =
        EventTypeRecord { members: vec![scene.member, second.id], slot_interval_minutes: None, ..other };
    let saved = world.store.update_event_type(edited.clone(), 1, world.audit()).await.unwrap();
    assert_eq!((saved.revision, &saved.members), (2, &edited.members));
    assert_eq!(world.store.event_type(scene.tenant, saved.id).await.unwrap(), saved);
    let stale = world.store.update_event_type(edited.clone(), 1, world.audit()).await;
    assert!(matches!(stale, Err(StoreError::Stale)));
    let foreign = EventTypeRecord { members: vec![world.id()], ..edited.clone() };
    let foreign = world.store.update_event_type(foreign, 2, world.audit()).await;
    assert!(matches!(foreign, Err(StoreError::NotFound("member"))), "{foreign:?}");
    assert_eq!(
        world.store.event_type(scene.tenant, saved.id).await.unwrap(),
        saved,
        "rolled back as a whole"
    );
    world.store.delete_event_type(scene.tenant, saved.id, world.audit()).await.unwrap();
    let gone = world.store.event_type(scene.tenant, saved.id).await;
    assert!(matches!(gone, Err(StoreError::NotFound("event type"))));
}

pub async fn tenants_are_walls(world: &World) {
    let (a, b) = (world.scene("a").await, world.scene("b").await);
    let new = world.pending(&a, span(60, 90));
    let booking = new.booking.id;
    world.store.create_booking(new, world.audit()).await.unwrap();
    let store = &world.store;
    assert!(matches!(store.listing(b.tenant, a.listing).await, Err(StoreError::NotFound(_))));
    assert!(matches!(store.member(b.tenant, a.member).await, Err(StoreError::NotFound(_))));
    assert!(matches!(store.event_type(b.tenant, a.event_type).await, Err(StoreError::NotFound(_))));
    assert!(matches!(store.booking_setup(b.tenant, a.event_type).await, Err(StoreError::NotFound(_))));
    assert!(matches!(store.connection(b.tenant, a.connection).await, Err(StoreError::NotFound(_))));
    assert!(matches!(
        store.connection_credentials(b.tenant, a.connection).await,
        Err(StoreError::NotFound(_))
    ));
    assert!(matches!(store.booking(b.tenant, booking).await, Err(StoreError::NotFound(_))));
    let state = store.state_set(b.tenant, a.connection, "cursor", vec![1]).await;
    assert!(matches!(state, Err(StoreError::NotFound(_))));
    let deleted = store.delete_member(b.tenant, a.member, world.audit()).await;
    assert!(matches!(deleted, Err(StoreError::NotFound(_))));
    let listing = store.listing(a.tenant, a.listing).await.unwrap();
    let moved = ListingRecord { tenant: b.tenant, ..listing };
    assert!(matches!(store.update_listing(moved, 1, world.audit()).await, Err(StoreError::NotFound(_))));
    let mixed = world.event_type(b.tenant, b.listing, "mixed", vec![a.member]);
    assert!(matches!(store.create_event_type(mixed, world.audit()).await, Err(StoreError::NotFound(_))));
    let mixed = world.event_type(b.tenant, a.listing, "mixed", vec![]);
    assert!(matches!(store.create_event_type(mixed, world.audit()).await, Err(StoreError::NotFound(_))));
    let mut mixed = world.booking(&b, span(0, 30));
    mixed.booking.member = a.member;
    assert!(matches!(store.create_booking(mixed, world.audit()).await, Err(StoreError::NotFound(_))));
    let mut mixed = world.booking(&b, span(0, 30));
    mixed.booking.event_type = a.event_type;
    assert!(matches!(store.create_booking(mixed, world.audit()).await, Err(StoreError::NotFound(_))));
    assert!(world.taken(&b).await.is_empty(), "the occupancy was given back");
    assert!(store.list_bookings(b.tenant, Default::default(), 9).await.unwrap().is_empty());
    assert!(store.busy_times(b.tenant, &[a.member], span(0, 600), NOON).await.unwrap().is_empty());
    assert!(store.timeline(b.tenant, "booking", booking.uuid()).await.unwrap().is_empty());
    assert_eq!(store.connection_by_id(a.connection).await.unwrap().tenant, a.tenant);
}

pub async fn what_is_in_use_stays(world: &World) {
    let scene = world.scene("quay").await;
    world.store.create_booking(world.pending(&scene, span(60, 90)), world.audit()).await.unwrap();
    let store = &world.store;
    let results = [
        store.delete_listing(scene.tenant, scene.listing, world.audit()).await,
        store.delete_member(scene.tenant, scene.member, world.audit()).await,
        store.delete_event_type(scene.tenant, scene.event_type, world.audit()).await,
        store.delete_connection(scene.tenant, scene.connection, world.audit()).await,
    ];
    for result in results {
        assert!(matches!(result, Err(StoreError::InUse(_))), "{result:?}");
    }
}
