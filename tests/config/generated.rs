//! Documents that are made up: what is applied is what is exported, whatever there was before.

use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::{Map, Value, json};

use crate::Scene;

const SEEDS: u64 = 8;

fn chance(rng: &mut StdRng, one_in: u32) -> bool {
    rng.random_range(0..one_in) == 0
}

fn one<'a>(rng: &mut StdRng, of: &[&'a str]) -> &'a str {
    of[rng.random_range(0..of.len())]
}

fn zone(rng: &mut StdRng) -> Value {
    json!(one(rng, &["UTC", "Europe/Warsaw", "America/New_York", "Asia/Kolkata"]))
}

fn name(rng: &mut StdRng) -> Value {
    json!(one(rng, &["Ada", "no", "12", "Łucja: \"Ż\"", "- a", "#1", "O'Neil", "null", "東京"]))
}

fn hours(rng: &mut StdRng) -> Value {
    let day = one(rng, &["Mon", "Tue", "Sat"]);
    let end = one(rng, &["12:00", "17:30", "24:00"]);
    json!([{ "weekdays": [day, "Sun"], "start": "09:00", "end": end }])
}

/// A member of an object that is there sometimes.
fn maybe(rng: &mut StdRng, object: &mut Value, name: &str, value: impl FnOnce(&mut StdRng) -> Value) {
    if chance(rng, 2) {
        let value = value(rng);
        object[name] = value;
    }
}

fn member(rng: &mut StdRng) -> Value {
    let mut member = json!({ "name": name(rng), "time_zone": zone(rng) });
    maybe(rng, &mut member, "email", |_| json!("ada@example.com"));
    maybe(rng, &mut member, "weekly_hours", hours);
    maybe(rng, &mut member, "schedule", |_| json!("summer"));
    maybe(rng, &mut member, "role", |rng| json!(one(rng, &["admin", "viewer"])));
    maybe(rng, &mut member, "turns", |rng| json!({ "weight": rng.random_range(0..100) }));
    maybe(rng, &mut member, "out_of_office", |rng| {
        let day = rng.random_range(10..28);
        json!([{ "start": format!("2027-01-{day}T08:00:00Z"), "end": format!("2027-01-{day}T10:00:00Z"), "reason": "Away" }])
    });
    maybe(
        rng,
        &mut member,
        "patterns",
        |rng| json!([{ "weekdays": ["Wed"], "hours": { "start": "10:00", "end": one(rng, &["11:00", "24:00"]) } }]),
    );
    maybe(
        rng,
        &mut member,
        "overrides",
        |rng| json!([{ "date": format!("2027-02-{}", rng.random_range(10..28)) }]),
    );
    maybe(rng, &mut member, "travel", |rng| json!([{ "from": "2027-03-01", "time_zone": zone(rng) }]));
    member
}

fn event_type(rng: &mut StdRng, members: &[String], schedules: &[String]) -> Value {
    let mut event_type = json!({ "title": name(rng), "length_minutes": rng.random_range(10..90) });
    if !members.is_empty() {
        event_type["members"] = json!(members);
    }
    maybe(rng, &mut event_type, "description", name);
    maybe(rng, &mut event_type, "slot_interval_minutes", |_| json!(15));
    maybe(rng, &mut event_type, "buffer_after_minutes", |_| json!(5));
    maybe(rng, &mut event_type, "booking_window_days", |_| json!(90));
    maybe(rng, &mut event_type, "active", |_| json!(false));
    let mut policy = json!({});
    maybe(rng, &mut policy, "schedule", |_| json!("summer"));
    maybe(rng, &mut policy, "seats", |_| json!(3));
    maybe(rng, &mut policy, "price", |_| json!({ "minor_units": 4_900, "currency": "EUR" }));
    maybe(rng, &mut policy, "cancel_cutoff_minutes", |_| json!(60));
    maybe(rng, &mut policy, "visibility", |_| json!("private"));
    maybe(rng, &mut policy, "grid", |_| json!({ "offset_minutes": 5 }));
    maybe(
        rng,
        &mut policy,
        "locations",
        |_| json!([{ "key": "here", "type": "in_person", "address": "Prosta 1" }]),
    );
    maybe(
        rng,
        &mut policy,
        "questions",
        |rng| json!([{ "key": "why", "label": name(rng), "type": "text", "required": chance(rng, 2) }]),
    );
    if let Some(schedule) = schedules.first().filter(|_| chance(rng, 2)) {
        policy["restriction_schedule"] = json!(schedule);
    }
    if members.len() > 1 && chance(rng, 2) {
        policy["team_mode"] = json!("round_robin");
        policy["host_roles"] = json!([{ "member": members[0], "fixed": true }]);
    }
    if !policy.as_object().unwrap().is_empty() {
        event_type["policy"] = policy;
    }
    maybe(
        rng,
        &mut event_type,
        "patterns",
        |_| json!([{ "weekdays": ["Thu"], "hours": { "start": "10:00", "end": "15:00" } }]),
    );
    event_type
}

fn document(rng: &mut StdRng) -> Value {
    let keys = |rng: &mut StdRng, what: &str| -> Vec<String> {
        let most = rng.random_range(1..4);
        (0..most).map(|n| format!("{what}-{n}")).collect()
    };
    let (people, schedules) = (keys(rng, "person"), keys(rng, "hours"));
    let members: Map<String, Value> = people.iter().map(|key| (key.clone(), member(rng))).collect();
    let restricted: Map<String, Value> = schedules
        .iter()
        .map(|key| (key.clone(), json!({ "time_zone": zone(rng), "weekly_hours": hours(rng) })))
        .collect();
    let mut listings = Map::new();
    for slug in keys(rng, "place") {
        let mut listing = json!({ "title": name(rng), "time_zone": zone(rng) });
        maybe(rng, &mut listing, "offer_when_degraded", |_| json!(true));
        maybe(rng, &mut listing, "currency", |rng| json!(one(rng, &["EUR", "JPY", "KWD"])));
        maybe(
            rng,
            &mut listing,
            "holidays",
            |_| json!([{ "name": "Closed", "date": "2027-05-03", "last_date": "2027-05-04" }]),
        );
        let mut types: Map<String, Value> =
            keys(rng, "type").into_iter().map(|slug| (slug, event_type(rng, &people, &schedules))).collect();
        // One that has nobody, and never had: whoever has members keeps one.
        if chance(rng, 3) {
            types.insert("idle".to_owned(), event_type(rng, &[], &schedules));
        }
        listing["event_types"] = types.into();
        listings.insert(slug, listing);
    }
    let mut tenant = json!({ "name": name(rng) });
    maybe(
        rng,
        &mut tenant,
        "settings",
        |rng| json!({ "public": true, "languages": [one(rng, &["en", "pl"])], "brand": { "accent": "#1a7f5a" } }),
    );
    json!({ "berth": 1, "tenant": tenant, "connections": {}, "members": members, "restriction_schedules": restricted,
        "schedules": { "summer": { "time_zone": "UTC", "weekly_hours": hours(rng) } },
        "listings": listings, "consent_texts": { "marketing": { "en": format!("We may write to you. {}", rng.random_range(0..1000)) } } })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_applied_is_exported() {
    let scene = Scene::new(&[], &[]).await;
    for seed in 0..SEEDS {
        let document = document(&mut StdRng::seed_from_u64(seed));
        let applied = scene.apply(&document, &["--prune"]);
        assert_eq!(applied.code, 0, "seed {seed}: {applied:?} {document:#}");
        let exported = scene.exported(&scene.process.key);
        assert_eq!(exported, document, "seed {seed}: {exported:#} of {document:#}");
        let again = scene.apply(&document, &["--prune"]);
        assert_eq!((again.code, again.output.trim()), (0, "nothing to do"), "seed {seed}: {again:?}");
        let yaml = scene.config(&["export"]);
        let path = scene.write("exported.yaml", &yaml.output);
        let same = scene.config(&["diff", "--prune", path.to_str().unwrap()]);
        assert_eq!(same.code, 0, "seed {seed}: {same:?} {}", yaml.output);
    }
}
