//! Every state × every change × every role.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::{Map, json};
use uuid::Uuid;

use super::*;
use crate::{
    bookings::{
        domain_events,
        edit::{Contents, Edit},
    },
    id::{BookingId, ConnectionId, EventTypeId, ListingId, MemberId, TenantId},
    outbound::provider::Attendee,
};

/// What is allowed, and what comes of it. A line for each; what has no line is refused.
const TABLE: &str = include_str!("table.txt");

fn instant(text: &str) -> Instant {
    text.parse().unwrap()
}

fn span(from: &str, until: &str) -> Interval {
    Interval::new(instant(from), instant(until)).unwrap()
}

fn when() -> Interval {
    span("2027-03-01T09:00:00Z", "2027-03-01T09:30:00Z")
}

fn later() -> Interval {
    span("2027-03-01T15:00:00Z", "2027-03-01T15:30:00Z")
}

fn before() -> Interval {
    span("2027-03-01T07:00:00Z", "2027-03-01T07:30:00Z")
}

/// A state as people speak of it.
#[derive(Debug, Clone, Copy)]
struct State {
    status: BookingStatus,
    task: Option<ProviderTask>,
    has_provider: bool,
    is_there: bool,
}

impl State {
    /// All that can be: what is dispatched has a provider, what is there does, too.
    fn all() -> Vec<Self> {
        let tasks = [None].into_iter().chain(ProviderTask::ALL.into_iter().map(Some));
        let tasks: Vec<Option<ProviderTask>> = tasks.collect();
        let mut all = Vec::new();
        for status in BookingStatus::ALL {
            for task in tasks.iter().copied() {
                for (has_provider, is_there) in [(false, false), (true, false), (true, true)] {
                    let fits = match task {
                        None => true,
                        Some(ProviderTask::Create) => status.is_active(),
                        Some(ProviderTask::Reschedule) => status == BookingStatus::Confirmed,
                        Some(ProviderTask::Cancel) => status == BookingStatus::Cancelled,
                        Some(ProviderTask::Update | ProviderTask::Reassign) => status.is_active() && is_there,
                    };
                    if fits && (task.is_none() || has_provider) {
                        all.push(Self { status, task, has_provider, is_there });
                    }
                }
            }
        }
        all
    }

    fn of(booking: &Booking) -> Self {
        Self {
            status: booking.status,
            task: booking.provider_task,
            has_provider: booking.connection.is_some(),
            is_there: booking.external_id.is_some(),
        }
    }

    fn booking(self) -> Booking {
        Booking {
            id: BookingId::from_uuid(Uuid::from_u128(1)),
            tenant: TenantId::from_uuid(Uuid::from_u128(2)),
            listing: ListingId::from_uuid(Uuid::from_u128(3)),
            event_type: EventTypeId::from_uuid(Uuid::from_u128(4)),
            member: MemberId::from_uuid(Uuid::from_u128(5)),
            other_members: Vec::new(),
            seats: 1,
            seats_taken: 1,
            series: None,
            assignment: None,
            connection: self.has_provider.then(|| ConnectionId::from_uuid(Uuid::from_u128(6))),
            status: self.status,
            provider_task: self.task,
            when: when(),
            clocks: None,
            customer: None,
            previous_when: (self.task == Some(ProviderTask::Reschedule)).then(before),
            attendee: Attendee {
                name: "Ada".into(),
                email: None,
                phone: None,
                time_zone: "UTC".into(),
                language: None,
            },
            guests: Vec::new(),
            answers: Map::new(),
            notes: None,
            location: None,
            metadata: BTreeMap::new(),
            local_changes: Vec::new(),
            undelivered: None,
            reason: None,
            external_id: self.is_there.then(|| "x1".to_owned()),
            external: None,
            external_updated_at: None,
            rescheduled_at: None,
            sequence: 3,
            created_at: instant("2027-02-01T00:00:00Z"),
            updated_at: instant("2027-02-01T00:00:00Z"),
        }
    }

    fn name(self) -> String {
        let task = self.task.map_or(String::new(), |task| format!("+{}", task.as_str()));
        let provider = match (self.has_provider, self.is_there) {
            (false, _) => "here",
            (true, false) => "not there",
            (true, true) => "there",
        };
        format!("{}{task} ({provider})", self.status.as_str())
    }
}

fn external(status: ExternalStatus, when: Interval) -> ExternalBooking {
    ExternalBooking {
        id: "x1".into(),
        reference: None,
        status,
        when,
        event_type: None,
        title: None,
        attendees: Vec::new(),
        location: None,
        cancellation_reason: None,
        rescheduled_from: None,
        rescheduled_to: None,
        updated_at: None,
        raw: json!({}),
    }
}

fn edit(local_only: bool) -> Edit {
    let mut contents = Contents::of(&State::all()[0].booking());
    contents.notes = Some("By the door".into());
    Edit { contents, local_only, seats: None }
}

fn others() -> Hosts {
    Hosts { member: MemberId::from_uuid(Uuid::from_u128(9)), other_members: Vec::new(), assignment: None }
}

/// Every change, with each answer that a provider may give.
fn changes() -> Vec<(String, BookingChange)> {
    let padded = later();
    let occupancy = Occupancy { padded, when: later() };
    let here = Occupancy { padded: when(), when: when() };
    let named = |name: &str, change| (name.to_owned(), change);
    let mut all = vec![
        named("cancel", BookingChange::Cancel { reason: Some("Ill".into()) }),
        named("reschedule", BookingChange::Reschedule { occupancy, hosts: None }),
        named("confirm", BookingChange::Confirm),
        named("edit", BookingChange::Edit(Box::new(edit(false)))),
        named("edit here", BookingChange::Edit(Box::new(edit(true)))),
        named("reassign", BookingChange::Reassign { occupancy: here, hosts: others(), local_only: false }),
        named(
            "reassign here",
            BookingChange::Reassign { occupancy: here, hosts: others(), local_only: true },
        ),
        named("decline", BookingChange::Decline { reason: None }),
        named("complete", BookingChange::Complete),
        named("no_show", BookingChange::NoShow),
        named("refused", BookingChange::Refused { reason: "No".into() }),
        named(
            "reschedule_refused",
            BookingChange::RescheduleRefused { reason: "No".into(), occupancy, external: None },
        ),
        named(
            "edit_refused",
            BookingChange::EditRefused { reason: "No".into(), occupancy: here, external: None },
        ),
        named("cancel_delivered", BookingChange::CancelDelivered { external: None }),
        named("cancel_refused", BookingChange::CancelRefused { reason: "No".into(), external: None, padded }),
        named("settled_here", BookingChange::SettledHere { padded }),
    ];
    for task in ProviderTask::ALL {
        all.push((format!("redeliver {}", task.as_str()), BookingChange::Redeliver(task)));
    }
    for status in [
        ExternalStatus::Pending,
        ExternalStatus::Confirmed,
        ExternalStatus::Cancelled,
        ExternalStatus::Completed,
        ExternalStatus::NoShow,
    ] {
        let there = external(status, later());
        let name = format!("{status:?}").to_lowercase();
        let changed = BookingChange::ChangedByProvider { external: there.clone(), padded };
        all.push((format!("changed there, {name}"), changed));
        if status.is_active() {
            all.push((
                format!("delivered, {name}"),
                BookingChange::Delivered { external: there.clone(), padded },
            ));
            let stands = BookingChange::CancelRefused { reason: "No".into(), external: Some(there), padded };
            all.push((format!("cancel_refused, {name}"), stands));
        } else if status == ExternalStatus::Cancelled {
            all.push(named("cancelled there", BookingChange::CancelledByProvider { external: there }));
        }
    }
    all
}

fn occupancies_name(occupancies: OccupancyChange) -> &'static str {
    match occupancies {
        OccupancyChange::Keep => "keep",
        OccupancyChange::Release => "release",
        OccupancyChange::Only(_) => "only",
        OccupancyChange::Also(_) => "also",
    }
}

fn at() -> Instant {
    instant("2027-02-02T00:00:00Z")
}

/// The machine itself as a table.
fn table() -> String {
    let mut table = String::new();
    for state in State::all() {
        for (name, change) in changes() {
            let old = state.booking();
            let made: Vec<(Role, Transition)> = Role::ALL
                .into_iter()
                .filter_map(|role| apply(&old, &change, role, at()).ok().map(|made| (role, made)))
                .collect();
            let Some((_, first)) = made.first() else { continue };
            for (role, other) in &made {
                // Who asks decides whether, never what.
                assert_eq!(
                    (&other.booking, other.occupancies),
                    (&first.booking, first.occupancies),
                    "{role:?} {change:?}"
                );
            }
            let roles: Vec<&str> = made.iter().map(|(role, _)| role.as_str()).collect();
            let (next, occupancies) = (State::of(&first.booking).name(), occupancies_name(first.occupancies));
            let dispatched = if first.is_dispatched { " dispatched" } else { "" };
            let told = domain_events::changed(&old, &change, first, at(), "customer");
            let (from, roles, told) = (state.name(), roles.join(" "), told.kind.as_str());
            writeln!(table, "{from} | {name} | {roles} | {next} {occupancies}{dispatched} | {told}").unwrap();
        }
    }
    table
}

#[test]
fn the_machine_does_what_the_table_says() {
    let table = table();
    if std::env::var_os("INSTA_UPDATE").is_some_and(|value| value == "always") {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/bookings/transition/table.txt");
        std::fs::write(path, &table).unwrap();
        return;
    }
    let differing = table.lines().zip(TABLE.lines()).find(|(made, said)| made != said);
    assert_eq!(differing, None, "made, said");
    assert_eq!(table.lines().count(), TABLE.lines().count());
}

#[test]
fn whatever_happens_the_rules_hold() {
    for state in State::all() {
        for (name, change) in changes() {
            for role in Role::ALL {
                let old = state.booking();
                let Ok(made) = apply(&old, &change, role, at()) else { continue };
                let (new, what) = (&made.booking, format!("{} {name} {role:?}", state.name()));
                assert!(new.status == old.status || old.status.may_become(new.status, made.by), "{what}");
                assert_eq!((new.sequence, new.updated_at), (old.sequence + 1, at()), "{what}");
                assert!(new.provider_task.is_none() || new.connection.is_some(), "{what}: nobody to tell");
                assert_eq!(
                    new.previous_when.is_some(),
                    new.provider_task == Some(ProviderTask::Reschedule),
                    "{what}: back to where"
                );
                assert!(!made.is_dispatched || new.provider_task.is_some(), "{what}: dispatched");
                // It holds its time for as long as it may take place, or its provider may say that it does.
                let holds = new.status.is_active() || new.provider_task.is_some();
                assert!(
                    !holds || made.occupancies != OccupancyChange::Release,
                    "{what}: its time is given away"
                );
                let is_gone = matches!(new.status, BookingStatus::Cancelled | BookingStatus::Failed);
                assert!(
                    !is_gone || holds || made.occupancies == OccupancyChange::Release,
                    "{what}: its time is kept"
                );
                // Who reads nothing but this event knows how it stands.
                let told = domain_events::changed(&old, &change, &made, at(), "customer");
                let told = (
                    told.subject,
                    told.sequence,
                    &told.data["status"],
                    &told.data["start"],
                    &told.data["by"],
                );
                let (status, start, by) =
                    (json!(new.status), json!(new.when.start()), json!(made.by.as_str()));
                assert_eq!(told, (new.id.uuid(), new.sequence, &status, &start, &by), "{what}");
                if made.by == Role::Customer {
                    assert!(
                        matches!(change, BookingChange::Cancel { .. } | BookingChange::Reschedule { .. }),
                        "{what}"
                    );
                }
            }
        }
    }
}

#[test]
fn what_is_over_stays_over() {
    use BookingStatus::{Cancelled, Completed, Confirmed, NoShow, Pending};
    for from in BookingStatus::ALL.into_iter().filter(|status| !status.is_active()) {
        for to in BookingStatus::ALL {
            for by in Role::ALL {
                let may = match (from, to) {
                    (Completed, NoShow) => by == Role::Tenant,
                    (Cancelled, Pending | Confirmed) => by == Role::Provider,
                    _ => false,
                };
                assert_eq!(from.may_become(to, by), may, "{from:?} -> {to:?} by {by:?}");
            }
        }
    }
}

#[test]
fn what_takes_no_time_that_is_known_is_refused() {
    let nowhere = Interval::new(later().start(), later().start()).unwrap();
    let booking = State::all().into_iter().find(|s| s.is_there && s.task.is_none() && s.status.is_active());
    let booking = booking.unwrap().booking();
    let there = external(ExternalStatus::Confirmed, nowhere);
    let change = BookingChange::ChangedByProvider { external: there, padded: nowhere };
    assert_eq!(apply(&booking, &change, Role::System, at()), Err(Refusal::NoTime));
}

#[test]
fn what_is_changed_here_alone_is_noted_once() {
    let there = State { status: BookingStatus::Confirmed, task: None, has_provider: true, is_there: true };
    let made = |booking: &Booking, change: BookingChange| apply(booking, &change, Role::Tenant, at());
    let edited = made(&there.booking(), BookingChange::Edit(Box::new(edit(true)))).unwrap().booking;
    assert_eq!(edited.local_changes, ["notes"]);
    let mut again = edit(true);
    again.contents.notes = None;
    again.contents.guests = vec!["bea@example.com".into()];
    let edited = made(&edited, BookingChange::Edit(Box::new(again))).unwrap().booking;
    assert_eq!(edited.local_changes, ["notes", "guests"]);
    let here = Occupancy { padded: when(), when: when() };
    let given = BookingChange::Reassign { occupancy: here, hosts: others(), local_only: true };
    let given = made(&edited, given).unwrap().booking;
    assert_eq!(given.local_changes, ["notes", "guests", "member"]);
    // Its metadata is nobody else's: no provider is asked.
    let mut own = edit(false);
    own.contents = Contents::of(&there.booking());
    own.contents.metadata.insert("order".into(), "17".into());
    let own = made(&there.booking(), BookingChange::Edit(Box::new(own))).unwrap().booking;
    assert!(own.local_changes.is_empty() && own.metadata.len() == 1);
    // Nothing of what is over is changed.
    let over =
        apply(&there.booking(), &BookingChange::Edit(Box::new(edit(true))), Role::Tenant, when().end());
    assert_eq!(over, Err(Refusal::WrongState));
}
