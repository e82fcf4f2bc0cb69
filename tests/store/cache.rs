//! What a process remembers is what is there, whoever changed it.

use berth_model::{
    bookings::{booking::Booking, hold::HoldRecord},
    id::HoldId,
    limits,
    mirror::sync::Mirrored,
    scheduling::rule::{Override, Rule, RuleOwner, RuleRecord},
    time::{Instant, Interval},
};
use berth_store::{
    Store, StoreError,
    records::{NewHold, OccupancyQuery, RulesOf},
};
use rand::{Rng, SeedableRng, rngs::StdRng};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};

use crate::world::{Scene, World, credentials, external_booking, keys, minute, moved_to, span};

/// What was made, to be changed later.
#[derive(Default)]
struct Made {
    bookings: Vec<Booking>,
    holds: Vec<HoldId>,
    mirrored: Vec<Mirrored>,
    rules: Vec<RuleRecord>,
}

fn within(rng: &mut StdRng) -> Interval {
    let from = rng.random_range(0..20_000);
    span(from, from + rng.random_range(1..3_000))
}

/// Refusals are part of it; faults are not.
fn fine<T>(result: Result<T, StoreError>) -> Option<T> {
    match result {
        Ok(done) => Some(done),
        Err(StoreError::Overlap | StoreError::NotFound(_) | StoreError::WrongState | StoreError::Stale) => {
            None
        }
        Err(error) => panic!("{error:?}"),
    }
}

async fn step(world: &World, scene: &Scene, rng: &mut StdRng, made: &mut Made) {
    use berth_model::bookings::change::BookingChange;
    let store = &world.store;
    match rng.random_range(0..11) {
        0..=2 => {
            let new = world.booking(scene, within(rng));
            let booking = new.booking.clone();
            if fine(store.create_booking(new, world.audit()).await).is_some() {
                made.bookings.push(booking);
            }
        }
        3 if !made.bookings.is_empty() => {
            let booking = made.bookings.swap_remove(rng.random_range(0..made.bookings.len()));
            let change = BookingChange::Cancel { reason: None };
            let (tenant, id, sequence) = (scene.tenant, booking.id, booking.sequence);
            fine(store.change_booking(tenant, id, sequence, change, None, world.audit()).await);
        }
        4 if !made.bookings.is_empty() => {
            let i = rng.random_range(0..made.bookings.len());
            let (when, old) = (within(rng), made.bookings[i].clone());
            let change = moved_to(when, when, None);
            let done = store.change_booking(scene.tenant, old.id, old.sequence, change, None, world.audit());
            if let Some(moved) = fine(done.await) {
                made.bookings[i] = moved;
            }
        }
        5 => {
            let when = within(rng);
            let hold = HoldRecord {
                id: world.id(),
                tenant: scene.tenant,
                event_type: scene.event_type,
                member: scene.member,
                other_members: Vec::new(),
                when,
                token_hash: [7; 32],
                expires_at: world.now().plus_seconds(60),
                created_at: world.now(),
            };
            let id = hold.id;
            if fine(store.create_hold(NewHold { hold, padded: when, seats: 1 }, world.audit()).await)
                .is_some()
            {
                made.holds.push(id);
            }
        }
        6 if !made.holds.is_empty() => {
            let id = made.holds[rng.random_range(0..made.holds.len())];
            if rng.random() {
                let until = world.now().plus_seconds(90);
                fine(store.extend_hold(scene.tenant, id, until, world.audit()).await);
            } else {
                fine(store.release_hold(scene.tenant, id, world.audit()).await);
            }
        }
        7 => {
            let when = within(rng);
            let known = made.mirrored.len();
            let mirrored = match rng.random_range(0..=known) {
                i if i < known => Mirrored { padded: when, ..made.mirrored[i].clone() },
                _ => Mirrored {
                    id: world.id(),
                    tenant: scene.tenant,
                    connection: scene.connection,
                    booking: None,
                    customer: None,
                    member: Some(scene.member),
                    external: external_booking(&format!("theirs-{known}"), when),
                    padded: when,
                    run: 0,
                    last_synced_at: world.now(),
                },
            };
            store.put_mirrored(mirrored.clone()).await.unwrap();
            made.mirrored.push(mirrored);
        }
        8 if !made.mirrored.is_empty() => {
            let mirrored = made.mirrored.swap_remove(rng.random_range(0..made.mirrored.len()));
            store.forget_mirrored(mirrored).await.unwrap();
        }
        9 => {
            store.prune(world.now()).await.unwrap();
        }
        _ => setup_step(world, scene, rng, made).await,
    }
}

/// Change something of what the event type is booked with.
async fn setup_step(world: &World, scene: &Scene, rng: &mut StdRng, made: &mut Made) {
    let store = &world.store;
    match rng.random_range(0..5) {
        0 => {
            let mut member = store.member(scene.tenant, scene.member).await.unwrap();
            member.name = format!("Ada {}", rng.random_range(0..9));
            store.update_member(member.clone(), member.revision, world.audit()).await.unwrap();
        }
        1 => {
            let mut event_type = store.event_type(scene.tenant, scene.event_type).await.unwrap();
            event_type.length_minutes = rng.random_range(10..60);
            store.update_event_type(event_type.clone(), event_type.revision, world.audit()).await.unwrap();
        }
        2 => {
            let mut listing = store.listing(scene.tenant, scene.listing).await.unwrap();
            listing.active = !listing.active;
            store.update_listing(listing.clone(), listing.revision, world.audit()).await.unwrap();
        }
        3 if !made.rules.is_empty() => {
            let rule = made.rules.swap_remove(rng.random_range(0..made.rules.len()));
            store.delete_rule(scene.tenant, rule.rule.kind(), rule.id, world.audit()).await.unwrap();
        }
        _ => {
            let date = minute(rng.random_range(0..20_000)).to_chrono().date_naive();
            let rule = RuleRecord {
                id: world.id(),
                tenant: scene.tenant,
                owner: Some(RuleOwner::Member(scene.member)),
                rule: Rule::Override(Override { date, intervals: Vec::new() }),
                origin: None,
                revision: 1,
                created_at: world.now(),
                updated_at: world.now(),
            };
            store.create_rules(vec![(rule.clone(), world.audit())]).await.unwrap();
            made.rules.push(rule);
        }
    }
}

fn rules_of(scene: &Scene) -> RulesOf {
    let (members, listing, event_type) = (vec![scene.member], scene.listing, scene.event_type);
    RulesOf { members, listing, event_type, schedules: Vec::new() }
}

/// Everything that a store says of these stretches.
async fn said(store: &Store, scene: &Scene, stretches: &[Interval], now: Instant) -> String {
    use std::fmt::Write;
    let found = store.booking_setup(scene.tenant, scene.event_type).await.unwrap();
    let mut said = format!("{:?}\n", found.records);
    for within in stretches {
        let (members, event_type) = (vec![scene.member], scene.event_type);
        let of = OccupancyQuery { members, within: *within, now, event_type, own: None };
        let mut taken = store.occupancies_at(scene.tenant, of, found.places.clone()).await.unwrap();
        taken.iter_mut().for_each(|(_, places)| places.sort_unstable_by_key(|p| (p.padded, p.when, p.hold)));
        let rules = store.rules_bearing(scene.tenant, found.records.setup, rules_of(scene), *within).await;
        writeln!(said, "{within:?} {taken:?}\n{:?}", rules.unwrap()).unwrap();
    }
    said
}

async fn walk(world: &World, seed: u64) {
    eprintln!("seed {seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    let scene = world.scene(&format!("quay-{seed}")).await;
    let mut made = Made::default();
    let stretches = [span(0, 20_000), span(3_000, 9_000), span(8_000, 8_030)];
    for _ in 0..40 {
        // Now and then more changes than are kept one by one.
        let changes = if rng.random_range(0..8) == 0 { 80 } else { rng.random_range(1..6) };
        for _ in 0..changes {
            step(world, &scene, &mut rng, &mut made).await;
        }
        let now = world.now();
        let anew = Store::open(&world.url, keys(), world.random.clone()).await.unwrap();
        let there = said(&anew, &scene, &stretches, now).await;
        anew.close().await;
        assert_eq!(said(&world.viewer, &scene, &stretches, now).await, there, "seed {seed}");
    }
}

pub async fn what_is_remembered_is_what_is_there(world: &World) {
    for seed in [1, 2, rand::random()] {
        walk(world, seed).await;
    }
}

pub async fn a_connection_that_goes_takes_nobody_s_time_with_it(world: &World) {
    let scene = world.scene("quay").await;
    let connection = world.connection(scene.tenant);
    let (id, secret) = (connection.id, credentials("cal_test_not_a_real_key"));
    world.store.create_connection(connection, secret, world.audit()).await.unwrap();
    let mirrored = Mirrored {
        id: world.id(),
        tenant: scene.tenant,
        connection: id,
        booking: None,
        customer: None,
        member: Some(scene.member),
        external: external_booking("theirs", span(60, 90)),
        padded: span(60, 90),
        run: 0,
        last_synced_at: world.now(),
    };
    world.store.put_mirrored(mirrored).await.unwrap();
    let taken = async || {
        let (members, within) = (vec![scene.member], span(0, 600));
        let of = OccupancyQuery { members, within, now: minute(0), event_type: scene.event_type, own: None };
        world.viewer.occupancies(scene.tenant, of).await.unwrap()[0].1.len()
    };
    assert_eq!(taken().await, 1);
    world.store.delete_connection(scene.tenant, id, world.audit()).await.unwrap();
    assert_eq!(taken().await, 0, "its bookings are gone, and so is what another process remembers of them");
}

/// What an answer costs: the database is asked once while nothing changes, and once more for what a booking touched.
pub async fn what_did_not_change_is_not_read_again(world: &World) {
    let scene = world.scene("quay").await;
    for n in 0..200 {
        let new = world.booking(&scene, span(n * 30, n * 30 + 20));
        world.store.create_booking(new, world.audit()).await.unwrap();
    }
    let asked = async || {
        let before = world.viewer.reads();
        let said = said(&world.viewer, &scene, &[span(0, 9_000)], minute(0)).await;
        (world.viewer.reads() - before, said.matches("SeenOccupancy").count())
    };
    assert_eq!(asked().await, (3, 200), "scene, places and rules");
    assert_eq!(asked().await, (1, 200), "whether anything changed");
    world.store.create_booking(world.booking(&scene, span(6_000, 6_020)), world.audit()).await.unwrap();
    assert_eq!(asked().await, (2, 201), "what the booking touched");
    assert_eq!(asked().await, (1, 201));
}

/// Copies of the booking that is there, until there are this many: with other ids, and noted as no change.
async fn multiply(world: &World, most: i64) {
    let columns = "member_id, status, starts_at, ends_at, event_type, payload, run, last_synced_at";
    let copies = |id: &str, text: &str| {
        format!(
            "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < {most})
            INSERT INTO external_bookings (tenant_id, id, connection_id, external_id, {columns})
            SELECT tenant_id, {id}, connection_id, {text}, {columns} FROM external_bookings, n"
        )
    };
    if world.file.is_some() {
        let mut conn = SqliteConnection::connect(&world.url).await.unwrap();
        let noted = "SELECT sql FROM sqlite_master WHERE name = 'external_bookings_noted_insert'";
        let (noted,): (String,) = sqlx::query_as(noted).fetch_one(&mut conn).await.unwrap();
        conn.execute("DROP TRIGGER external_bookings_noted_insert").await.unwrap();
        conn.execute(AssertSqlSafe(copies("randomblob(16)", "'copy-' || i"))).await.unwrap();
        conn.execute(AssertSqlSafe(noted)).await.unwrap();
    } else {
        let mut conn = PgConnection::connect(&world.url).await.unwrap();
        conn.execute("ALTER TABLE external_bookings DISABLE TRIGGER external_bookings_noted").await.unwrap();
        conn.execute(AssertSqlSafe(copies("gen_random_uuid()", "'copy-' || i"))).await.unwrap();
        conn.execute("ALTER TABLE external_bookings ENABLE TRIGGER external_bookings_noted").await.unwrap();
    }
}

/// As many as are read for one answer, and one more.
pub async fn places_have_a_limit(world: &World) {
    let scene = world.scene("quay").await;
    let mirrored = Mirrored {
        id: world.id(),
        tenant: scene.tenant,
        connection: scene.connection,
        booking: None,
        customer: None,
        member: Some(scene.member),
        external: external_booking("theirs", span(60, 90)),
        padded: span(60, 90),
        run: 0,
        last_synced_at: world.now(),
    };
    world.store.put_mirrored(mirrored.clone()).await.unwrap();
    multiply(world, limits::PLACES_READ_MAX).await;
    let taken = async || {
        let (members, within) = (vec![scene.member], span(0, 600));
        let of = OccupancyQuery { members, within, now: minute(0), event_type: scene.event_type, own: None };
        world.viewer.occupancies(scene.tenant, of).await.map(|taken| taken[0].1.len())
    };
    let most = usize::try_from(limits::PLACES_READ_MAX).unwrap();
    assert_eq!(taken().await.unwrap(), most);
    let external = external_booking("one more", span(61, 91));
    let more = Mirrored { id: world.id(), external, padded: span(61, 91), ..mirrored };
    world.store.put_mirrored(more).await.unwrap();
    assert!(matches!(taken().await, Err(StoreError::TooMany(limits::PLACES_READ_MAX))));
}
