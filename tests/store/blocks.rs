//! What shall be closed in calendars is what takes their member's time, and what is behind is found.

use berth_model::{
    bookings::change::BookingChange,
    calendars::calendar::{BlockState, CalendarBlock, CalendarRecord},
    mirror::sync::Mirrored,
    outbound::provider::ExternalBooking,
    time::Interval,
};

use crate::world::{NOON, Scene, World, external_booking, span};

fn calendar(world: &World, scene: &Scene) -> CalendarRecord {
    CalendarRecord {
        id: world.id(),
        tenant: scene.tenant,
        member: scene.member,
        connection: scene.connection,
        calendar: "staff-1".to_owned(),
        reads: false,
        writes: true,
        blocks: true,
        trouble: None,
        created_at: NOON,
        updated_at: NOON,
    }
}

fn block(world: &World, calendar: &CalendarRecord, when: Interval, state: BlockState) -> CalendarBlock {
    CalendarBlock {
        id: world.id(),
        tenant: calendar.tenant,
        calendar: calendar.id,
        connection: calendar.connection,
        when,
        state,
        external_id: (state == BlockState::Closed).then(|| format!("block at {}", when.start())),
        updated_at: NOON,
    }
}

/// A booking over another connection than the scene's, as its provider has it.
fn mirrored(world: &World, scene: &Scene, other: berth_model::id::ConnectionId, when: Interval) -> Mirrored {
    let external: ExternalBooking = external_booking("theirs", when);
    Mirrored {
        id: world.id(),
        tenant: scene.tenant,
        connection: other,
        booking: None,
        customer: None,
        member: Some(scene.member),
        external,
        padded: when,
        run: 1,
        last_synced_at: NOON,
    }
}

pub async fn what_takes_time_is_to_be_closed(world: &World) {
    let scene = world.scene("quay").await;
    let calendar = calendar(world, &scene);
    world.store.create_calendar(calendar.clone(), world.audit()).await.unwrap();
    let wanted = async || world.store.times_to_close(calendar.clone(), NOON).await.unwrap();
    let behind = async || world.store.calendars_behind(NOON, 9).await.unwrap().len();
    assert_eq!((wanted().await, behind().await), (vec![], 0));

    // A booking with nobody, one over the calendar's own connection, one that another provider has, and one that is over.
    let ours = world.booking(&scene, span(60, 90));
    world.store.create_booking(ours.clone(), world.audit()).await.unwrap();
    let mut there = world.booking(&scene, span(120, 150));
    there.booking.connection = Some(scene.connection);
    world.store.create_booking(there, world.audit()).await.unwrap();
    let other = world.connection(scene.tenant);
    world
        .store
        .create_connection(other.clone(), crate::world::credentials("k"), world.audit())
        .await
        .unwrap();
    world.store.put_mirrored(mirrored(world, &scene, other.id, span(180, 210))).await.unwrap();
    world.store.create_booking(world.booking(&scene, span(-60, -30)), world.audit()).await.unwrap();
    assert_eq!(wanted().await, [ours.padded, span(180, 210)]);
    assert_eq!(behind().await, 1);

    // Tried is not closed; refused is done with.
    let first = block(world, &calendar, ours.padded, BlockState::Wanted);
    world.store.put_calendar_block(first.clone()).await.unwrap();
    let second = block(world, &calendar, span(180, 210), BlockState::Refused);
    world.store.put_calendar_block(second).await.unwrap();
    assert_eq!(behind().await, 1);
    let first = CalendarBlock { state: BlockState::Closed, external_id: Some("blk".to_owned()), ..first };
    world.store.put_calendar_block(first.clone()).await.unwrap();
    assert_eq!(behind().await, 0);
    assert_eq!(world.store.calendar_blocks(scene.tenant, calendar.id, NOON).await.unwrap()[0], first);
    let marks =
        || async { world.store.block_marks(scene.tenant, scene.connection, span(0, 300)).await.unwrap() };
    let told = marks().await;
    assert!(told.ids.contains("blk") && told.times[&ours.padded].contains(&scene.member));
    assert_eq!(told.times.len(), 1, "what was refused is somebody else's");

    let cancel = BookingChange::Cancel { reason: None };
    let (booking, audit) = (&ours.booking, world.audit());
    world
        .store
        .change_booking(booking.tenant, booking.id, booking.sequence, cancel, None, audit)
        .await
        .unwrap();
    assert_eq!((wanted().await, behind().await), (vec![span(180, 210)], 1));
    world.store.forget_calendar_block(first, Some("blk".to_owned()), NOON).await.unwrap();
    assert_eq!(behind().await, 0);
    let told = marks().await;
    assert!(told.ids.contains("blk") && told.times.is_empty(), "what was opened is known for a while");
    let later = NOON.plus_seconds(berth_model::limits::AVAILABILITY_CACHED_SECONDS_MAX + 1);
    world.store.prune(later).await.unwrap();
    assert!(marks().await.ids.is_empty());

    // A calendar that is written no more is to be opened.
    let unwritten = CalendarRecord { writes: false, reads: true, ..calendar.clone() };
    world.store.update_calendar(unwritten, world.audit()).await.unwrap();
    assert_eq!(behind().await, 1);
    world.store.delete_calendar(scene.tenant, calendar.id, world.audit()).await.unwrap();
    assert_eq!(behind().await, 0);
}
