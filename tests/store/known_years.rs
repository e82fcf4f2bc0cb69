//! Migration 0031 on a database that an older version wrote: time off that lasts beyond the years that are known is cut to them.

use berth_model::{
    scheduling::rule::{OutOfOffice, Rule, RuleKind, RuleOwner, RuleRecord},
    time::Instant,
};
use berth_store::records::RuleFilter;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};

use crate::{
    carry_over::migration,
    world::{NOON, World, minute},
};

/// As older versions stored them, and what is left: start and end.
const CUT: [[&str; 4]; 6] = [
    [
        "2026-12-01T00:00:00Z",
        "9999-12-31T23:59:59.999999Z",
        "2026-12-01T00:00:00Z",
        "2199-12-31T23:59:59.999999Z",
    ],
    ["2026-12-01T00:00:00Z", "2200-01-01T00:00:00Z", "2026-12-01T00:00:00Z", "2199-12-31T23:59:59.999999Z"],
    ["0001-01-01T00:00:00Z", "2026-12-01T00:00:00Z", "1970-01-01T00:00:00Z", "2026-12-01T00:00:00Z"],
    ["0001-01-01T00:00:00Z", "9999-12-31T00:00:00Z", "1970-01-01T00:00:00Z", "2199-12-31T23:59:59.999999Z"],
    [
        "2500-01-01T00:00:00Z",
        "2600-01-01T00:00:00Z",
        "2199-12-31T23:59:59.999999Z",
        "2199-12-31T23:59:59.999999Z",
    ],
    ["2026-12-01T00:00:00Z", "2026-12-02T00:00:00Z", "2026-12-01T00:00:00Z", "2026-12-02T00:00:00Z"],
];

async fn run(world: &World, sql: String) {
    if world.store.engine() == "postgres" {
        let mut connection = PgConnection::connect(&world.url).await.unwrap();
        connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await.unwrap();
    } else {
        let mut connection = SqliteConnection::connect(&world.url).await.unwrap();
        connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await.unwrap();
    }
}

pub async fn time_off_without_end_ends_with_the_known_years(world: &World) {
    let scene = world.scene("quay").await;
    let mut ids = Vec::new();
    for [start, end, ..] in CUT {
        let off = OutOfOffice { start: NOON, end: minute(60), reason: Some("away".to_owned()) };
        let record = RuleRecord {
            id: world.id(),
            tenant: scene.tenant,
            owner: Some(RuleOwner::Member(scene.member)),
            rule: Rule::OutOfOffice(off.clone()),
            origin: None,
            revision: 1,
            created_at: NOON,
            updated_at: NOON,
        };
        let id = record.id;
        world.store.create_rules(vec![(record, world.audit())]).await.unwrap();
        let postgres = world.store.engine() == "postgres";
        let (id_text, rule) = if postgres {
            (format!("'{}'", id.uuid()), "jsonb_set(jsonb_set(rule, '{start}', '\"S\"'), '{end}', '\"E\"')")
        } else {
            (format!("x'{}'", id.uuid().simple()), "json_set(rule, '$.start', 'S', '$.end', 'E')")
        };
        let rule = rule.replace('S', start).replace('E', end);
        run(world, format!("UPDATE rules SET rule = {rule} WHERE id = {id_text}")).await;
        ids.push(id);
    }
    let unread =
        world.store.list_rules(scene.tenant, RuleKind::OutOfOffice, RuleFilter::default(), None, 100).await;
    assert!(unread.is_err(), "this is what the migration is for: {unread:?}");
    run(world, migration(world.store.engine(), "0031_known_years")).await;
    for (id, [.., start, end]) in ids.into_iter().zip(CUT) {
        let kept = world.store.rule(scene.tenant, RuleKind::OutOfOffice, id).await.unwrap();
        let Rule::OutOfOffice(off) = kept.rule else { panic!("{kept:?}") };
        let expected = [start, end].map(|at| at.parse::<Instant>().unwrap());
        assert_eq!([off.start, off.end], expected);
        assert_eq!(off.reason.as_deref(), Some("away"), "the rest of it stays");
    }
}
