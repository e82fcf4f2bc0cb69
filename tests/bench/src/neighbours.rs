//! One tenant whose questions are dear, and another whose customers book beside them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Instant as Moment,
};

use berth_engine::{Caller, NewEventType, NewKey, NewListing, NewMember, NewTenant};
use berth_model::{
    catalog::{
        event_type::EventTypePolicy,
        member::{MemberRole, RoundRobinShare},
    },
    id::EventTypeId,
    scheduling::rule::{Pattern, Rule, RuleOwner, RuleRecord},
    time::Instant,
    zone::Zone,
};

use crate::{
    program::serve,
    scene::Scene,
    table::{Table, Times, ratio, time},
};

/// Members of the dear tenant.
const MEMBERS: usize = 8;
/// Rules that never match, of each of them: together 400. They are refused when they are made now; an older version took them.
const RULES: usize = 50;
/// Who asks for the dear answers at the same time.
const ASKING: usize = 8;
const BOOKINGS: usize = 200;

/// A tenant whose members have the rules, with its key.
async fn dear(scene: &Scene) -> (EventTypeId, String) {
    let engine = &scene.world.engine;
    let new = NewTenant { slug: "dear".into(), name: "Dear".into() };
    let tenant = engine.tenants.create_tenant("bench", "bench", new).await.expect("made").id;
    let caller = Caller { tenant, actor: "bench".into(), request_id: "bench".into(), idempotency_key: None };
    let mut members = Vec::with_capacity(MEMBERS);
    for n in 0..MEMBERS {
        let member = NewMember {
            name: format!("Ada {n}"),
            email: None,
            user_id: None,
            time_zone: Zone::UTC,
            schedule: None,
            weekly_hours: Vec::new(),
            role: MemberRole::Member,
            turns: RoundRobinShare::default(),
        };
        members.push(engine.catalog.create_member(&caller, member).await.expect("made").id);
    }
    let listing = NewListing {
        slug: "pier".into(),
        title: "Pier".into(),
        description: String::new(),
        time_zone: Zone::UTC,
        currency: None,
        booking_provider: None,
        offer_when_degraded: false,
    };
    let listing = engine.catalog.create_listing(&caller, listing).await.expect("made").id;
    let event_type = NewEventType {
        listing,
        slug: "cut".into(),
        title: "Cut".into(),
        description: String::new(),
        length_minutes: 30,
        slot_interval_minutes: None,
        buffer_before_minutes: 0,
        buffer_after_minutes: 0,
        minimum_notice_minutes: 0,
        booking_window_days: 365,
        members: members.clone(),
        policy: EventTypePolicy::default(),
        external_id: None,
        external: None,
    };
    let event_type = engine.catalog.create_event_type(&caller, event_type).await.expect("made").id;
    let now = engine.now();
    for member in members {
        let rules = (0..RULES).map(|_| {
            let (scene_id, audit) = scene.noted();
            let pattern = Pattern {
                dtstart_local: "2026-01-01T09:00:00".parse().ok(),
                rrule: Some("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30".into()),
                duration_minutes: Some(60),
                ..Pattern::default()
            };
            let rule = RuleRecord {
                id: berth_model::id::RuleId::from_uuid(scene_id),
                tenant,
                owner: Some(RuleOwner::Member(member)),
                rule: Rule::Pattern(pattern),
                origin: None,
                revision: 1,
                created_at: now,
                updated_at: now,
            };
            (rule, audit)
        });
        scene.store.create_rules(rules.collect()).await.expect("stored");
    }
    let key = NewKey {
        tenant: Some(tenant),
        name: "bench".into(),
        scopes: vec!["availability:read".into()],
        expires_at: None,
        requests_per_minute: Some(1_000_000),
        sources: Vec::new(),
    };
    let key = engine.tenants.create_key("bench", "bench", key).await.expect("made").1.expose().to_owned();
    (event_type, key)
}

/// Book one start after the other.
async fn book(
    client: &reqwest::Client,
    base: &str,
    key: &str,
    event_type: EventTypeId,
    from: Instant,
) -> Times {
    let mut times = Vec::with_capacity(BOOKINGS);
    for n in 0..i64::try_from(BOOKINGS).expect("small") {
        // Eight half hours from nine o'clock, each day.
        let start = from.plus_minutes(n / 8 * 1_440 + n % 8 * 30);
        let body = serde_json::json!({
            "event_type": event_type,
            "start": start,
            "attendee": { "name": "Ada", "email": "ada@example.com", "time_zone": "UTC" },
        });
        let started = Moment::now();
        let booked = client.post(format!("{base}/api/booking")).bearer_auth(key).json(&body).send().await;
        let booked = booked.expect("an answer");
        times.push(started.elapsed());
        let status = booked.status().as_u16();
        assert!(matches!(status, 201 | 409), "{status}: {}", booked.text().await.expect("a body"));
    }
    Times::new(times)
}

/// Measure.
pub async fn run(table: &mut Table) {
    table.section(&format!(
        "neighbours: {} rules that never match, asked for by {ASKING}; another tenant books",
        MEMBERS * RULES
    ));
    let folder = tempfile::tempdir().expect("a folder");
    let scene = Scene::new(&format!("sqlite:{}", folder.path().join("berth.db").display()), 1).await;
    let (key, event_type) = (scene.key().await, scene.event_type.id);
    let (theirs, their_key) = dear(&scene).await;
    drop(scene);
    let (served, _) = serve(folder.path(), None).await;
    let base = format!("http://{}", served.address);
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let alone =
        book(&client, &base, &key, event_type, "2026-12-07T09:00:00Z".parse().expect("an instant")).await;
    let url = format!(
        "{base}/api/booking/availability?event_type={theirs}&from=2027-01-01T00:00:00Z&to=2027-03-31T00:00:00Z&time_zone=UTC"
    );
    let (stop, refused) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let asking: Vec<_> = (0..ASKING)
        .map(|_| {
            let (client, url, key) = (client.clone(), url.clone(), their_key.clone());
            let (stop, refused) = (Arc::clone(&stop), Arc::clone(&refused));
            tokio::spawn(async move {
                let mut times = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let started = Moment::now();
                    let answer = client.get(&url).bearer_auth(&key).send().await.expect("an answer");
                    if !answer.status().is_success() {
                        refused.fetch_add(1, Ordering::Relaxed);
                    }
                    let _ = answer.bytes().await;
                    times.push(started.elapsed());
                }
                times
            })
        })
        .collect();
    let beside =
        book(&client, &base, &key, event_type, "2027-02-01T09:00:00Z".parse().expect("an instant")).await;
    stop.store(true, Ordering::Relaxed);
    let mut answers = Vec::new();
    for task in asking {
        answers.extend(task.await.expect("finished"));
    }
    let asked = answers.len();
    let dear = Times::new(answers);
    table.row(
        "a dear answer, p50 (p99)",
        &format!("{} ({})", time(dear.median()), time(dear.percentile(99))),
        &format!("{asked} asked, {} refused", refused.load(Ordering::Relaxed)),
        "",
    );
    table.row(
        "another tenant's booking beside them, p50 (p99)",
        &format!("{} ({})", time(beside.median()), time(beside.percentile(99))),
        &format!(
            "alone {} ({}); p99 is {:.1} times",
            time(alone.median()),
            time(alone.percentile(99)),
            ratio(beside.percentile(99), alone.percentile(99))
        ),
        "",
    );
}
