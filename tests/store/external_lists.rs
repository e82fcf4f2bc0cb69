//! Lists of bookings that were made at providers: found, narrowed, in every order, counted by day; and those of before.

use berth_model::{
    bookings::{
        lists::{BookingOrder, WantedStates, days},
        search::Search,
    },
    mirror::sync::Mirrored,
    outbound::provider::{ExternalBooking, ExternalStatus},
};
use berth_store::records::{BookedOver, BookingFilter, ExternalKinds};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};

use crate::{
    carry_over::{at, blob, migration, migrations_before},
    customers::{mirrored, named},
    world::{NOON, Scene, World, span},
};

async fn put(world: &World, of: Mirrored) -> Mirrored {
    world.store.put_mirrored(of.clone()).await.unwrap();
    of
}

async fn ids(
    world: &World,
    scene: &Scene,
    filter: BookingFilter,
    kinds: Option<ExternalKinds>,
) -> Vec<String> {
    let found = world.store.list_external_bookings(scene.tenant, filter, kinds, 100).await.unwrap();
    found.into_iter().map(|row| row.mirrored.external.id).collect()
}

pub async fn bookings_of_providers_are_found_and_narrowed(world: &World) {
    let (scene, other) = (world.scene("quay").await, world.scene("pier").await);
    let ada = vec![named("Ada Nowak", Some("ada@example.com"), None)];
    let a = put(world, mirrored(world, &scene, "a", 1, ada.clone())).await;
    let mut b = mirrored(world, &scene, "b", 2, vec![named("Bea Nowak", None, None)]);
    b.external =
        ExternalBooking { event_type: Some("cut".into()), status: ExternalStatus::NoShow, ..b.external };
    b.padded = span(60, 150);
    put(world, b.clone()).await;
    put(world, mirrored(world, &other, "a", 1, ada)).await;
    // The counterpart of one of ours is none of them.
    let new = world.booking(&scene, span(300, 330));
    let ours = new.booking.id;
    world.store.create_booking(new, world.audit()).await.unwrap();
    put(world, Mirrored { booking: Some(ours), ..mirrored(world, &scene, "c", 5, vec![]) }).await;

    let none = BookingFilter::default;
    let search = |text: &str| BookingFilter { search: Some(Search::of(text, true).unwrap()), ..none() };
    let states = |text: &str| BookingFilter { states: WantedStates::named(text).unwrap(), ..none() };
    let provider = world.store.connection(scene.tenant, scene.connection).await.unwrap().plugin;
    let customer = world.store.mirrored(scene.tenant, scene.connection, "a").await.unwrap().unwrap().customer;
    for (what, filter, found) in [
        ("all", none(), vec!["a", "b"]),
        ("name", search("nowak bea"), vec!["b"]),
        ("address", search("ada@ex"), vec!["a"]),
        ("id", search(&a.id.to_string()), vec!["a"]),
        ("nobody", search("c"), vec![]),
        ("state", states("confirmed"), vec!["a"]),
        ("states", states("no_show,confirmed"), vec!["a", "b"]),
        ("moved", states("rescheduled"), vec![]),
        (
            "its time, without what is kept free",
            BookingFilter { within: Some(span(100, 120)), ..none() },
            vec![],
        ),
        ("time", BookingFilter { within: Some(span(120, 121)), ..none() }, vec!["b"]),
        ("customer", BookingFilter { customer, ..none() }, vec!["a"]),
        ("connection", BookingFilter { connection: Some(other.connection), ..none() }, vec![]),
        ("member", BookingFilter { member: Some(scene.member), ..none() }, vec![]),
        ("series", BookingFilter { series: Some(world.id()), ..none() }, vec![]),
        ("id there", BookingFilter { external_id: Some("b".into()), ..none() }, vec!["b"]),
        ("here", BookingFilter { provider: Some(BookedOver::BuiltIn), ..none() }, vec![]),
        ("there", BookingFilter { provider: Some(BookedOver::Provider(provider)), ..none() }, vec!["a", "b"]),
        (
            "backwards",
            BookingFilter { order: BookingOrder::named("-start").unwrap(), ..none() },
            vec!["b", "a"],
        ),
        (
            "after",
            BookingFilter {
                after: Some((a.external.when.start(), berth_model::id::Id::from_uuid(a.id.uuid()))),
                ..none()
            },
            vec!["b"],
        ),
    ] {
        assert_eq!(ids(world, &scene, filter, None).await, found, "{what}");
    }
    for (what, kinds, found) in [
        ("nothing", ExternalKinds::default(), vec![]),
        (
            "anywhere",
            ExternalKinds { anywhere: vec!["x".into(), "cut".into()], ..ExternalKinds::default() },
            vec!["b"],
        ),
        (
            "over",
            ExternalKinds {
                over: vec![(scene.connection, "cut".into()), (other.connection, "x".into())],
                ..ExternalKinds::default()
            },
            vec!["b"],
        ),
        (
            "over another",
            ExternalKinds { over: vec![(other.connection, "cut".into())], ..ExternalKinds::default() },
            vec![],
        ),
    ] {
        assert_eq!(ids(world, &scene, none(), Some(kinds)).await, found, "{what}");
    }
    // By day, with what it is there; and by when it changed, which a reading alone is not.
    let first = a.external.when.start().to_string()[..10].parse().unwrap();
    let days = days("UTC".parse().unwrap(), first, first, 2).unwrap();
    let counts = world.store.count_external_bookings(scene.tenant, none(), None, days).await.unwrap();
    assert_eq!((counts[0].total, counts[0].by_status.len()), (2, 2), "{counts:?}");
    let again = Mirrored { last_synced_at: NOON.plus_seconds(60), ..a.clone() };
    put(world, again.clone()).await;
    let row = world.store.external_booking(scene.tenant, a.id).await.unwrap();
    assert_eq!((row.created_at, row.updated_at), (NOON, NOON));
    let eva = ExternalBooking { attendees: vec![named("Eva", None, None)], ..again.external.clone() };
    put(world, Mirrored { external: eva, ..again }).await;
    let row = world.store.external_booking(scene.tenant, a.id).await.unwrap();
    assert_eq!((row.created_at, row.updated_at), (NOON, NOON.plus_seconds(60)));
    assert_eq!(ids(world, &scene, search("ada"), None).await, Vec::<String>::new(), "whom it was for");
    assert_eq!(ids(world, &scene, search("eva"), None).await, ["a"]);
    assert!(world.store.external_booking(other.tenant, a.id).await.is_err(), "another's");
    world.store.forget_mirrored(row.mirrored).await.unwrap();
    assert!(world.store.external_booking(scene.tenant, a.id).await.is_err());
}

/// Migration 0071: what was read before has its times, and is found once its words are made up for.
pub async fn bookings_of_providers_of_before_are_listed(world: &World) {
    let (postgres, name) = (world.store.engine() == "postgres", "0071_made_at_providers");
    let engine = if postgres { "postgres" } else { "sqlite" };
    let (id, hour) = (blob(postgres), at(postgres));
    let mut script = migrations_before(engine, name);
    script += if postgres { "SET session_replication_role = replica;" } else { "PRAGMA foreign_keys = OFF;" };
    let whole = r#"{"when":{"start":"1970-01-01T02:00:00.25Z","end":"1970-01-01T03:00:00Z"}}"#;
    for (n, payload) in [(10, whole), (11, "{}")] {
        script += &format!(
            "INSERT INTO external_bookings (tenant_id, id, connection_id, external_id, status, starts_at, ends_at, payload, run, last_synced_at)
            VALUES ({0}, {1}, {0}, '{n}', 'confirmed', {2}, {3}, '{payload}', 1, {4});",
            id(1), id(n), hour(1), hour(4), hour(9),
        );
    }
    script += &migration(engine, name);
    let micros = |column: &str| {
        if postgres {
            format!("CAST(EXTRACT(EPOCH FROM {column}) * 1000000 AS BIGINT)")
        } else {
            column.to_owned()
        }
    };
    let columns = ["when_start", "when_end", "created_at", "updated_at"].map(micros).join(", ");
    let read = format!("SELECT {columns} FROM external_bookings WHERE unsearchable ORDER BY external_id");
    let rows: Vec<(i64, i64, i64, i64)> = if postgres {
        let mut conn = PgConnection::connect(&world.url).await.unwrap();
        conn.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public").await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(script)).execute(&mut conn).await.unwrap();
        sqlx::query_as(AssertSqlSafe(read)).fetch_all(&mut conn).await.unwrap()
    } else {
        let mut conn = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(script)).execute(&mut conn).await.unwrap();
        sqlx::query_as(AssertSqlSafe(read)).fetch_all(&mut conn).await.unwrap()
    };
    let hours = |n: i64| n * 3_600_000_000;
    assert_eq!(
        rows,
        [(hours(2) + 250_000, hours(3), hours(9), hours(9)), (hours(1), hours(4), hours(9), hours(9))]
    );
}

/// The words that one of before has none of are made up for.
pub async fn words_of_providers_bookings_are_made_up_for(world: &World) {
    let scene = world.scene("quay").await;
    put(world, mirrored(world, &scene, "a", 1, vec![named("Ada", None, None)])).await;
    let forget = "DELETE FROM external_words; UPDATE external_bookings SET unsearchable = TRUE;";
    if world.store.engine() == "postgres" {
        let mut conn = PgConnection::connect(&world.url).await.unwrap();
        sqlx::raw_sql(forget).execute(&mut conn).await.unwrap();
    } else {
        let mut conn = SqliteConnection::connect(&world.url).await.unwrap();
        sqlx::raw_sql(forget).execute(&mut conn).await.unwrap();
    }
    let filter = BookingFilter { search: Some(Search::of("ada", true).unwrap()), ..BookingFilter::default() };
    assert!(ids(world, &scene, filter.clone(), None).await.is_empty());
    assert_eq!(world.store.fill_external_words().await.unwrap(), 1);
    assert_eq!(ids(world, &scene, filter, None).await, ["a"]);
    assert_eq!(world.store.fill_external_words().await.unwrap(), 0);
}
