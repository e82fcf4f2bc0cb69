//! Connections are paused, resumed and disconnected; listings and event types are closed; tenants are suspended and deleted.

use berth_engine::{
    AvailabilityQuery, BookRequest, ConnectionPatch, Ends, EventTypePatch, NewConnection, NewKey,
    ProviderChoice, ProviderSyncState, RescheduleBooking, SameAccount, TENANT_SCOPES,
};
use berth_model::{
    bookings::booking::{BookingStatus, ProviderTask},
    catalog::listing::TenantState,
    connections::{
        connection::{ConnectionRecord, ConnectionState},
        secret::{Credentials, Secret},
    },
    id::BookingId,
    limits,
    outbound::provider::{ExternalStatus, WebhookEvent},
    problem::Code,
    time::Interval,
};

use crate::{
    provider::{Fault, LOST},
    webhooks,
    world::{World, monday, new_connection, world},
};

fn calls(w: &World) -> usize {
    w.provider.state().calls.len()
}

async fn pause(w: &World) {
    let paused = w.engine.connections.pause_connection(&w.caller, w.connection.id, None).await.unwrap();
    assert_eq!(paused.state, ConnectionState::Paused);
}

async fn resume(w: &World) {
    let resumed = w.engine.connections.resume_connection(&w.caller, w.connection.id, None).await.unwrap();
    assert_eq!(resumed.state, ConnectionState::Active);
}

/// Disconnect what is in use.
async fn disconnect(w: &World) -> ConnectionRecord {
    match w.engine.connections.delete_connection(&w.caller, w.connection.id, None).await.unwrap() {
        Ends::Kept(connection) => connection,
        Ends::Removed => panic!("it is in use"),
    }
}

async fn offered(w: &World) -> (usize, Vec<String>) {
    let query = AvailabilityQuery {
        event_type: w.event_type.id,
        within: Interval::new(monday("00:00"), monday("23:00")).unwrap(),
        time_zone: "UTC".parse().unwrap(),
        length_minutes: None,
        member: None,
        provider: None,
        explain: false,
    };
    let answer = w.engine.availability.availability(&w.caller, query).await.unwrap();
    (answer.slots.len(), answer.degraded.into_iter().map(|d| d.reason).collect())
}

/// How delivery of a booking to its provider stands.
async fn stands(w: &World, id: BookingId) -> Option<(ProviderSyncState, Option<String>)> {
    let booking = w.booking(id).await;
    let mut all = w.engine.jobs.provider_sync(&w.caller, &[booking]).await;
    all.remove(&id).map(|sync| (sync.state, sync.last_error))
}

/// Let time pass until nothing is due any more.
async fn settle(w: &World) {
    for _ in 0..20 {
        if w.later(0).await == 0 {
            return;
        }
    }
    panic!("it does not come to rest");
}

#[tokio::test]
async fn nothing_goes_over_a_paused_connection_and_everything_goes_on() {
    let w = world().await;
    let gone = w.booked(monday("10:00")).await;
    let stays = w.booked(monday("11:00")).await;
    settle(&w).await;
    pause(&w).await;
    let before = calls(&w);

    assert_eq!(offered(&w).await, (0, vec!["the connection is paused".to_owned()]));
    let refused = w.engine.bookings.book(&w.caller, w.request(monday("09:00"))).await.unwrap_err();
    assert_eq!(refused.code, Code::ConnectionPaused);
    let refused = w.reschedule(stays.id, monday("09:00")).await.unwrap_err();
    assert_eq!(refused.code, Code::ConnectionPaused, "what is free there cannot be asked");
    assert_eq!(w.booking(stays.id).await, stays, "nothing is half-done");

    let outcome = w.cancel(gone.id).await.unwrap();
    assert!(outcome.pending);
    assert_eq!(outcome.booking.provider_task, Some(ProviderTask::Cancel));
    let because = Some("the connection is paused".to_owned());
    assert_eq!(stands(&w, gone.id).await, Some((ProviderSyncState::Paused, because)));
    assert_eq!(w.timeline(gone.id).await.last().unwrap(), "booking.sync_waits");
    w.engine.mirror.begin_syncs().await.unwrap();
    w.engine.connections.keep_subscriptions().await.unwrap();
    for _ in 0..30 {
        w.later(limits::PARKED_SECONDS).await;
    }
    assert_eq!(calls(&w), before, "nothing is read or sent");
    assert!(w.engine.mirror.dead_jobs(&w.caller).await.unwrap().is_empty(), "waiting uses up no tries");
    let (health, problem) = w.engine.connections.connection_health(&w.caller, w.connection.id).await.unwrap();
    assert_eq!((health.state, problem.unwrap().code), (ConnectionState::Paused, Code::ConnectionPaused));
    w.engine.connections.pause_connection(&w.caller, w.connection.id, None).await.unwrap();

    resume(&w).await;
    settle(&w).await;
    w.agrees(gone.id).await;
    assert_eq!(stands(&w, gone.id).await, None);
    assert!(w.provider.count("list_changes") > 0 || w.provider.count("subscribe") > 0);
    w.engine.connections.resume_connection(&w.caller, w.connection.id, None).await.unwrap();
}

#[tokio::test]
async fn what_was_begun_before_a_pause_is_made_once() {
    for fault in [Fault::Before(LOST), Fault::After(LOST)] {
        let w = world().await;
        w.provider.next("create", fault);
        let booking = w.engine.bookings.book(&w.caller, w.request(monday("10:00"))).await.unwrap();
        assert!(booking.pending);
        pause(&w).await;
        for _ in 0..30 {
            w.later(limits::PARKED_SECONDS / 40).await;
        }
        resume(&w).await;
        settle(&w).await;
        assert_eq!(w.booking(booking.booking.id).await.status, BookingStatus::Confirmed);
        w.agrees(booking.booking.id).await;
    }
}

#[tokio::test]
async fn other_connections_are_untouched_by_a_pause() {
    let w = world().await;
    let other = w.engine.connections.create_connection(&w.caller, new_connection()).await.unwrap();
    pause(&w).await;
    let provider = Some(ProviderChoice::Connection(other.id));
    let request = BookRequest { provider, ..w.request(monday("10:00")) };
    let booked = w.engine.bookings.book(&w.caller, request).await.unwrap();
    assert!(!booked.pending);
    assert_eq!(booked.booking.status, BookingStatus::Confirmed);
}

#[tokio::test]
async fn news_that_comes_during_a_pause_is_kept() {
    let w = world().await;
    let booking = w.booked(monday("10:00")).await;
    pause(&w).await;
    let counterpart = w.provider.edit("x1", |counterpart| counterpart.status = ExternalStatus::Cancelled);
    webhooks::send(&w, "c", WebhookEvent::Cancelled(counterpart)).await;
    for _ in 0..30 {
        w.later(limits::PARKED_SECONDS / 40).await;
    }
    assert_eq!(webhooks::last(&w).await.0, "stored");
    assert_eq!(w.booking(booking.id).await.status, BookingStatus::Confirmed, "it is not read");
    resume(&w).await;
    settle(&w).await;
    assert_eq!(w.booking(booking.id).await.status, BookingStatus::Cancelled);
}

#[tokio::test]
async fn a_connection_is_disconnected_while_its_provider_is_broken() {
    let w = world().await;
    let confirmed = w.booked(monday("09:00")).await;
    let moving = w.booked(monday("09:30")).await;
    let cancelled = w.booked(monday("10:00")).await;
    let later = w.booked(monday("10:30")).await;
    settle(&w).await;
    for function in ["create", "get", "unsubscribe"] {
        for _ in 0..10 {
            w.provider.next(function, Fault::Before(LOST));
        }
    }
    let pending = w.engine.bookings.book(&w.caller, w.request(monday("11:30"))).await.unwrap();
    assert!(pending.pending);
    assert!(w.cancel(cancelled.id).await.unwrap().pending);
    assert!(w.reschedule(moving.id, monday("11:00")).await.unwrap().pending);
    let preview = w.engine.connections.connection_deletion(&w.caller, w.connection.id).await.unwrap();
    assert!(preview.stays);
    assert_eq!((preview.counts.upcoming_bookings, preview.counts.past_bookings), (4, 1));
    assert_eq!(preview.counts.undelivered_bookings, 3);
    assert_eq!(preview.listings, ["Pier 1"]);
    assert_eq!(
        w.engine.connections.connection(&w.caller, w.connection.id).await.unwrap().state,
        ConnectionState::Active
    );

    let stale =
        w.engine.connections.delete_connection(&w.caller, w.connection.id, Some(99)).await.unwrap_err();
    assert_eq!(stale.code, Code::Changed);
    let over = disconnect(&w).await;
    assert_eq!(over.state, ConnectionState::Disconnected);
    assert_eq!((over.credential_names.len(), &over.subscription), (0, &None));
    assert!(over.subscription_detail.unwrap().contains("sub-of-"), "a person is told what is left there");
    let store = w.engine.store();
    assert!(store.connection_credentials(w.tenant.id, w.connection.id).await.unwrap().is_empty());
    let before = calls(&w);

    let now = async |id| w.booking(id).await;
    for (id, status, start) in [
        (confirmed.id, BookingStatus::Confirmed, monday("09:00")),
        (moving.id, BookingStatus::Confirmed, monday("11:00")),
        (cancelled.id, BookingStatus::Cancelled, monday("10:00")),
        (pending.booking.id, BookingStatus::Confirmed, monday("11:30")),
    ] {
        let booking = now(id).await;
        assert_eq!((booking.status, booking.when.start(), booking.provider_task), (status, start, None));
    }
    assert_eq!(now(confirmed.id).await.external_id, confirmed.external_id, "it keeps what it knows");
    assert_eq!(now(confirmed.id).await.connection, Some(w.connection.id));
    assert_eq!(w.timeline(moving.id).await.last().unwrap(), "booking.provider_not_told");
    assert_eq!(w.open_jobs().await, 0, "nothing waits for it");

    // Changes from now on are made here alone, and say so.
    let outcome = w.cancel(later.id).await.unwrap();
    assert!(!outcome.pending);
    assert_eq!(outcome.booking.status, BookingStatus::Cancelled);
    assert_eq!(w.timeline(later.id).await.last().unwrap(), "booking.provider_not_told");
    let moved = w.reschedule(confirmed.id, monday("10:30")).await.unwrap();
    assert!(!moved.pending, "its time is free again");
    assert_eq!(moved.booking.when.start(), monday("10:30"));
    let because = "the connection is disconnected".to_owned();
    assert_eq!(
        stands(&w, confirmed.id).await,
        Some((ProviderSyncState::NotDelivered, Some(because.clone())))
    );

    assert_eq!(offered(&w).await, (0, vec![because]));
    let refused = w.engine.bookings.book(&w.caller, w.request(monday("09:00"))).await.unwrap_err();
    assert_eq!(refused.code, Code::ConnectionDisconnected);
    for refused in [
        w.engine.connections.pause_connection(&w.caller, w.connection.id, None).await.unwrap_err(),
        w.engine.connections.resume_connection(&w.caller, w.connection.id, None).await.unwrap_err(),
        w.engine.mirror.start_sync(&w.caller, w.connection.id, true).await.unwrap_err(),
    ] {
        assert_eq!(refused.code, Code::ConnectionDisconnected);
    }
    let message = webhooks::send_signed(&w, b"{}", "00".repeat(32)).await.unwrap_err();
    assert_eq!(message.code, Code::NotFound);
    w.engine.mirror.begin_syncs().await.unwrap();
    w.engine.connections.keep_subscriptions().await.unwrap();
    w.later(86_400).await;
    w.engine.connections.clear_disconnected().await.unwrap();
    assert!(w.engine.store().connections_left_over().await.unwrap().is_empty());
    assert_eq!(calls(&w), before, "nothing is read or sent");
    let again = w.engine.connections.delete_connection(&w.caller, w.connection.id, None).await.unwrap();
    assert!(matches!(again, Ends::Kept(_)), "once more changes nothing");
}

#[tokio::test]
async fn a_connection_that_is_over_is_taken_up_again_with_the_same_account() {
    let w = world().await;
    let booking = w.booked(monday("10:00")).await;
    settle(&w).await;
    disconnect(&w).await;
    let rename = ConnectionPatch { name: Some("Acme 2".into()), ..ConnectionPatch::default() };
    let refused =
        w.engine.connections.update_connection(&w.caller, w.connection.id, rename, None).await.unwrap_err();
    assert_eq!(refused.code, Code::ConnectionDisconnected);
    // Neither with nothing, nor with what Berth makes up itself.
    let refused =
        w.engine.connections.rotate_webhook_secret(&w.caller, w.connection.id, None, None).await.unwrap_err();
    assert_eq!(refused.code, Code::ConnectionDisconnected);
    let nothing = ConnectionPatch { credentials: Some(Credentials::new()), ..ConnectionPatch::default() };
    let refused =
        w.engine.connections.update_connection(&w.caller, w.connection.id, nothing, None).await.unwrap_err();
    assert_eq!((refused.code, refused.errors[0].field.as_str()), (Code::Invalid, "/credentials/api-key"));
    let with = || ConnectionPatch {
        credentials: Some(Credentials::from([("api-key".to_owned(), Secret::new("acme_test_again".into()))])),
        ..ConnectionPatch::default()
    };
    w.provider.state().account = Some("somebody-else".into());
    let refused =
        w.engine.connections.update_connection(&w.caller, w.connection.id, with(), None).await.unwrap_err();
    assert_eq!((refused.code, refused.errors[0].field.as_str()), (Code::Invalid, "/credentials"));
    let over = w.engine.connections.connection(&w.caller, w.connection.id).await.unwrap();
    assert_eq!((over.state, over.credential_names.len()), (ConnectionState::Disconnected, 0));

    w.provider.state().account = None;
    let elsewhere = Some(serde_json::json!({ "base_url": "https://api.acme.example:8443" }));
    let moved = ConnectionPatch { settings: elsewhere, ..with() };
    let refused =
        w.engine.connections.update_connection(&w.caller, w.connection.id, moved, None).await.unwrap_err();
    assert_eq!(refused.errors[0].field, "/credentials", "its number there is somebody else's: {refused:?}");
    let again =
        w.engine.connections.update_connection(&w.caller, w.connection.id, with(), None).await.unwrap();
    assert_eq!(again.state, ConnectionState::Active);
    assert!(again.subscription.is_some(), "messages come again");
    assert!(!w.cancel(booking.id).await.unwrap().pending);
    settle(&w).await;
    w.agrees(booking.id).await;
}

#[tokio::test]
async fn another_connection_to_the_same_account_is_said() {
    let w = world().await;
    assert_eq!(w.engine.connections.same_account(&w.connection).await.unwrap(), SameAccount::default());
    let twice = w.engine.connections.create_connection(&w.caller, new_connection()).await.unwrap();
    let said = w.engine.connections.same_account(&twice).await.unwrap();
    assert_eq!((said.own.as_slice(), said.elsewhere), (&[(w.connection.id, "Acme".to_owned())][..], false));
    assert!(said.detail().unwrap().contains("That may be right"));
    w.provider.state().account = Some("another".into());
    let new = NewConnection { name: "Other".into(), ..new_connection() };
    let other = w.engine.connections.create_connection(&w.caller, new).await.unwrap();
    assert_eq!(w.engine.connections.same_account(&other).await.unwrap().detail(), None);
    w.provider.state().account = None;
    // Two servers may give one number to two accounts.
    let settings = serde_json::json!({ "base_url": "https://api.acme.example:8443" });
    let new = NewConnection { name: "Hosted".into(), settings, ..new_connection() };
    let hosted = w.engine.connections.create_connection(&w.caller, new).await.unwrap();
    assert_eq!(w.engine.connections.same_account(&hosted).await.unwrap(), SameAccount::default());

    let tenant = berth_engine::NewTenant { slug: "jetty".into(), name: "Jetty".into() };
    let tenant = w.engine.tenants.create_tenant("operator", "req", tenant).await.unwrap();
    let caller = berth_engine::Caller { tenant: tenant.id, ..w.caller.clone() };
    let reconnected = w.engine.connections.create_connection(&caller, new_connection()).await.unwrap();
    let said = w.engine.connections.same_account(&reconnected).await.unwrap();
    assert!(said.own.is_empty() && said.elsewhere);
    let detail = said.detail().unwrap();
    assert!(!detail.contains("Acme (") && !detail.contains(&w.connection.id.to_string()), "{detail}");
}

#[tokio::test]
async fn what_carried_bookings_is_archived_and_they_live_on() {
    let w = world().await;
    let (kept, moved) = (w.booked(monday("10:00")).await, w.booked(monday("11:00")).await);
    let counts = w.engine.catalog.event_type_deletion(&w.caller, w.event_type.id).await.unwrap();
    assert_eq!((counts.upcoming_bookings, counts.is_used()), (2, true));
    let closed = w.engine.catalog.delete_event_type(&w.caller, w.event_type.id, None).await.unwrap();
    let Ends::Kept(closed) = closed else { panic!("it carried bookings") };
    assert!(!closed.active && closed.archived_at.is_some());
    let listed = async |archived| {
        w.engine.catalog.list_event_types(&w.caller, None, archived, None, 9).await.unwrap().len()
    };
    assert_eq!((listed(false).await, listed(true).await), (0, 1));
    assert_eq!(
        w.engine.bookings.book(&w.caller, w.request(monday("09:00"))).await.unwrap_err().code,
        Code::WrongState
    );
    // Customers are offered nothing; the business may still move what is booked.
    let to = RescheduleBooking { start: monday("09:00"), expected_sequence: None, bound_by_cutoffs: true };
    let refused = w.engine.bookings.reschedule(&w.caller, moved.id, to).await.unwrap_err();
    assert_eq!(refused.code, Code::WrongState);
    assert!(refused.hint.unwrap().contains("bookings:override"));
    assert_eq!(w.booking(moved.id).await, moved);
    assert_eq!(w.reschedule(moved.id, monday("09:00")).await.unwrap().booking.when.start(), monday("09:00"));
    w.cancel(kept.id).await.unwrap();
    w.agrees(kept.id).await;
    w.agrees(moved.id).await;
    let again = w.engine.catalog.delete_event_type(&w.caller, w.event_type.id, None).await.unwrap();
    assert_eq!(again, Ends::Kept(closed), "once more changes nothing");

    let patch = EventTypePatch { active: Some(true), ..EventTypePatch::default() };
    let open = w.engine.catalog.update_event_type(&w.caller, w.event_type.id, patch, None).await.unwrap();
    assert_eq!(open.archived_at, None);
    let listing = w.engine.catalog.delete_listing(&w.caller, w.listing.id, None).await.unwrap();
    let Ends::Kept(listing) = listing else { panic!("it carried bookings") };
    assert!(!listing.active && listing.archived_at.is_some());
    assert!(w.engine.catalog.list_listings(&w.caller, false, None, 9).await.unwrap().is_empty());
    assert_eq!(
        w.engine.bookings.book(&w.caller, w.request(monday("10:30"))).await.unwrap_err().code,
        Code::WrongState
    );
    let stale = w.engine.catalog.delete_listing(&w.caller, w.listing.id, Some(1)).await.unwrap_err();
    assert_eq!(stale.code, Code::Changed);
}

async fn key(w: &World) -> String {
    let new = NewKey {
        tenant: Some(w.tenant.id),
        name: "site".into(),
        scopes: TENANT_SCOPES.iter().map(ToString::to_string).collect(),
        requests_per_minute: None,
        sources: Vec::new(),
        expires_at: None,
    };
    w.engine.tenants.create_key("operator", "req", new).await.unwrap().1.expose().to_owned()
}

#[tokio::test]
async fn a_suspended_tenant_waits_and_goes_on() {
    let w = world().await;
    let (key, booking) = (key(&w).await, w.booked(monday("10:00")).await);
    settle(&w).await;
    let suspended = w.engine.tenant_removal.suspend_tenant("operator", "req", w.tenant.id).await.unwrap();
    assert_eq!(suspended.state, TenantState::Suspended);
    assert_eq!(w.engine.tenants.authenticate(&key).await.unwrap_err().code, Code::TenantSuspended);
    assert_eq!(w.engine.tenants.check_tenant(w.tenant.id).await.unwrap_err().code, Code::TenantSuspended);
    let before = calls(&w);
    // What was asked for a moment ago waits.
    assert!(w.cancel(booking.id).await.unwrap().pending);
    w.engine.mirror.begin_syncs().await.unwrap();
    w.engine.connections.keep_subscriptions().await.unwrap();
    for _ in 0..20 {
        w.later(limits::PARKED_SECONDS).await;
    }
    assert_eq!(calls(&w), before, "nothing is read or sent");
    let resumed = w.engine.tenant_removal.resume_tenant("operator", "req", w.tenant.id).await.unwrap();
    assert_eq!(resumed.state, TenantState::Active);
    settle(&w).await;
    w.agrees(booking.id).await;
    assert!(w.engine.tenants.authenticate(&key).await.unwrap().is_some());
}

#[tokio::test]
async fn a_tenant_is_deleted_while_its_provider_is_broken() {
    let w = world().await;
    let key = key(&w).await;
    w.booked(monday("10:00")).await;
    let counts = w.engine.tenant_removal.tenant_deletion(w.tenant.id).await.unwrap();
    assert_eq!((counts.upcoming_bookings, counts.connections, counts.keys), (1, 1, 1));
    w.provider.next("unsubscribe", Fault::Before(LOST));
    w.engine.tenant_removal.delete_tenant("operator", "req", w.tenant.id).await.unwrap();
    assert!(w.engine.tenants.authenticate(&key).await.unwrap().is_none(), "its keys end at once");
    let again = w.engine.tenant_removal.delete_tenant("operator", "req", w.tenant.id).await.unwrap();
    assert_eq!(again.state, TenantState::Deleting);
    let suspended = w.engine.tenant_removal.suspend_tenant("operator", "req", w.tenant.id).await.unwrap_err();
    assert_eq!(suspended.code, Code::WrongState);
    assert!(suspended.detail.contains("tenant"), "{suspended}");
    let patch = berth_engine::TenantPatch { name: Some("New".into()), ..Default::default() };
    let changed = w.engine.tenants.update_tenant("operator", "req", w.tenant.id, patch).await.unwrap_err();
    assert_eq!(changed.code, Code::WrongState);
    let new = NewKey {
        tenant: Some(w.tenant.id),
        name: "late".into(),
        scopes: vec!["bookings:read".into()],
        requests_per_minute: None,
        sources: Vec::new(),
        expires_at: None,
    };
    assert_eq!(w.engine.tenants.create_key("operator", "req", new).await.unwrap_err().code, Code::WrongState);
    assert_eq!(w.engine.tenant_removal.remove_deleted_tenants().await.unwrap(), 1);
    assert_eq!(w.provider.count("unsubscribe"), 1, "leave was taken");
    assert_eq!(w.engine.tenants.tenant(w.tenant.id).await.unwrap_err().code, Code::NotFound);
    assert_eq!(w.engine.tenants.check_tenant(w.tenant.id).await.unwrap_err().code, Code::NotFound);
    let rows = w.engine.store().timeline(w.tenant.id, "tenant", w.tenant.id.uuid()).await.unwrap();
    let actions: Vec<_> = rows.into_iter().map(|row| row.action).collect();
    assert_eq!(actions, ["tenant.created", "tenant.deletion_begun", "tenant.deleted"]);
    assert_eq!(w.engine.tenant_removal.remove_deleted_tenants().await.unwrap(), 0);
}
