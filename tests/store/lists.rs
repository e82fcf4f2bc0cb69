//! Lists of bookings: searched, narrowed, in every order, counted by day, and by which indexes they are read.

use berth_model::{
    bookings::{
        booking::{Booking, BookingStatus},
        lists::{BookingOrder, WantedStates, days},
        search::Search,
    },
    id::{BookingId, TenantId},
    time::{Instant, Interval},
    zone::Zone,
};
use berth_store::records::{BookedOver, BookingFilter};
use rand::{Rng, SeedableRng, rngs::StdRng};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row, SqliteConnection};

use crate::{
    carry_over::{at, blob, migration, migrations_before},
    world::{Scene, World, minute, span},
};

async fn ids(world: &World, tenant: TenantId, filter: BookingFilter) -> Vec<BookingId> {
    let found = world.store.list_bookings(tenant, filter, 1_000).await.unwrap();
    found.into_iter().map(|booking| booking.id).collect()
}

async fn named(world: &World, scene: &Scene, hour: i64, name: &str, email: Option<&str>) -> Booking {
    let mut new = world.booking(scene, span(hour * 60, hour * 60 + 30));
    new.booking.attendee.name = name.to_owned();
    new.booking.attendee.email = email.map(str::to_owned);
    world.store.create_booking(new.clone(), world.audit()).await.unwrap();
    new.booking
}

pub async fn bookings_are_found_by_what_is_typed(world: &World) {
    let (scene, other) = (world.scene("quay").await, world.scene("pier").await);
    let lukasz = named(world, &scene, 1, "Łukasz Nowak", Some("Zoo.L@example.com")).await;
    let ada = named(world, &scene, 2, "Ada O'Nowak", Some("ada@example.com")).await;
    let smile = named(world, &scene, 3, "🙂", None).await;
    named(world, &other, 1, "Łukasz Nowak", Some("zoo.l@example.com")).await;
    let (l, a, s) = (lukasz.id, ada.id, smile.id);
    let whole = a.to_string();
    for (text, found) in [
        ("nowak", vec![l]),
        ("LUKASZ now", vec![l]),
        ("onow", vec![a]),
        ("lukasz ada", vec![]),
        ("a", vec![a]),
        ("zoo.l@EX", vec![l]),
        ("zoo", vec![l]),
        ("@", vec![]),
        ("🙂", vec![s]),
        (&whole, vec![a]),
        (&whole[..4], vec![l, a, s]),
        ("%", vec![]),
        ("'; --", vec![]),
        ("\u{10ffff}", vec![]),
    ] {
        let search = Some(Search::of(text, true).unwrap());
        let filter = BookingFilter { search, ..BookingFilter::default() };
        assert_eq!(ids(world, scene.tenant, filter).await, found, "{text}");
    }
    let blind = Search::of("zoo.l@example.com", false).unwrap();
    let filter = BookingFilter { search: Some(blind), ..BookingFilter::default() };
    assert_eq!(ids(world, scene.tenant, filter).await, []);
}

/// Every order is whole and without doubles when it is read page by page, also where times are the same.
pub async fn pages_are_whole_in_every_order(world: &World) {
    let scene = world.scene("quay").await;
    let mut random = StdRng::seed_from_u64(63);
    let mut all = Vec::new();
    for n in 0..60_i64 {
        let member = world.member(scene.tenant);
        world.store.create_member(member.clone(), world.audit()).await.unwrap();
        let from = random.random_range(0..4) * 60;
        let mut new = world.booking(&scene, span(from, from + 30));
        new.booking.member = member.id;
        new.booking.created_at = minute(random.random_range(0..4));
        new.booking.updated_at = minute(n / 20);
        world.store.create_booking(new.clone(), world.audit()).await.unwrap();
        all.push(new.booking);
    }
    for (name, order) in BookingOrder::ALL {
        let mut expected = all.clone();
        expected.sort_by_key(|booking| (order.time_of(booking), booking.id));
        if order.descending {
            expected.reverse();
        }
        let (mut read, mut after) = (Vec::new(), None);
        loop {
            let filter = BookingFilter { order, after, ..BookingFilter::default() };
            let page = world.store.list_bookings(scene.tenant, filter, 7).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some((order.time_of(last), last.id));
            read.extend(page);
        }
        let of = |all: &[Booking]| all.iter().map(|b| b.id).collect::<Vec<_>>();
        assert_eq!(of(&read), of(&expected), "{name}");
    }
}

pub async fn lists_are_narrowed_by_everything(world: &World) {
    let scene = world.scene("quay").await;
    let built_in = named(world, &scene, 1, "Ada", None).await;
    let mut new = world.pending(&scene, span(120, 150));
    new.booking.external_id = Some("there-1".into());
    world.store.create_booking(new.clone(), world.audit()).await.unwrap();
    let over = new.booking;
    let filter = BookingFilter::default;
    let list = async |filter| ids(world, scene.tenant, filter).await;
    let provider = |provider| BookingFilter { provider: Some(provider), ..filter() };
    assert_eq!(list(provider(BookedOver::BuiltIn)).await, [built_in.id]);
    assert_eq!(list(provider(BookedOver::Provider("tide".parse().unwrap()))).await, [over.id]);
    assert!(list(provider(BookedOver::Provider("ebb".parse().unwrap()))).await.is_empty());
    assert_eq!(world.store.connected_providers(scene.tenant).await.unwrap(), ["tide"]);
    let external = |id: &str| BookingFilter { external_id: Some(id.to_owned()), ..filter() };
    assert_eq!(list(external("there-1")).await, [over.id]);
    assert!(list(external("there-2")).await.is_empty());
    let states = |names| BookingFilter { states: WantedStates::named(names).unwrap(), ..filter() };
    assert_eq!(list(states("pending,scheduled")).await, [built_in.id, over.id]);
    assert!(list(states("rescheduled")).await.is_empty());
    let until = |at: Instant| Interval::new(Instant::MIN, at).unwrap();
    for (created, found) in [(built_in.created_at, 0), (over.created_at, 1), (Instant::MAX, 2)] {
        let made = BookingFilter { created: Some(until(created)), ..filter() };
        assert_eq!(list(made).await.len(), found);
        let changed = BookingFilter { updated: Some(until(created)), ..filter() };
        assert_eq!(list(changed).await.len(), found);
    }
}

/// A day of a zone has its bookings, whatever clocks do: the same as if each were looked at.
pub async fn bookings_are_counted_by_day(world: &World) {
    let scene = world.scene("quay").await;
    let zone: Zone = "Europe/Warsaw".parse().unwrap();
    let first = "2026-10-24".parse().unwrap();
    let days = days(zone, first, "2026-10-27".parse().unwrap(), 9).unwrap();
    let mut random = StdRng::seed_from_u64(7);
    let mut made = Vec::new();
    for start in
        days[0].within.start().micros() / 60_000_000 - 300..days[3].within.end().micros() / 60_000_000 + 300
    {
        if start % 30 != 0 || random.random_bool(0.5) {
            continue;
        }
        let start = Instant::from_seconds(start * 60);
        let mut new = world.booking(&scene, Interval::of_minutes(start, 30));
        new.booking.status =
            if random.random_bool(0.5) { BookingStatus::Pending } else { BookingStatus::Confirmed };
        world.store.create_booking(new.clone(), world.audit()).await.unwrap();
        made.push(new.booking);
    }
    let counts =
        world.store.count_bookings(scene.tenant, BookingFilter::default(), days.clone()).await.unwrap();
    assert_eq!(counts.len(), 4);
    for (day, count) in days.iter().zip(&counts) {
        let on = |b: &&Booking| day.within.start() <= b.when.start() && b.when.start() < day.within.end();
        let these: Vec<&Booking> = made.iter().filter(on).collect();
        assert_eq!((count.date, count.total), (day.date, i64::try_from(these.len()).unwrap()));
        for (status, number) in &count.by_status {
            let of = these.iter().filter(|b| b.status.as_str() == status).count();
            assert_eq!(*number, i64::try_from(of).unwrap(), "{status}");
        }
    }
    let pending =
        BookingFilter { states: WantedStates::named("pending").unwrap(), ..BookingFilter::default() };
    let counts = world.store.count_bookings(scene.tenant, pending, days).await.unwrap();
    assert!(counts.iter().all(|day| day.by_status.keys().eq(["pending"])));
    assert_eq!(world.store.count_bookings(scene.tenant, BookingFilter::default(), vec![]).await.unwrap(), []);
}

/// How the database reads a list.
async fn plan(world: &World, tenant: TenantId, filter: &BookingFilter) -> String {
    let statement = world.store.list_statement(tenant, filter);
    if world.store.engine() == "postgres" {
        let mut conn = PgConnection::connect(&world.url).await.unwrap();
        // So few rows are read whole otherwise.
        conn.execute("SET enable_seqscan = off; SET enable_bitmapscan = off").await.unwrap();
        conn.execute("SET plan_cache_mode = force_generic_plan").await.unwrap();
        let values = vec!["NULL"; statement.matches('$').count()].join(", ");
        let prepare = format!("PREPARE list AS {statement}");
        sqlx::raw_sql(AssertSqlSafe(prepare)).execute(&mut conn).await.unwrap();
        let explain = format!("EXPLAIN EXECUTE list ({values})");
        let rows = sqlx::raw_sql(AssertSqlSafe(explain)).fetch_all(&mut conn).await.unwrap();
        return rows.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>().join("\n");
    }
    let mut conn = SqliteConnection::connect(&world.url).await.unwrap();
    let rows = conn.fetch_all(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"))).await.unwrap();
    rows.iter().map(|row| row.get::<String, _>(3)).collect::<Vec<_>>().join("\n")
}

/// Each order has an index on both databases, and nothing is read whole. Which index answers the rest is SQLite's to say, which has no
/// statistics: PostgreSQL weighs them, and here they are all the same.
pub async fn lists_are_read_by_their_indexes(world: &World) {
    let scene = world.scene("quay").await;
    let filter = BookingFilter::default;
    let order = |name| BookingFilter { order: BookingOrder::named(name).unwrap(), ..filter() };
    let search = |text| BookingFilter { search: Some(Search::of(text, true).unwrap()), ..filter() };
    let orders = [
        ("start", "bookings_by_time"),
        ("-start", "bookings_by_time"),
        ("-created", "bookings_by_creation"),
        ("updated", "bookings_by_change"),
    ]
    .map(|(name, index)| (order(name), index, true));
    let others = [
        (search("nowak ada"), "booking_words_by_word"),
        (BookingFilter { listing: Some(scene.listing), ..filter() }, "bookings_of_listing"),
        (BookingFilter { event_type: Some(scene.event_type), ..filter() }, "bookings_of_event_type"),
        (BookingFilter { customer: Some(world.id()), ..filter() }, "bookings_of_customer"),
        (BookingFilter { member: Some(scene.member), ..filter() }, "booking_members_of_member"),
        (BookingFilter { connection: Some(scene.connection), ..filter() }, "bookings_of_connection"),
        (BookingFilter { external_id: Some("x".into()), ..filter() }, "booking_twins"),
    ]
    .map(|(filter, index)| (filter, index, world.store.engine() == "sqlite"));
    for (filter, index, is_sure) in orders.into_iter().chain(others) {
        let plan = plan(world, scene.tenant, &filter).await;
        assert!(!is_sure || plan.contains(index), "{index}: {plan}");
        let whole =
            plan.lines().find(|line| line.contains("Seq Scan") || line.trim_start().starts_with("SCAN b"));
        assert_eq!(whole, None, "{plan}");
    }
}

/// Migration 0063: bookings of before are found once they are filled in, and those that were moved say so.
pub async fn bookings_of_before_are_found(world: &World) {
    let (postgres, name) = (world.store.engine() == "postgres", "0063_booking_search");
    let engine = if postgres { "postgres" } else { "sqlite" };
    let (id, hour) = (blob(postgres), at(postgres));
    let mut script = migrations_before(engine, name);
    script += if postgres { "SET session_replication_role = replica;" } else { "PRAGMA foreign_keys = OFF;" };
    let audits: [(u128, &str, &str); 5] = [
        (10, "booking.rescheduled", r#"{"previous":{},"status":"confirmed"}"#),
        (11, "booking.rescheduled", r#"{"previous":{},"provider_task":"reschedule"}"#),
        (12, "booking.rescheduled", r#"{"previous":{},"provider_task":"reschedule"}"#),
        (12, "booking.reschedule_confirmed", "{}"),
        (13, "booking.changed_by_provider", "{}"),
    ];
    for booking in 10..14 {
        script += &format!(
            "INSERT INTO bookings (tenant_id, id, listing_id, event_type_id, member_id, status, starts_at, ends_at, attendee,
                guests, answers, sequence, created_at, updated_at)
            VALUES ({0}, {1}, {0}, {0}, {0}, 'confirmed', {2}, {3}, '{{\"name\":\"Ada\",\"email\":null,\"phone\":null,\"time_zone\":\"UTC\",\"language\":null}}', '[]', '{{}}', 0, {2}, {2});",
            id(1),
            id(booking),
            hour(1),
            hour(2),
        );
    }
    for (n, (booking, action, data)) in (100..).zip(audits) {
        script += &format!(
            "INSERT INTO audit_log (tenant_id, id, at, actor, request_id, action, subject_kind, subject_id, data)
            VALUES ({}, {}, {}, 'system', 'r', '{action}', 'booking', {}, '{data}');",
            id(1),
            id(n),
            hour(i64::try_from(n).unwrap()),
            id(booking),
        );
    }
    script += &migration(engine, name);
    let read = "SELECT rescheduled_at IS NOT NULL FROM bookings WHERE unsearchable ORDER BY id";
    let moved: Vec<bool> = if postgres {
        let mut conn = PgConnection::connect(&world.url).await.unwrap();
        conn.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public").await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(script)).execute(&mut conn).await.unwrap();
        sqlx::query_scalar(read).fetch_all(&mut conn).await.unwrap()
    } else {
        let mut conn = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(script)).execute(&mut conn).await.unwrap();
        sqlx::query_scalar(read).fetch_all(&mut conn).await.unwrap()
    };
    assert_eq!(moved, [true, false, true, false]);
}

/// The words that a booking of before has none of are made up for, and it is found.
pub async fn words_are_made_up_for(world: &World) {
    let scene = world.scene("quay").await;
    let ada = named(world, &scene, 1, "Ada", None).await;
    let forget = "DELETE FROM booking_words; UPDATE bookings SET unsearchable = TRUE;";
    if world.store.engine() == "postgres" {
        let mut conn = PgConnection::connect(&world.url).await.unwrap();
        sqlx::raw_sql(forget).execute(&mut conn).await.unwrap();
    } else {
        let mut conn = SqliteConnection::connect(&world.url).await.unwrap();
        sqlx::raw_sql(forget).execute(&mut conn).await.unwrap();
    }
    let filter = BookingFilter { search: Some(Search::of("ada", true).unwrap()), ..BookingFilter::default() };
    assert!(ids(world, scene.tenant, filter.clone()).await.is_empty());
    assert_eq!(world.store.fill_booking_words().await.unwrap(), 1);
    assert_eq!(ids(world, scene.tenant, filter).await, [ada.id]);
    assert_eq!(world.store.fill_booking_words().await.unwrap(), 0);
}
