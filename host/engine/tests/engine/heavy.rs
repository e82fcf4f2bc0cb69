//! What is dear for one tenant costs the others nothing, and the worst that can be stored is still answered.

use std::sync::mpsc;

use berth_engine::{AvailabilityQuery, EventTypePatch};
use berth_model::{
    budget::Budget,
    id::RuleId,
    limits,
    problem::Problem,
    scheduling::rule::{
        Holiday, OutOfOffice, Override, Pattern, Rule, RuleOwner, RuleRecord, Stretch, TravelRule,
    },
    time::{Instant, Interval},
    zone::Zone,
};
use chrono::{Days, NaiveTime, Weekday};

use crate::world::{World, member, monday, world};

fn query(w: &World, within: Interval) -> AvailabilityQuery {
    AvailabilityQuery {
        event_type: w.event_type.id,
        within,
        time_zone: Zone::UTC,
        length_minutes: None,
        member: None,
        provider: Some(berth_engine::ProviderChoice::BuiltIn),
        explain: false,
    }
}

fn days(from: Instant, days: i64) -> Interval {
    Interval::new(from, from.plus_minutes(days * 1_440)).unwrap()
}

async fn store_rules(w: &World, owner: RuleOwner, rules: Vec<Rule>) {
    let now = w.engine.now();
    let record = |rule| {
        let id = RuleId::from_uuid(uuid::Uuid::from_u128(rand::random()));
        let rule = RuleRecord {
            id,
            tenant: w.tenant.id,
            owner: Some(owner),
            rule,
            origin: None,
            revision: 1,
            created_at: now,
            updated_at: now,
        };
        let audit = berth_store::records::Audit {
            id: berth_model::id::AuditEntryId::from_uuid(uuid::Uuid::from_u128(rand::random())),
            at: now,
            actor: "test".into(),
            request_id: "test".into(),
        };
        (rule, audit)
    };
    w.engine.store().create_rules(rules.into_iter().map(record).collect()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn others_go_on_while_one_tenant_s_dear_questions_run() {
    let w = world().await;
    let (began, beginnings) = mpsc::channel();
    let dear: Vec<_> = (0..20)
        .map(|_| {
            let (engine, began) = (w.engine.clone(), began.clone());
            let tenant = berth_model::id::TenantId::from_uuid(uuid::Uuid::from_u128(7));
            tokio::spawn(async move {
                let work = move |budget: &Budget| -> Result<(), Problem> {
                    began.send(()).unwrap();
                    loop {
                        budget.spend(0)?;
                        std::thread::yield_now();
                    }
                };
                engine.computing.run(tenant, work).await
            })
        })
        .collect();
    beginnings.recv().unwrap();
    // A question that needs a thread, and a booking.
    assert_eq!(w.engine.computing.run(w.tenant.id, |_| Ok(7)).await.unwrap(), 7);
    let found =
        w.engine.availability.availability(&w.caller, query(&w, days(monday("00:00"), 1))).await.unwrap();
    assert_eq!(found.slots.len(), 6);
    let mut booking = w.request(monday("10:00"));
    booking.provider = Some(berth_engine::ProviderChoice::BuiltIn);
    assert!(w.engine.bookings.book(&w.caller, booking).await.is_ok());
    for task in &dear {
        task.abort();
    }
}

/// Everything that one member, a listing and an event type can have, at once.
fn everything(n: u64) -> Vec<Rule> {
    let day = |days: u64| "2026-11-16".parse::<chrono::NaiveDate>().unwrap() + Days::new(days);
    let stretch = |from: u32| Stretch {
        start: NaiveTime::from_hms_opt(from, 0, 0).unwrap(),
        end: NaiveTime::from_hms_opt(from, 45, 0),
    };
    let weekly = |i: u64| {
        let hours = Some(stretch(u32::try_from(i % 23).unwrap()));
        Rule::Pattern(Pattern { weekdays: vec![Weekday::Mon, Weekday::Fri], hours, ..Pattern::default() })
    };
    let recurring = |i: u64| {
        Rule::Pattern(Pattern {
            dtstart_local: format!("2020-01-01T{:02}:30:00", i % 24).parse().ok(),
            rrule: Some("FREQ=MONTHLY;BYDAY=1MO,-1FR".into()),
            duration_minutes: Some(30),
            ..Pattern::default()
        })
    };
    let differing =
        |i: u64| Rule::Override(Override { date: day(i % 90), intervals: vec![stretch(9), stretch(14)] });
    let away = |i: u64| {
        let start = Instant::from_chrono(day(i % 90).and_time(NaiveTime::MIN).and_utc());
        Rule::OutOfOffice(OutOfOffice { start, end: start.plus_minutes(30), reason: None })
    };
    let travel = |i: u64| {
        let (from, to) = (day(i % 90), Some(day(i % 90 + 3)));
        Rule::Travel(TravelRule { from, to, time_zone: "Asia/Tokyo".parse().unwrap() })
    };
    let of = |i: u64| [weekly(i), recurring(i), differing(i), away(i), travel(i)];
    (0..n).flat_map(of).collect()
}

#[tokio::test]
async fn a_large_team_with_all_kinds_of_rules_is_answered() {
    let w = world().await;
    let mut members = vec![w.ana.id];
    for n in 1..limits::EVENT_TYPE_MEMBERS_MAX {
        members.push(member(&w.engine, &w.caller, &format!("Member {n}")).await.id);
    }
    for id in &members {
        store_rules(&w, RuleOwner::Member(*id), everything(10)).await;
    }
    let of_hours = |rules: Vec<Rule>| {
        rules.into_iter().filter(|r| matches!(r, Rule::Pattern(_) | Rule::Override(_))).collect()
    };
    store_rules(&w, RuleOwner::Listing(w.listing.id), of_hours(everything(200))).await;
    let patch = EventTypePatch { members: Some(members), ..EventTypePatch::default() };
    w.engine.catalog.update_event_type(&w.caller, w.event_type.id, patch, None).await.unwrap();
    let found = w.engine.availability.availability(&w.caller, query(&w, days(monday("00:00"), 92))).await;
    assert!(found.is_ok(), "{found:?}");
}

/// The days of one long closure used up what was looked at, and the listing was open on the days after.
#[tokio::test]
async fn a_listing_that_is_closed_for_years_is_closed_to_the_end() {
    let w = world().await;
    let closed = |from: &str, to: &str| {
        let name = "Rebuilding".to_owned();
        Rule::Holiday(Holiday { name, date: from.parse().unwrap(), last_date: to.parse().ok() })
    };
    store_rules(&w, RuleOwner::Listing(w.listing.id), vec![closed("2022-01-01", "2026-11-23")]).await;
    let found =
        w.engine.availability.availability(&w.caller, query(&w, days(monday("00:00"), 2))).await.unwrap();
    let first = found.slots.first().map(|slot| slot.when.start());
    assert_eq!(first, Some(monday("09:00").plus_minutes(1_440)), "the first day after it");
    assert_eq!(found.slots.len(), 6);
}

#[tokio::test]
async fn an_answer_asks_the_database_once_while_nothing_changes() {
    let w = world().await;
    let book = async |start: &str| {
        let mut booking = w.request(monday(start));
        booking.provider = Some(berth_engine::ProviderChoice::BuiltIn);
        w.engine.bookings.book(&w.caller, booking).await.unwrap();
    };
    // The first booking of a tenant makes the key that finds its customers, and that is a change of the tenant.
    book("09:00").await;
    let asked = async || {
        let before = w.engine.store().reads();
        w.engine.availability.availability(&w.caller, query(&w, days(monday("00:00"), 31))).await.unwrap();
        w.engine.store().reads() - before
    };
    assert_eq!(asked().await, 3, "the setup, what is taken, the rules");
    assert_eq!(asked().await, 1, "whether anything changed");
    book("10:00").await;
    assert_eq!(asked().await, 2, "what the booking touched");
    assert_eq!(asked().await, 1);
}
