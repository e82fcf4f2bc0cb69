//! Where a booking goes, and what a plugin may do for it.

use berth_engine::{CancelBooking, ListingPatch, NewTenant, ProviderChoice, TenantPatch};
use berth_model::{bookings::booking::BookingStatus, problem::Code};
use berth_store::records::GrantRecord;

use crate::world::{World, grant, monday, new_connection, world};

async fn listing_books_at(w: &World, connection: Option<berth_model::id::ConnectionId>) {
    let patch = ListingPatch { booking_provider: Some(connection), ..ListingPatch::default() };
    w.engine.catalog.update_listing(&w.caller, w.listing.id, patch, None).await.unwrap();
}

#[tokio::test]
async fn request_then_listing_then_tenant_then_built_in() {
    let w = world().await;
    let other = w.engine.connections.create_connection(&w.caller, new_connection()).await.unwrap();
    let mut request = w.request(monday("09:00"));
    request.provider = Some(ProviderChoice::Connection(other.id));
    let booking = w.engine.bookings.book(&w.caller, request).await.unwrap().booking;
    assert_eq!(booking.connection, Some(other.id), "the request's own choice");

    assert_eq!(w.booked(monday("09:30")).await.connection, Some(w.connection.id), "the listing's");

    listing_books_at(&w, None).await;
    let patch = TenantPatch { default_connection: Some(Some(other.id)), ..TenantPatch::default() };
    w.engine.tenants.update_tenant("operator", "req", w.tenant.id, patch).await.unwrap();
    assert_eq!(w.booked(monday("10:00")).await.connection, Some(other.id), "the tenant's");

    let made = w.provider.count("create");
    let mut request = w.request(monday("10:30"));
    request.provider = Some(ProviderChoice::BuiltIn);
    let booking = w.engine.bookings.book(&w.caller, request).await.unwrap().booking;
    assert_eq!((booking.connection, booking.status), (None, BookingStatus::Confirmed));

    let patch = TenantPatch { default_connection: Some(None), ..TenantPatch::default() };
    w.engine.tenants.update_tenant("operator", "req", w.tenant.id, patch).await.unwrap();
    let booking = w.booked(monday("11:00")).await;
    assert_eq!((booking.connection, booking.status), (None, BookingStatus::Confirmed));
    assert_eq!(w.provider.count("create"), made, "the built-in provider asks nobody");
    assert_eq!(w.open_jobs().await, 0);
}

#[tokio::test]
async fn the_built_in_provider_moves_and_cancels_at_once() {
    let w = world().await;
    listing_books_at(&w, None).await;
    let booking = w.booked(monday("10:00")).await;
    let moved = w.reschedule(booking.id, monday("11:00")).await.unwrap();
    assert!(!moved.pending);
    w.booked(monday("10:00")).await;
    assert!(!w.cancel(booking.id).await.unwrap().pending);
    w.booked(monday("11:00")).await;
}

#[tokio::test]
async fn a_connection_of_somebody_else_is_not_there() {
    let w = world().await;
    let stranger = NewTenant { slug: "harbour".into(), name: "Harbour".into() };
    let stranger = w.engine.tenants.create_tenant("operator", "req", stranger).await.unwrap();
    let caller = berth_engine::Caller { tenant: stranger.id, ..w.caller.clone() };
    let theirs = w.engine.connections.create_connection(&caller, new_connection()).await.unwrap();
    let mut request = w.request(monday("10:00"));
    request.provider = Some(ProviderChoice::Connection(theirs.id));
    let problem = w.engine.bookings.book(&w.caller, request).await.unwrap_err();
    assert_eq!(problem.code, Code::NotFound);
    let booking = w.booked(monday("10:00")).await;
    assert_eq!(w.engine.bookings.booking(&caller, booking.id).await.unwrap_err().code, Code::NotFound);
    let cancel = w.engine.bookings.cancel(&caller, booking.id, CancelBooking::default()).await;
    assert_eq!(cancel.unwrap_err().code, Code::NotFound);
}

#[tokio::test]
async fn a_connection_for_one_listing_serves_only_that() {
    let w = world().await;
    let other = berth_engine::NewListing {
        slug: "pier-2".into(),
        title: "Pier 2".into(),
        description: String::new(),
        time_zone: w.listing.time_zone,
        currency: None,
        booking_provider: None,
        offer_when_degraded: false,
    };
    let other = w.engine.catalog.create_listing(&w.caller, other).await.unwrap();
    let mut only = new_connection();
    only.listing = Some(other.id);
    let only = w.engine.connections.create_connection(&w.caller, only).await.unwrap();
    let mut request = w.request(monday("10:00"));
    request.provider = Some(ProviderChoice::Connection(only.id));
    let problem = w.engine.bookings.book(&w.caller, request).await.unwrap_err();
    assert_eq!(problem.code, Code::ProviderRefused);
    assert!(problem.detail.contains("another listing"));

    // What is booked over it already lives on, and its listing can be changed.
    let booking = w.booked(monday("09:00")).await;
    let kept = berth_engine::ConnectionPatch { listing: Some(Some(other.id)), ..Default::default() };
    w.engine.connections.update_connection(&w.caller, w.connection.id, kept, None).await.unwrap();
    w.reschedule(booking.id, monday("11:00")).await.unwrap();
    let renamed = berth_engine::ListingPatch { title: Some("Pier 2".into()), ..Default::default() };
    w.engine.catalog.update_listing(&w.caller, w.listing.id, renamed, None).await.unwrap();
    w.engine.connections.delete_connection(&w.caller, w.connection.id, None).await.unwrap();
    let off = GrantRecord {
        plugin: "acme".parse().unwrap(),
        tenant: None,
        listing: None,
        hosts: grant(&[]),
        enabled: false,
    };
    w.engine.plugins.set_grant("operator", "req", off).await.unwrap();
    w.reschedule(booking.id, monday("10:00")).await.unwrap();
}

#[tokio::test]
async fn rights_are_what_every_level_grants() {
    let w = world().await;
    let level = |tenant, listing, hosts: &[&str], enabled| GrantRecord {
        plugin: "acme".parse().unwrap(),
        tenant,
        listing,
        hosts: grant(hosts),
        enabled,
    };
    let tenant = Some(w.tenant.id);
    let wide = ["api.acme.example", "files.acme.example", "*.eu.acme.example"];
    w.engine.plugins.set_grant("operator", "req", level(None, None, &wide, true)).await.unwrap();
    w.booked(monday("09:00")).await;
    assert_eq!(w.provider.state().granted, grant(&wide), "the instance's grant alone");

    let narrower = ["api.acme.example", "a.eu.acme.example", "elsewhere.example"];
    w.engine.plugins.set_grant("operator", "req", level(tenant, None, &narrower, true)).await.unwrap();
    w.booked(monday("09:30")).await;
    assert_eq!(w.provider.state().granted, grant(&["api.acme.example", "a.eu.acme.example"]));

    let listing = Some(w.listing.id);
    w.engine
        .plugins
        .set_grant("operator", "req", level(tenant, listing, &narrower[..1], true))
        .await
        .unwrap();
    w.booked(monday("10:00")).await;
    assert_eq!(w.provider.state().granted, grant(&["api.acme.example"]));

    w.engine.plugins.set_grant("operator", "req", level(tenant, listing, &narrower, false)).await.unwrap();
    let problem = w.engine.bookings.book(&w.caller, w.request(monday("10:30"))).await.unwrap_err();
    assert_eq!(problem.code, Code::ProviderNotActive);
    assert!(problem.detail.contains("disabled for this listing"), "{}", problem.detail);
}

#[tokio::test]
async fn a_provider_booking_needs_an_event_type_of_the_provider() {
    let w = world().await;
    let patch = berth_engine::EventTypePatch { external_id: Some(None), ..Default::default() };
    w.engine.catalog.update_event_type(&w.caller, w.event_type.id, patch, None).await.unwrap();
    let problem = w.engine.bookings.book(&w.caller, w.request(monday("10:00"))).await.unwrap_err();
    assert_eq!(problem.code, Code::ProviderRefused);
    assert!(problem.hint.unwrap().contains("external_id"));
}

#[tokio::test]
async fn all_that_is_wrong_with_a_request_is_said_at_once() {
    let w = world().await;
    let mut request = w.request(monday("10:00"));
    request.attendee.name = " ".into();
    request.attendee.email = Some("ada".into());
    request.attendee.phone = Some("0800".into());
    request.attendee.time_zone = "Mars/Olympus".into();
    request.guests = vec!["bob@example.com".into(), "bob".into()];
    let problem = w.engine.bookings.book(&w.caller, request).await.unwrap_err();
    let fields: Vec<&str> = problem.errors.iter().map(|e| e.field.as_str()).collect();
    assert_eq!(
        fields,
        ["/attendee/name", "/attendee/email", "/attendee/phone", "/attendee/time_zone", "/guests/1"]
    );
}
