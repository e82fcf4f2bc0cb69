//! On whose clock each rule stands: the table of the API description, row by row, over zones that show another date.

use chrono::{DateTime, Datelike, Duration, NaiveDate, NaiveDateTime, Timelike, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

use crate::{Api, booking};

/// Zones of the listing and of its member, half a day apart and more, in both directions.
const PAIRS: [(&str, &str); 4] = [
    ("Asia/Tokyo", "America/New_York"),
    ("America/New_York", "Asia/Tokyo"),
    ("Pacific/Auckland", "Pacific/Honolulu"),
    ("Pacific/Honolulu", "Pacific/Auckland"),
];
/// The zone that a rule names itself, where it can.
const OWN: &str = "Europe/London";
/// A Wednesday, in the middle of what is asked for, and that; the test's clock shows 2026-11-23T07:00:00Z.
const DAY: &str = "2026-12-16";
const ASKED: (&str, &str) = ("2026-12-13T00:00:00Z", "2026-12-20T00:00:00Z");

/// Whose clock, or none: the rule says instants.
#[derive(Clone, Copy)]
enum Whose {
    Listing,
    Member,
    Own,
    Nobody,
}

/// Is a start offered that this clock shows then, under the rule?
type Offered = fn(NaiveDateTime) -> bool;

struct Row {
    what: &'static str,
    /// Of the member; around the clock if none.
    hours: Option<Value>,
    /// Part of the event type.
    event_type: Value,
    /// A rule to be made: where, and whose it is.
    rule: Option<(&'static str, &'static str, Value)>,
    whose: Whose,
    offered: Offered,
}

fn row(what: &'static str, whose: Whose, offered: Offered) -> Row {
    Row { what, hours: None, event_type: json!({}), rule: None, whose, offered }
}

impl Row {
    fn rule(self, path: &'static str, owner: &'static str, rule: Value) -> Self {
        Self { rule: Some((path, owner, rule)), ..self }
    }

    fn policy(self, policy: Value) -> Self {
        Self { event_type: json!({ "policy": policy }), ..self }
    }
}

fn day() -> NaiveDate {
    DAY.parse().unwrap()
}

fn on_the_hour(local: NaiveDateTime) -> bool {
    local.minute() == 0
}

fn in_hours(local: NaiveDateTime) -> bool {
    on_the_hour(local) && (9..17).contains(&local.hour())
}

fn not_that_day(local: NaiveDateTime) -> bool {
    on_the_hour(local) && local.date() != day()
}

fn in_hours_that_day(local: NaiveDateTime) -> bool {
    in_hours(local) && local.date() == day()
}

fn everywhere() -> Value {
    json!([{ "weekdays": ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"], "start": "00:00", "end": "24:00" }])
}

fn nine_to_five() -> Value {
    json!([{ "weekdays": ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"], "start": "09:00", "end": "17:00" }])
}

/// Nine to five, weekly, on a clock of its own if it names one.
fn pattern(zone: Value) -> Value {
    json!({ "weekdays": ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"], "hours": { "start": "09:00", "end": "17:00" },
        "time_zone": zone })
}

/// Nine to five that day, by a rule.
fn recurring() -> Value {
    json!({ "dtstart_local": format!("{DAY}T09:00:00"), "rrule": "FREQ=YEARLY", "duration_minutes": 480 })
}

fn rows() -> Vec<Row> {
    use Whose::{Listing, Member, Nobody, Own};
    let (patterns, overrides) = ("/api/booking/patterns", "/api/booking/overrides");
    let closed = json!({ "date": DAY });
    let opened = json!({ "date": DAY, "intervals": [{ "start": "09:00", "end": "17:00" }] });
    let limit =
        |per: &str, zone: Value| json!({ "limits": [{ "per": per, "max_bookings": 1, "timezone": zone }] });
    let range = |zone: Value| json!({ "booking_window": { "type": "range", "from": DAY, "to": DAY, "timezone": zone } });
    let schedule = json!({ "name": "Office", "time_zone": OWN, "weekly_hours": nine_to_five() });
    let that_week = |local: NaiveDateTime| on_the_hour(local) && local.iso_week() != day().iso_week();
    let that_day = |local: NaiveDateTime| on_the_hour(local) && local.date() == day();
    let until_that_day = |local: NaiveDateTime| on_the_hour(local) && local.date() <= day();
    let rest = |local: NaiveDateTime| {
        let at = |text: &str| text.parse::<NaiveDateTime>().unwrap();
        on_the_hour(local) && !(at("2026-12-16T02:00:00")..at("2026-12-16T20:00:00")).contains(&local)
    };
    vec![
        Row { hours: Some(nine_to_five()), ..row("weekly hours", Member, in_hours) },
        Row {
            hours: Some(nine_to_five()),
            // Nothing but the days of the journey lies in what is asked for.
            ..row("weekly hours on a journey", Own, in_hours).rule(
                "/api/booking/travel",
                "member",
                json!({ "from": "2026-12-01", "to": "2026-12-31", "time_zone": OWN }),
            )
        },
        row("a member's pattern", Member, in_hours).rule(patterns, "member", pattern(Value::Null)),
        row("a member's pattern with a zone", Own, in_hours).rule(patterns, "member", pattern(json!(OWN))),
        row("a member's recurring pattern", Member, in_hours_that_day).rule(patterns, "member", recurring()),
        row("a listing's pattern", Listing, in_hours).rule(patterns, "listing", pattern(Value::Null)),
        row("a listing's recurring pattern", Listing, in_hours_that_day).rule(
            patterns,
            "listing",
            recurring(),
        ),
        row("an event type's pattern", Listing, in_hours).rule(patterns, "event_type", pattern(Value::Null)),
        row("an event type's pattern with a zone", Own, in_hours).rule(
            patterns,
            "event_type",
            pattern(json!(OWN)),
        ),
        row("a member's override", Member, not_that_day).rule(overrides, "member", closed.clone()),
        row("a listing's override", Listing, not_that_day).rule(overrides, "listing", closed.clone()),
        row("an event type's override", Listing, not_that_day).rule(overrides, "event_type", closed),
        row("hours of a listing's override", Listing, |local| {
            not_that_day(local) || in_hours_that_day(local)
        })
        .rule(overrides, "listing", opened),
        row("a holiday", Listing, not_that_day).rule(
            "/api/booking/holidays",
            "listing",
            json!({ "name": "Feast", "date": DAY }),
        ),
        row("holidays", Listing, |local| {
            on_the_hour(local) && !(day()..=day() + Duration::days(1)).contains(&local.date())
        })
        .rule(
            "/api/booking/holidays",
            "listing",
            json!({ "name": "Feast", "date": DAY, "last_date": "2026-12-17" }),
        ),
        row("time off", Nobody, rest).rule(
            "/api/booking/out-of-office",
            "member",
            json!({ "start": "2026-12-16T02:00:00Z", "end": "2026-12-16T20:00:00Z" }),
        ),
        row("a restriction schedule", Own, in_hours).rule("/api/booking/restriction-schedules", "", schedule),
        row("a limit per day", Member, not_that_day).policy(limit("day", Value::Null)),
        row("a limit per day with a zone", Own, not_that_day).policy(limit("day", json!(OWN))),
        row("a limit per week", Member, that_week).policy(limit("week", Value::Null)),
        row("a booking window of days", Member, that_day).policy(range(Value::Null)),
        row("a booking window of days with a zone", Own, that_day).policy(range(json!(OWN))),
        // So many days after today, which is another day there.
        row("a rolling window", Own, until_that_day)
            .policy(json!({ "booking_window": { "type": "rolling", "days": 23, "timezone": OWN } })),
        Row {
            event_type: json!({ "minimum_notice_minutes": 23 * 1_440 + 5 * 60 }),
            ..row("notice", Nobody, |local| {
                on_the_hour(local) && local >= "2026-12-16T12:01:00".parse::<NaiveDateTime>().unwrap()
            })
        },
        row("rounded starts with a zone", Nobody, |local| local.minute() == 30)
            .policy(json!({ "grid": { "round_up_to_minutes": 60, "time_zone": "Asia/Kolkata" } })),
    ]
}

/// A shop with this rule. The event type's id.
async fn shop(api: &Api, slug: &str, (listing, member): (&str, &str), row: &Row) -> Value {
    let listing = json!({ "slug": slug, "title": slug, "time_zone": listing });
    let listing = api.ok("POST", "/api/listings", listing).await["id"].clone();
    let hours = row.hours.clone().unwrap_or_else(everywhere);
    let member = json!({ "name": "Ana", "time_zone": member, "weekly_hours": hours });
    let member = api.ok("POST", "/api/booking/team", member).await["id"].clone();
    let mut event_type = json!({ "listing": listing, "slug": slug, "title": slug, "length_minutes": 60,
        "minimum_notice_minutes": 0, "booking_window_days": 400, "members": [member] });
    event_type.as_object_mut().unwrap().extend(row.event_type.as_object().unwrap().clone());
    let event_type = api.ok("POST", "/api/booking/event-types", event_type).await["id"].clone();
    if let Some((path, owner, mut rule)) = row.rule.clone() {
        if !owner.is_empty() {
            rule[owner] = match owner {
                "member" => member,
                "listing" => listing,
                _ => event_type.clone(),
            };
        }
        let made = api.ok("POST", path, rule).await;
        if owner.is_empty() {
            let named = json!({ "policy": { "restriction_schedule": made["id"] } });
            api.ok("PATCH", &format!("/api/booking/event-types/{}", event_type.as_str().unwrap()), named)
                .await;
        }
    }
    event_type
}

/// What is offered of the stretch that is asked for.
async fn offered(api: &Api, event_type: &Value) -> Vec<String> {
    let id = event_type.as_str().unwrap();
    let (from, to) = ASKED;
    let path = format!("/api/booking/availability?event_type={id}&from={from}&to={to}&time_zone=UTC");
    let answer = api.ok("GET", &path, Value::Null).await;
    let days = answer["days"].as_array().unwrap().iter();
    let slots = days.flat_map(|day| day["slots"].as_array().unwrap());
    slots.map(|slot| slot["start"].as_str().unwrap().to_owned()).collect()
}

/// What has to be offered of it: a scan of every half hour.
fn expected(open: impl Fn(DateTime<Utc>) -> bool) -> Vec<String> {
    let (from, to): (DateTime<Utc>, DateTime<Utc>) = (ASKED.0.parse().unwrap(), ASKED.1.parse().unwrap());
    let half_hours = (0..).map(|n| from + Duration::minutes(30 * n));
    let starts = half_hours.take_while(|at| *at + Duration::hours(1) <= to).filter(|at| open(*at));
    starts.map(|at| at.format("%Y-%m-%dT%H:%M:%SZ").to_string()).collect()
}

#[tokio::test]
async fn each_rule_stands_on_the_clock_that_the_table_says() {
    let api = Api::new().await;
    for (pair, zones) in PAIRS.into_iter().enumerate() {
        for (n, row) in rows().iter().enumerate() {
            let event_type = shop(&api, &format!("shop-{pair}-{n}"), zones, row).await;
            let clock = match row.whose {
                Whose::Listing => zones.0,
                Whose::Member => zones.1,
                Whose::Own => OWN,
                Whose::Nobody => "UTC",
            };
            let clock: Tz = clock.parse().unwrap();
            if row.what.starts_with("a limit") {
                // At noon of that day, on the limit's clock.
                let noon = day().and_hms_opt(12, 0, 0).unwrap().and_local_timezone(clock).unwrap().to_utc();
                let noon = noon.format("%Y-%m-%dT%H:%M:%SZ").to_string();
                api.ok("POST", "/api/booking", booking(&event_type, &noon)).await;
            }
            let open = |at: DateTime<Utc>| (row.offered)(at.with_timezone(&clock).naive_local());
            assert_eq!(offered(&api, &event_type).await, expected(open), "{} in {zones:?}", row.what);
        }
    }
}

#[tokio::test]
async fn a_members_own_override_stays_open_on_a_holiday_of_the_listing() {
    let api = Api::new().await;
    for (n, zones) in PAIRS.into_iter().enumerate() {
        let hours = json!({ "date": DAY, "intervals": [{ "start": "09:00", "end": "17:00" }] });
        let rule = row("", Whose::Member, on_the_hour).rule("/api/booking/overrides", "member", hours);
        let event_type = shop(&api, &format!("feast-{n}"), zones, &rule).await;
        let shown = api
            .ok("GET", &format!("/api/booking/event-types/{}", event_type.as_str().unwrap()), Value::Null)
            .await;
        let feast = json!({ "listing": shown["listing_id"], "name": "Feast", "date": DAY });
        api.ok("POST", "/api/booking/holidays", feast).await;
        let (listing, member): (Tz, Tz) = (zones.0.parse().unwrap(), zones.1.parse().unwrap());
        let local = |at: DateTime<Utc>, zone: Tz| at.with_timezone(&zone).naive_local();
        let open = |at: DateTime<Utc>| match local(at, member) {
            there if there.date() == day() => in_hours(there),
            there => on_the_hour(there) && local(at, listing).date() != day(),
        };
        assert_eq!(offered(&api, &event_type).await, expected(open), "{zones:?}");
    }
}

#[tokio::test]
async fn a_series_keeps_the_local_time_of_its_listing() {
    let api = Api::new().await;
    for (n, zones) in PAIRS.into_iter().enumerate() {
        let event_type =
            shop(&api, &format!("course-{n}"), zones, &row("", Whose::Listing, on_the_hour)).await;
        // Clocks change in New York in March, in Auckland in April.
        let mut series = booking(&event_type, "2027-03-10T15:00:00Z");
        series["recurrence"] = json!({ "rrule": "FREQ=WEEKLY;COUNT=5" });
        let made = api.ok("POST", "/api/booking", series).await;
        let listing: Tz = zones.0.parse().unwrap();
        let starts = made["done"].as_array().unwrap().iter();
        let starts = starts.map(|b| b["start"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap());
        let shown: Vec<NaiveDateTime> = starts.map(|at| at.with_timezone(&listing).naive_local()).collect();
        let weeks = (0..5).map(|week| shown[0] + Duration::weeks(week));
        assert_eq!(shown, weeks.collect::<Vec<_>>(), "{zones:?}");
    }
}
