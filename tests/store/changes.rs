//! How bookings change: states, places, jobs, audit rows.

use berth_model::{
    bookings::{
        booking::{Booking, BookingStatus, ProviderTask},
        change::BookingChange,
        occupancy::Occupancy,
    },
    outbound::provider::ExternalStatus,
};
use berth_store::{
    StoreError,
    records::{ChangeOrder, JobEnd},
};

use crate::world::{Scene, World, external_booking, minute, moved_to, span};

/// Change a booking as it stands.
async fn change(
    world: &World,
    booking: &Booking,
    order: impl Into<ChangeOrder> + Send,
) -> Result<Booking, StoreError> {
    let order = order.into();
    let actor = if order.change == BookingChange::NoShow { "operator" } else { "system" };
    let audit = world.audit_by(actor);
    world.store.change_booking(booking.tenant, booking.id, booking.sequence, order, None, audit).await
}

async fn pending(world: &World, scene: &Scene, from: i64, to: i64) -> Booking {
    let new = world.pending(scene, span(from, to));
    world.store.create_booking(new.clone(), world.audit()).await.unwrap();
    let job = new.job.unwrap();
    assert!(world.store.end_job(job.tenant, job.id, 1, JobEnd::Done).await.unwrap());
    new.booking
}

async fn confirmed(world: &World, scene: &Scene, from: i64, to: i64) -> Booking {
    let booking = pending(world, scene, from, to).await;
    let external = external_booking("counterpart-1", booking.when);
    change(world, &booking, BookingChange::Delivered { external, padded: booking.when }).await.unwrap()
}

pub async fn create_is_confirmed_or_refused(world: &World) {
    let scene = world.scene("quay").await;
    let new = world.pending(&scene, span(60, 90));
    let job = new.job.clone().unwrap().id;
    world.store.create_booking(new.clone(), world.audit()).await.unwrap();
    let external = external_booking("counterpart-1", span(60, 90));
    let synced = BookingChange::Delivered { external: external.clone(), padded: span(55, 95) };
    let audit = world.audit();
    let booking = world
        .store
        .change_booking(scene.tenant, new.booking.id, 0, synced.clone(), Some((job, 1)), audit.clone())
        .await
        .unwrap();
    assert_eq!(
        (booking.status, booking.provider_task, booking.sequence),
        (BookingStatus::Confirmed, None, 1)
    );
    assert_eq!(booking.external_id.as_deref(), Some("counterpart-1"));
    assert_eq!(booking.external, Some(serde_json::to_value(&external).unwrap()));
    assert_eq!((booking.external_updated_at, booking.updated_at), (Some(minute(1)), audit.at));
    assert_eq!(world.store.booking(scene.tenant, booking.id).await.unwrap(), booking);
    assert_eq!(world.store.open_job_count().await.unwrap(), 0, "the job ended with it");
    assert_eq!(world.taken(&scene).await, [(55, 95)]);
    assert!(matches!(change(world, &booking, synced).await, Err(StoreError::WrongState)), "no task is left");

    let waiting = pending(world, &scene, 100, 130).await;
    let mut external = external_booking("counterpart-w", waiting.when);
    external.status = ExternalStatus::Pending;
    let waits = BookingChange::Delivered { external: external.clone(), padded: waiting.when };
    let waiting = change(world, &waiting, waits).await.unwrap();
    assert_eq!(
        (waiting.status, waiting.provider_task),
        (BookingStatus::Pending, None),
        "waits with the provider"
    );
    external.status = ExternalStatus::Confirmed;
    let news = BookingChange::ChangedByProvider { external, padded: waiting.when };
    assert_eq!(change(world, &waiting, news).await.unwrap().status, BookingStatus::Confirmed);

    let refused = pending(world, &scene, 200, 230).await;
    let refused = change(world, &refused, BookingChange::Refused { reason: "No".into() }).await.unwrap();
    assert_eq!((refused.status, refused.provider_task), (BookingStatus::Failed, None));
    assert_eq!(refused.reason.as_deref(), Some("No"));
    assert_eq!(world.taken(&scene).await, [(55, 95), (100, 130)], "its occupancy is free");
    assert_eq!(world.actions(scene.tenant, refused.id).await, ["booking.created", "booking.refused"]);
    assert_eq!(world.actions(scene.tenant, booking.id).await, ["booking.created", "booking.confirmed"]);
}

pub async fn cancel_keeps_the_place_until_the_provider_knows(world: &World) {
    let scene = world.scene("quay").await;
    let booking = confirmed(world, &scene, 60, 90).await;
    let job = world.leased(&scene, booking.id);
    let cancel = BookingChange::Cancel { reason: Some("Ill".into()) };
    let cancel = ChangeOrder { job: Some(job.clone()), ..cancel.into() };
    let cancelled = change(world, &booking, cancel.clone()).await.unwrap();
    assert_eq!(
        (cancelled.status, cancelled.provider_task),
        (BookingStatus::Cancelled, Some(ProviderTask::Cancel))
    );
    assert_eq!(world.taken(&scene).await, [(60, 90)]);
    assert_eq!(world.store.open_job_count().await.unwrap(), 1);
    assert!(matches!(change(world, &cancelled, cancel).await, Err(StoreError::WrongState)));
    let synced = BookingChange::CancelDelivered { external: None };
    let done = world
        .store
        .change_booking(
            scene.tenant,
            booking.id,
            cancelled.sequence,
            synced,
            Some((job.id, 1)),
            world.audit(),
        )
        .await
        .unwrap();
    assert_eq!((done.status, done.provider_task), (BookingStatus::Cancelled, None));
    assert_eq!(done.external_id.as_deref(), Some("counterpart-1"));
    assert!(world.taken(&scene).await.is_empty());
    assert_eq!(world.store.open_job_count().await.unwrap(), 0);

    let local = world.booking(&scene, span(60, 90));
    world.store.create_booking(local.clone(), world.audit()).await.unwrap();
    let gone = change(world, &local.booking, BookingChange::Cancel { reason: None }).await.unwrap();
    assert_eq!((gone.status, gone.provider_task), (BookingStatus::Cancelled, None));
    assert!(world.taken(&scene).await.is_empty(), "without a provider at once");

    let theirs = confirmed(world, &scene, 60, 90).await;
    let mut external = external_booking("counterpart-1", span(60, 90));
    external.status = ExternalStatus::Cancelled;
    external.cancellation_reason = Some("Closed".into());
    let news = BookingChange::CancelledByProvider { external };
    let theirs = change(world, &theirs, news.clone()).await.unwrap();
    assert_eq!((theirs.status, theirs.reason.as_deref()), (BookingStatus::Cancelled, Some("Closed")));
    assert!(world.taken(&scene).await.is_empty());
    assert!(matches!(change(world, &theirs, news).await, Err(StoreError::WrongState)));
}

pub async fn reschedule_holds_both_places_until_it_is_settled(world: &World) {
    let scene = world.scene("quay").await;
    let booking = confirmed(world, &scene, 60, 90).await;
    let to = |from: i64, job| moved_to(span(from, from + 30), span(from - 5, from + 35), job);
    let job = world.leased(&scene, booking.id);
    let moving = change(world, &booking, to(200, Some(job.clone()))).await.unwrap();
    assert_eq!((moving.when, moving.previous_when), (span(200, 230), Some(span(60, 90))));
    assert_eq!(moving.provider_task, Some(ProviderTask::Reschedule));
    assert_eq!(world.taken(&scene).await, [(60, 90), (195, 235)]);
    assert!(
        matches!(change(world, &moving, to(300, None)).await, Err(StoreError::WrongState)),
        "one at a time"
    );

    let refused = BookingChange::RescheduleRefused {
        reason: "Late".into(),
        occupancy: Occupancy { padded: span(60, 90), when: span(60, 90) },
        external: None,
    };
    let back = change(world, &moving, refused.clone()).await.unwrap();
    assert_eq!((back.when, back.previous_when, back.provider_task), (span(60, 90), None, None));
    assert_eq!((back.status, world.taken(&scene).await), (BookingStatus::Confirmed, vec![(60, 90)]));
    assert!(matches!(change(world, &back, refused).await, Err(StoreError::WrongState)));

    let moving = change(world, &back, to(200, Some(job))).await.unwrap();
    let external = external_booking("counterpart-2", span(200, 230));
    let moved =
        change(world, &moving, BookingChange::Delivered { external, padded: span(195, 235) }).await.unwrap();
    assert_eq!((moved.when, moved.previous_when, moved.provider_task), (span(200, 230), None, None));
    assert_eq!(moved.external_id.as_deref(), Some("counterpart-2"));
    assert_eq!(world.taken(&scene).await, [(195, 235)]);

    let local = world.booking(&scene, span(60, 90));
    let customer = world.store.create_booking(local.clone(), world.audit()).await.unwrap();
    let taken = change(world, &local.booking, to(220, None)).await;
    assert!(matches!(taken, Err(StoreError::Overlap)), "{taken:?}");
    assert_eq!(
        world.store.booking(scene.tenant, local.booking.id).await.unwrap(),
        Booking { customer, ..local.booking.clone() },
        "as it was"
    );
    assert_eq!(world.taken(&scene).await, [(60, 90), (195, 235)]);
    change(world, &local.booking, to(70, None)).await.unwrap();
    assert_eq!(world.taken(&scene).await, [(65, 105), (195, 235)], "at once, over its own old occupancy");
}

pub async fn reschedule_of_overlapping_times_holds_their_hull(world: &World) {
    let scene = world.scene("quay").await;
    let booking = confirmed(world, &scene, 60, 90).await;
    let job = world.leased(&scene, booking.id);
    let to = moved_to(span(75, 105), span(75, 105), Some(job));
    let moving = change(world, &booking, to).await.unwrap();
    assert_eq!(world.taken(&scene).await, [(60, 105)]);
    let external = external_booking("counterpart-1", span(75, 105));
    change(world, &moving, BookingChange::Delivered { external, padded: span(75, 105) }).await.unwrap();
    assert_eq!(world.taken(&scene).await, [(75, 105)]);
}

pub async fn news_of_the_provider_wins_over_all_but_an_undelivered_move(world: &World) {
    let scene = world.scene("quay").await;
    let booking = confirmed(world, &scene, 60, 90).await;
    let news = |id: &str, from: i64| BookingChange::ChangedByProvider {
        external: external_booking(id, span(from, from + 30)),
        padded: span(from, from + 30),
    };
    let moved = change(world, &booking, news("counterpart-2", 120)).await.unwrap();
    assert_eq!((moved.when, moved.external_id.as_deref()), (span(120, 150), Some("counterpart-2")));
    assert_eq!(world.taken(&scene).await, [(120, 150)]);

    let job = world.leased(&scene, booking.id);
    let to = moved_to(span(200, 230), span(200, 230), Some(job));
    let moving = change(world, &moved, to).await.unwrap();
    let kept = change(world, &moving, news("counterpart-2", 120)).await.unwrap();
    assert_eq!((kept.when, kept.provider_task), (span(200, 230), Some(ProviderTask::Reschedule)));
    assert_eq!(world.taken(&scene).await, [(120, 150), (200, 230)]);
    let theirs = change(world, &kept, news("counterpart-2", 300)).await.unwrap();
    assert_eq!((theirs.when, theirs.provider_task, theirs.previous_when), (span(300, 330), None, None));
    assert_eq!(world.taken(&scene).await, [(300, 330)]);

    world.store.create_booking(world.booking(&scene, span(400, 430)), world.audit()).await.unwrap();
    let clash = change(world, &theirs, news("counterpart-2", 410)).await;
    assert!(matches!(clash, Err(StoreError::Overlap)));
    let mut external = external_booking("counterpart-2", span(300, 330));
    external.status = ExternalStatus::NoShow;
    let over = BookingChange::ChangedByProvider { external, padded: span(300, 330) };
    let over = change(world, &theirs, over).await.unwrap();
    assert_eq!(over.status, BookingStatus::NoShow);
    assert!(matches!(change(world, &over, news("counterpart-2", 500)).await, Err(StoreError::WrongState)));
}

pub async fn finished_bookings_keep_their_place(world: &World) {
    let scene = world.scene("quay").await;
    for (from, finished, status, action) in [
        (60, BookingChange::Complete, BookingStatus::Completed, "booking.completed"),
        (160, BookingChange::NoShow, BookingStatus::NoShow, "booking.no_show"),
    ] {
        let booking = confirmed(world, &scene, from, from + 30).await;
        let done = change(world, &booking, finished).await.unwrap();
        assert_eq!(done.status, status);
        assert!(world.taken(&scene).await.contains(&(from, from + 30)), "limits count what took occupancy");
        assert_eq!(world.actions(scene.tenant, booking.id).await.last().unwrap(), action);
        if status == BookingStatus::Completed {
            let missed = BookingChange::NoShow;
            assert_eq!(change(world, &done, missed).await.unwrap().status, BookingStatus::NoShow);
        }
    }
    let booking = confirmed(world, &scene, 260, 290).await;
    // A job has to go with what its provider is to be told.
    let alone = change(world, &booking, BookingChange::Cancel { reason: None }).await;
    assert!(matches!(alone, Err(StoreError::WrongState)));
    let early = pending(world, &scene, 100, 130).await;
    let early = change(world, &early, BookingChange::Complete).await;
    assert!(matches!(early, Err(StoreError::WrongState)));
}

pub async fn stale_changes_change_nothing(world: &World) {
    let scene = world.scene("quay").await;
    let new = world.pending(&scene, span(60, 90));
    let (id, job) = (new.booking.id, new.job.clone().unwrap().id);
    world.store.create_booking(new, world.audit()).await.unwrap();
    let cancel = BookingChange::Cancel { reason: None };
    let stale =
        world.store.change_booking(scene.tenant, id, 7, cancel.clone(), Some((job, 1)), world.audit()).await;
    assert!(matches!(stale, Err(StoreError::Stale)));
    assert_eq!(world.store.booking(scene.tenant, id).await.unwrap().sequence, 0);
    assert_eq!(world.store.open_job_count().await.unwrap(), 1, "the job neither");
    assert_eq!(world.actions(scene.tenant, id).await, ["booking.created"]);
    let foreign = world.store.change_booking(world.id(), id, 0, cancel, None, world.audit()).await;
    assert!(matches!(foreign, Err(StoreError::NotFound("booking"))));
}

pub async fn the_counterpart_is_noted_without_a_change(world: &World) {
    let scene = world.scene("quay").await;
    let booking = pending(world, &scene, 60, 90).await;
    let external = external_booking("counterpart-9", span(60, 90));
    world.store.note_external_id(scene.tenant, booking.id, external, world.audit()).await.unwrap();
    let noted = world.store.booking(scene.tenant, booking.id).await.unwrap();
    assert_eq!(
        (noted.sequence, noted.status, noted.provider_task),
        (0, BookingStatus::Pending, Some(ProviderTask::Create))
    );
    assert_eq!(noted.external_id.as_deref(), Some("counterpart-9"));
    let foreign = world
        .store
        .note_external_id(world.id(), booking.id, external_booking("x", span(0, 1)), world.audit())
        .await;
    assert!(matches!(foreign, Err(StoreError::NotFound("booking"))));
}
