//! What is closed: connections that are paused or over, tenants that are deleted.

use berth_model::{
    bookings::{
        booking::{BookingStatus, ProviderTask},
        change::BookingChange,
    },
    connections::connection::{ConnectionState, Stopped},
    id::TenantId,
    limits,
    outbound::provider::Subscription,
};
use berth_store::{
    StoreError,
    records::{ChangeOrder, FeedSubject, JobEnd, OAuthFlow, Recovered},
};
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};

use crate::world::{Scene, World, any, credentials, minute, moved_to, span};

/// Numbers in the database, past the store.
async fn numbers(world: &World, statement: &str) -> Vec<(String, i64)> {
    let statement = AssertSqlSafe(statement.to_owned());
    if world.store.engine() == "postgres" {
        let mut conn = PgConnection::connect(&world.url).await.unwrap();
        sqlx::query_as(statement).fetch_all(&mut conn).await.unwrap()
    } else {
        let mut conn = SqliteConnection::connect(&world.url).await.unwrap();
        sqlx::query_as(statement).fetch_all(&mut conn).await.unwrap()
    }
}

/// Tables with rows of tenants.
async fn tables(world: &World) -> Vec<String> {
    let statement = if world.store.engine() == "postgres" {
        "SELECT table_name::text, COUNT(*) FROM information_schema.columns
            WHERE table_schema = 'public' AND column_name = 'tenant_id' GROUP BY table_name"
    } else {
        "SELECT m.name, COUNT(*) FROM sqlite_master m JOIN pragma_table_info(m.name) c
            WHERE m.type = 'table' AND c.name = 'tenant_id' GROUP BY m.name"
    };
    numbers(world, statement).await.into_iter().map(|(name, _)| name).collect()
}

/// Rows of a tenant by table, where there are any.
async fn rows(world: &World, tenant: TenantId) -> Vec<(String, i64)> {
    let id = tenant.uuid();
    let id =
        if world.store.engine() == "postgres" { format!("'{id}'") } else { format!("x'{}'", id.simple()) };
    let mut found = Vec::new();
    for table in tables(world).await {
        let statement = format!("SELECT '{table}', COUNT(*) FROM {table} WHERE tenant_id = {id}");
        found.extend(numbers(world, &statement).await.into_iter().filter(|(_, rows)| *rows > 0));
    }
    found
}

fn flow(world: &World, scene: &Scene) -> OAuthFlow {
    OAuthFlow {
        state_hash: vec![7; 32],
        tenant: scene.tenant,
        connection: scene.connection,
        is_new: false,
        plugin: "tide".parse().unwrap(),
        credential: "api-key".into(),
        return_to: None,
        started_by: "key:1".into(),
        expires_at: world.now().plus_seconds(600),
    }
}

/// A connection with everything that one may have.
async fn full(world: &World) -> Scene {
    let scene = world.scene("quay").await;
    let (store, tenant, id) = (&world.store, scene.tenant, scene.connection);
    let sub = Subscription { id: "first".into(), expires_at: None, data: None };
    store.set_connection_subscription(tenant, id, 0, Some(sub), None, world.audit()).await.unwrap();
    let connection = store.connection(tenant, id).await.unwrap();
    let revision = connection.revision;
    let before = Some((credentials("old_not_a_real_key"), minute(600)));
    let after = credentials("new_not_a_real_key");
    store.change_webhook_secret(connection, after, before, revision, world.audit()).await.unwrap();
    store.state_set(tenant, id, "cursor", vec![1]).await.unwrap();
    store.add_oauth_flow(flow(world, &scene), b"verifier", world.audit()).await.unwrap();
    scene
}

pub async fn what_opens_an_account_is_erased(world: &World) {
    let scene = full(world).await;
    let (store, tenant, id) = (&world.store, scene.tenant, scene.connection);
    assert_eq!(store.stopped(tenant, id).await.unwrap(), None);
    assert_eq!(store.stopped(tenant, world.id()).await.unwrap(), None, "one that is not saved yet");
    let connection = store.connection(tenant, id).await.unwrap();
    for key in ["sync", "messages", "other"] {
        store.enqueue_job(world.job(tenant, key, minute(0))).await.unwrap();
    }
    let keys = || ["sync".to_owned(), "messages".to_owned()];
    let sealed = numbers(
        world,
        "SELECT upper(hex(sealed_credentials)), 1 FROM connections UNION SELECT upper(hex(sealed)), 1 FROM old_webhook_secrets
            UNION SELECT upper(hex(sealed)), 1 FROM oauth_flows",
    );
    let sealed = if world.file.is_some() { sealed.await } else { Vec::new() };
    let stale = store.disconnect(&connection, connection.revision - 1, keys(), world.audit()).await;
    assert!(matches!(stale, Err(StoreError::Stale)));
    assert_eq!(store.connection(tenant, id).await.unwrap(), connection, "nothing is done by halves");
    store.disconnect(&connection, connection.revision, keys(), world.audit()).await.unwrap();

    // Not even sealed are they in the file any more.
    if let Some(file) = &world.file {
        assert_eq!(sealed.len(), 3);
        let mut conn = SqliteConnection::connect(&world.url).await.unwrap();
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut conn).await.unwrap();
        let bytes: String = std::fs::read(file).unwrap().iter().map(|byte| format!("{byte:02X}")).collect();
        assert!(
            sealed.iter().all(|(sealed, _)| !bytes.contains(sealed)),
            "a sealed secret is left in the file"
        );
    }
    let over = store.connection(tenant, id).await.unwrap();
    assert_eq!(over.state, ConnectionState::Disconnected);
    assert_eq!((over.subscription, over.credential_names.len()), (None, 0));
    assert!(store.connection_credentials(tenant, id).await.unwrap().is_empty());
    assert_eq!(store.webhook_credentials(tenant, id, minute(0)).await.unwrap(), [credentials_none()]);
    let left = rows(world, tenant).await;
    for table in ["old_webhook_secrets", "old_subscriptions", "oauth_flows", "connection_state"] {
        assert!(left.iter().all(|(name, _)| name != table), "{table}: {left:?}");
    }
    let jobs = store.list_jobs(tenant, false, None, 9).await.unwrap();
    assert_eq!(jobs.iter().map(|job| job.dedup_key.as_str()).collect::<Vec<_>>(), ["other"]);
    assert_eq!(store.stopped(tenant, id).await.unwrap(), Some(Stopped::Disconnected));
    let again = store.disconnect(&connection, over.revision, keys(), world.audit()).await;
    assert!(matches!(again, Err(StoreError::WrongState)));
    let paused = store.pause_connection(tenant, id, over.revision, world.audit()).await;
    assert!(matches!(paused, Err(StoreError::WrongState)));
    // What was under way then writes nothing back.
    let late = Subscription { id: "late".into(), expires_at: None, data: None };
    let address = over.webhook_address;
    store.set_connection_subscription(tenant, id, address, Some(late), None, world.audit()).await.unwrap();
    assert_eq!(store.connection(tenant, id).await.unwrap().subscription, None);
    assert!(store.connections_of_account(&over.plugin, "acc").await.unwrap().is_empty());
    assert_eq!(store.connections_left_over().await.unwrap().len(), 1);
    while store.clear_connection(tenant, id).await.unwrap() > 0 {}
    store.connection_cleared(tenant, id).await.unwrap();
    assert!(store.connections_left_over().await.unwrap().is_empty());
}

fn credentials_none() -> berth_model::connections::secret::Credentials {
    berth_model::connections::secret::Credentials::new()
}

pub async fn a_pause_ends_with_everything_read_anew(world: &World) {
    let scene = full(world).await;
    let (store, tenant, id) = (&world.store, scene.tenant, scene.connection);
    let mut state = store.sync_state(tenant, id).await.unwrap();
    (state.position, state.due_at, state.failures) = (Some("p7".into()), None, 3);
    store.set_sync_progress(state).await.unwrap();
    let revision = async || store.connection(tenant, id).await.unwrap().revision;
    let at = revision().await;
    store.pause_connection(tenant, id, at, world.audit()).await.unwrap();
    assert_eq!(store.stopped(tenant, id).await.unwrap(), Some(Stopped::Paused));
    assert_eq!(store.stopped_connections(tenant).await.unwrap(), [(id, ConnectionState::Paused)]);
    assert!(
        store.claim_subscriptions(minute(900), minute(901), 9).await.unwrap().is_empty(),
        "nothing is looked after"
    );
    let stale = store.resume_connection(tenant, id, at, world.audit()).await;
    assert!(matches!(stale, Err(StoreError::Stale)));
    store.resume_connection(tenant, id, revision().await, world.audit()).await.unwrap();
    let state = store.sync_state(tenant, id).await.unwrap();
    assert_eq!((state.position, state.due_at.is_some(), state.failures), (None, true, 0));
    assert!(store.stopped_connections(tenant).await.unwrap().is_empty());
    assert_eq!(store.claim_subscriptions(minute(900), minute(901), 9).await.unwrap().len(), 1);
    let twice = store.resume_connection(tenant, id, revision().await, world.audit()).await;
    assert!(matches!(twice, Err(StoreError::WrongState)));

    store.suspend_tenant(tenant, true, world.audit()).await.unwrap();
    assert_eq!(store.stopped(tenant, id).await.unwrap(), Some(Stopped::Suspended));
    assert_eq!(store.stopped(tenant, world.id()).await.unwrap(), Some(Stopped::Suspended));
    let twice = store.suspend_tenant(tenant, true, world.audit()).await;
    assert!(matches!(twice, Err(StoreError::WrongState)));
    store.suspend_tenant(tenant, false, world.audit()).await.unwrap();
    assert_eq!(store.stopped(tenant, id).await.unwrap(), None);
}

pub async fn waiting_for_a_paused_connection_is_no_try(world: &World) {
    let (store, tenant, connection) = (&world.store, world.id(), world.id());
    store.enqueue_job(world.job(tenant, "one", minute(0))).await.unwrap();
    for n in 0..5 {
        let held = store.claim_jobs(minute(n), minute(n + 1), any(1)).await.unwrap();
        assert_eq!(held[0].attempt, 1, "the first attempt is still to come");
        let end =
            JobEnd::Parked { by: connection, due_at: minute(900), error: "the connection is paused".into() };
        assert!(store.end_job(tenant, held[0].id, 1, end).await.unwrap());
        assert!(store.claim_jobs(minute(n), minute(n + 1), any(1)).await.unwrap().is_empty());
        let woken =
            store.wake_stopped(Recovered::Connection(tenant, connection), minute(n), 9).await.unwrap();
        assert_eq!(woken, 1);
    }
    let jobs = store.list_jobs(tenant, false, None, 9).await.unwrap();
    assert_eq!(jobs[0].last_error.as_deref(), Some("the connection is paused"));
}

pub async fn what_nobody_can_be_told_is_so(world: &World) {
    let scene = world.scene("quay").await;
    let (store, tenant) = (&world.store, scene.tenant);
    let made = async |when| {
        let new = world.pending(&scene, when);
        let booking = new.booking.clone();
        store.create_booking(new, world.audit()).await.unwrap();
        booking
    };
    let here = |padded| BookingChange::SettledHere { padded };
    let booking = made(span(0, 30)).await;
    assert_eq!(store.undelivered_bookings(tenant, scene.connection).await.unwrap(), [booking.id]);
    let settled =
        store.change_booking(tenant, booking.id, 0, here(span(0, 30)), None, world.audit()).await.unwrap();
    assert_eq!((settled.status, settled.provider_task), (BookingStatus::Confirmed, None));
    assert_eq!(world.taken(&scene).await, [(0, 30)]);
    assert_eq!(world.actions(tenant, booking.id).await.last().unwrap(), "booking.provider_not_told");

    let job = || Some(world.leased(&scene, booking.id));
    let moved = moved_to(span(60, 90), span(60, 90), job());
    let moved = store.change_booking(tenant, booking.id, 1, moved, None, world.audit()).await.unwrap();
    assert_eq!(moved.provider_task, Some(ProviderTask::Reschedule));
    assert_eq!(world.taken(&scene).await, [(0, 30), (60, 90)]);
    let settled =
        store.change_booking(tenant, booking.id, 2, here(span(60, 90)), None, world.audit()).await.unwrap();
    assert_eq!((settled.when, settled.previous_when), (span(60, 90), None));
    assert_eq!(world.taken(&scene).await, [(60, 90)]);

    let cancel = ChangeOrder { job: job(), ..BookingChange::Cancel { reason: None }.into() };
    store.change_booking(tenant, booking.id, 3, cancel, None, world.audit()).await.unwrap();
    let settled =
        store.change_booking(tenant, booking.id, 4, here(span(60, 90)), None, world.audit()).await.unwrap();
    assert_eq!((settled.status, settled.provider_task), (BookingStatus::Cancelled, None));
    assert!(world.taken(&scene).await.is_empty());
    let nothing = store.change_booking(tenant, booking.id, 5, here(span(60, 90)), None, world.audit()).await;
    assert!(matches!(nothing, Err(StoreError::WrongState)));
}

pub async fn nothing_of_a_deleted_tenant_is_left(world: &World) {
    let other = world.scene("jetty").await;
    let scene = full(world).await;
    let (store, tenant) = (&world.store, scene.tenant);
    // Every table with rows of tenants is thought of.
    let text = include_str!("../../host/store/src/queries/tenants/removal.rs");
    for table in tables(world).await {
        assert!(text.contains(&format!("DELETE FROM {table} ")), "{table} is not removed with its tenant");
    }
    let mut listing = store.listing(tenant, scene.listing).await.unwrap();
    listing.booking_provider = Some(scene.connection);
    store.update_listing(listing, 1, world.audit()).await.unwrap();
    let mut record = store.tenant(tenant).await.unwrap();
    record.default_connection = Some(scene.connection);
    store.update_tenant(record, 1, world.audit()).await.unwrap();
    for n in 0..limits::REMOVED_ROWS_AT_ONCE + 3 {
        let job = world.job(tenant, &format!("job {n}"), minute(0));
        store.enqueue_job(job).await.unwrap();
    }
    store.create_booking(world.booking(&scene, span(0, 30)), world.audit()).await.unwrap();
    store.create_booking(world.pending(&scene, span(30, 60)), world.audit()).await.unwrap();
    store.set_feed(tenant, FeedSubject::Member(scene.member), [5; 32], world.audit()).await.unwrap();
    store.create_booking(world.booking(&other, span(0, 30)), world.audit()).await.unwrap();
    let (before, theirs) = (rows(world, tenant).await, rows(world, other.tenant).await);
    assert!(before.len() > 12, "{before:?}");
    let counts = store.tenant_counts(tenant, minute(0)).await.unwrap();
    assert_eq!((counts.upcoming_bookings, counts.past_bookings, counts.connections), (2, 0, 1));
    assert!(store.finish_tenant_deletion(tenant, world.audit()).await.is_err(), "not before it was begun");
    store.begin_tenant_deletion(tenant, world.audit()).await.unwrap();
    assert!(matches!(store.finish_tenant_deletion(tenant, world.audit()).await, Err(StoreError::InUse(_))));
    let most = u64::try_from(limits::REMOVED_ROWS_AT_ONCE).unwrap();
    let mut step = 0;
    while let Some(removed) = store.clear_tenant(tenant, step).await.unwrap() {
        assert!(removed <= most, "{removed} rows in one transaction");
        step += usize::from(removed < most);
    }
    store.finish_tenant_deletion(tenant, world.audit()).await.unwrap();
    assert_eq!(rows(world, tenant).await, [("audit_log".to_owned(), 4)]);
    let kept = store.timeline(tenant, "tenant", tenant.uuid()).await.unwrap();
    assert_eq!(kept.last().unwrap().action, "tenant.deleted");
    assert!(matches!(store.tenant(tenant).await, Err(StoreError::NotFound("tenant"))));
    assert_eq!(rows(world, other.tenant).await, theirs, "others keep all of theirs");
}
