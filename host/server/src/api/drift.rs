//! What `schemas.rs` of the domains say is what the model writes and reads: values of every type in it, whole, and of every variant, are
//! held against its schema. Struct literals and matches name every field and variant, so that a new one does not compile before it is here.

use std::collections::{BTreeMap, BTreeSet};

use berth_model::{
    bookings::{
        clocks::{ClockChange, Clocks, Keep, Shown},
        location::{Location, LocationKind},
        questions::{Question, QuestionKind},
    },
    catalog::{
        event_type::{
            Confirmation, CounterpartState, EventTypeCounterpart, EventTypePolicy, Fairness, FairnessBasis,
            Grid, HostRole, Visibility,
        },
        member::{MemberRole, RoundRobinShare, WeeklyHours},
    },
    id::{BookingId, ConnectionId, MemberId, RestrictionScheduleId},
    mirror::sync::{Resolution, SourceOfTruth, SyncMode},
    outbound::provider::Money,
    plugins::conformance::{CaseReport, Report, Verdict},
    privacy::ConsentState,
    scheduling::{
        rule::{Holiday, OutOfOffice, Override, Pattern, RestrictionSchedule, Stretch, TravelRule},
        rules::{BookingWindow, DayCount, GridAnchor, Limit, Period, Quantity, Strategy, TeamMode},
    },
    tenants::settings::{ColourScheme, HourClock},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    availability, bookings, catalog,
    drift_rules::{sync_rule, sync_rules},
    mirror, plugins, privacy, tenants,
};

/// What may not be left out though the schema says so, by a rule that a schema cannot say.
const NEEDED_BY_RULE: [(&str, &str); 3] =
    [("Limit", "max_bookings"), ("Limit", "max_minutes"), ("Question", "options")];

/// A type of the model and what is published of it.
struct Checked {
    name: String,
    schema: Value,
    /// The schemas that it refers to.
    components: BTreeMap<String, Value>,
    /// As the model writes them.
    values: Vec<Value>,
    /// How the model reads one and writes it again, if it reads them.
    again: Option<fn(Value) -> Option<Value>>,
}

/// A type of answers.
fn told<S: ToSchema, M: Serialize>(values: &[M]) -> Checked {
    let mut parts = Vec::new();
    S::schemas(&mut parts);
    let json = |schema| serde_json::to_value(schema).unwrap();
    Checked {
        name: S::name().into_owned(),
        schema: json(S::schema()),
        components: parts.into_iter().map(|(name, schema)| (name, json(schema))).collect(),
        values: values.iter().map(|value| serde_json::to_value(value).unwrap()).collect(),
        again: None,
    }
}

/// A type of requests, too.
fn both<S: ToSchema, M: Serialize + DeserializeOwned>(values: &[M]) -> Checked {
    let again = |value| Some(serde_json::to_value(serde_json::from_value::<M>(value).ok()?).unwrap());
    Checked { again: Some(again), ..told::<S, M>(values) }
}

/// All variants: one that is not named does not compile.
macro_rules! every {
    ($type:ident: $($variant:ident),+) => {{
        let _ = |value: &$type| match value { $($type::$variant => ()),+ };
        [$($type::$variant),+]
    }};
}

impl Checked {
    /// Where the schema and the values differ.
    fn differences(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut document = self.schema.clone();
        document["components"] = json!({ "schemas": self.components });
        let valid = jsonschema::options().should_validate_formats(true).build(&document).unwrap();
        for value in &self.values {
            found.extend(valid.iter_errors(value).map(|error| format!("{value}: {error}")));
        }
        match &self.schema {
            schema if schema.get("oneOf").is_some() => self.compare_variants(&mut found),
            schema if schema.get("enum").is_some() => {
                let said: BTreeSet<_> = texts(&schema["enum"]).collect();
                let written: BTreeSet<_> = self.values.iter().filter_map(Value::as_str).collect();
                if said != written {
                    found.push(format!("published {said:?}, written {written:?}"));
                }
            }
            schema => {
                compare_properties(schema, &self.values.iter().collect::<Vec<_>>(), &mut found);
                self.compare_reading(&mut found);
            }
        }
        found.into_iter().map(|difference| format!("{}: {difference}", self.name)).collect()
    }

    /// Each variant has its tag, and its own properties.
    fn compare_variants(&self, found: &mut Vec<String>) {
        let variants = self.schema["oneOf"].as_array().unwrap();
        let mut said = BTreeSet::new();
        for variant in variants {
            let tag = &variant["properties"]["type"]["enum"][0];
            said.insert(tag.to_string());
            let values: Vec<_> = self.values.iter().filter(|value| value["type"] == *tag).collect();
            compare_properties(variant, &values, found);
        }
        let written: BTreeSet<_> = self.values.iter().map(|value| value["type"].to_string()).collect();
        if said != written {
            found.push(format!("published {said:?}, written {written:?}"));
        }
    }

    /// What is required cannot be left out; what is left out is its default; what is unknown is refused where the schema says so.
    fn compare_reading(&self, found: &mut Vec<String>) {
        let Some(again) = self.again else { return };
        let required: BTreeSet<_> = texts(&self.schema["required"]).collect();
        let strict = self.schema["additionalProperties"] == false;
        for value in &self.values {
            for name in value.as_object().unwrap().keys() {
                let mut without = value.clone();
                without.as_object_mut().unwrap().remove(name);
                let read = again(without);
                let needed = required.contains(name.as_str())
                    || NEEDED_BY_RULE.contains(&(self.name.as_str(), name.as_str()));
                if read.is_some() == needed {
                    found.push(format!("{name} left out of {value} is read as {read:?}"));
                }
                let default = self.schema["properties"][name].get("default");
                if let (Some(default), Some(read)) = (default, &read)
                    && read[name] != *default
                {
                    found.push(format!("{name} is {} where it is left out, published {default}", read[name]));
                }
            }
            let mut with = value.clone();
            with["unheard_of"] = json!(1);
            if again(with).is_none() != strict {
                found.push(format!("what is unknown is not treated as published: strict {strict}"));
            }
        }
    }
}

/// Every property occurs, and nothing else does.
fn compare_properties(schema: &Value, values: &[&Value], found: &mut Vec<String>) {
    let said: BTreeSet<_> = schema["properties"].as_object().unwrap().keys().collect();
    let members = || values.iter().flat_map(|value| value.as_object().unwrap());
    let written: BTreeSet<_> = members().map(|(name, _)| name).collect();
    let filled: BTreeSet<_> = members().filter(|(_, value)| !value.is_null()).map(|(name, _)| name).collect();
    if said != written || said != filled {
        found.push(format!("published {said:?}, written {written:?}, of them with a value {filled:?}"));
    }
}

fn texts(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str)
}

fn from<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn member() -> MemberId {
    MemberId::from_uuid(Uuid::from_u128(7))
}

fn limits() -> Vec<Limit> {
    let limit = |most| {
        let _ = |most: &Quantity| match most {
            Quantity::MaxBookings(_) | Quantity::MaxMinutes(_) => {}
        };
        Limit { per: Period::Week, most, timezone: Some(from("Europe/Lisbon")), week_start: from("Sun") }
    };
    vec![limit(Quantity::MaxBookings(4)), limit(Quantity::MaxMinutes(90))]
}

fn windows() -> Vec<BookingWindow> {
    use BookingWindow as Window;
    let _ = |window: &Window| match window {
        Window::Rolling { .. } | Window::RollingWindow { .. } | Window::Range { .. } => {}
    };
    let (days, count, timezone) = (10, DayCount::Business, Some(from("Europe/Lisbon")));
    vec![
        Window::Rolling { days, count, timezone },
        Window::RollingWindow { days, count, timezone },
        Window::Range { from: from("2026-11-20"), to: from("2026-12-24"), timezone },
    ]
}

fn questions() -> Vec<Question> {
    use QuestionKind as Kind;
    let _ = |kind| match kind {
        Kind::Text { .. }
        | Kind::LongText { .. }
        | Kind::Email
        | Kind::Phone
        | Kind::Number { .. }
        | Kind::Select { .. }
        | Kind::MultiSelect { .. }
        | Kind::Checkbox
        | Kind::Date => (),
    };
    let (min_length, max_length) = (Some(1), Some(80));
    let options = vec!["indoors".to_owned(), "outdoors".to_owned()];
    let kinds = [
        Kind::Text { min_length, max_length },
        Kind::LongText { min_length, max_length },
        Kind::Email,
        Kind::Phone,
        Kind::Number { min: Some(-1), max: Some(8) },
        Kind::Select { options: options.clone() },
        Kind::MultiSelect { options },
        Kind::Checkbox,
        Kind::Date,
    ];
    let question = |kind| Question { key: "it".into(), label: "What is it?".into(), kind, required: true };
    kinds.map(question).into()
}

fn location() -> Location {
    Location {
        key: "office".into(),
        kind: LocationKind::InPerson,
        label: Some("Our office".into()),
        address: Some("Pier 1".into()),
        phone: Some("+48600100200".into()),
        url: Some("https://meet.example/x".into()),
    }
}

fn policy() -> EventTypePolicy {
    EventTypePolicy {
        other_lengths_minutes: vec![45],
        grid: grid(),
        booking_window: windows().pop(),
        limits: limits(),
        seats: 3,
        price: Some(money()),
        visibility: Visibility::Private,
        questions: questions(),
        locations: vec![location()],
        confirmation: Confirmation::Manual,
        team_mode: TeamMode::RoundRobin,
        strategy: Strategy::PriorityThenLru,
        fairness: fairness(),
        host_roles: vec![role()],
        cancel_cutoff_minutes: Some(60),
        reschedule_cutoff_minutes: Some(30),
        restriction_schedule: Some(RestrictionScheduleId::from_uuid(Uuid::from_u128(8))),
    }
}

fn grid() -> Grid {
    let time_zone = Some(from("Europe/Lisbon"));
    let anchor = GridAnchor::RangeStart;
    Grid { anchor, round_up_to_minutes: Some(15), time_zone, offset_minutes: 5 }
}

fn money() -> Money {
    Money { minor_units: 4_900, currency: "EUR".into() }
}

fn fairness() -> Fairness {
    Fairness { reset: Period::Year, basis: FairnessBasis::MeetingStart, time_zone: Some(from("Asia/Tokyo")) }
}

fn role() -> HostRole {
    HostRole { member: member(), fixed: true, group: Some("nurses".into()) }
}

fn turns() -> RoundRobinShare {
    RoundRobinShare { round_robin: false, weight: 50, priority: 3, calibration: 1 }
}

fn stretch() -> Stretch {
    Stretch { start: from("09:00:00"), end: Some(from("17:00:00")) }
}

fn weekly_hours() -> WeeklyHours {
    WeeklyHours { weekdays: vec![from("Mon")], start: stretch().start, end: None }
}

fn day() -> Override {
    Override { date: from("2026-12-24"), intervals: vec![stretch(), Stretch { end: None, ..stretch() }] }
}

fn pattern() -> Pattern {
    let local = from("2026-11-23T09:00:00");
    Pattern {
        weekdays: vec![from("Mon"), from("Wed")],
        hours: Some(stretch()),
        valid_from: Some(from("2026-11-23")),
        valid_to: Some(from("2026-12-23")),
        dtstart_local: Some(local),
        rrule: Some("FREQ=MONTHLY;BYDAY=1MO".into()),
        duration_minutes: Some(60),
        exdates_local: vec![local],
        rdates_local: vec![local],
        time_zone: Some(from("Europe/Lisbon")),
    }
}

fn clocks() -> Clocks {
    Clocks { listing: shown(), customer: Some(shown()) }
}

fn shown() -> Shown {
    Shown { zone: "America/Edmonton".into(), start: "2026-12-08T09:00:00".into() }
}

fn report() -> Report {
    let case = CaseReport {
        id: "C042".into(),
        title: "Books".into(),
        verdict: Verdict::Fail,
        detail: "It does not".into(),
    };
    Report { suite: "1.0".into(), cases: vec![case] }
}

fn of_catalog() -> Vec<Checked> {
    use catalog::schemas as to;
    vec![
        both::<to::EventTypePolicy, _>(&[policy()]),
        both::<to::EventTypeCounterpart, _>(&[EventTypeCounterpart {
            connection_id: ConnectionId::from_uuid(Uuid::nil()),
            external_id: "x1".into(),
        }]),
        both::<to::Grid, _>(&[grid()]),
        both::<to::Visibility, _>(&every!(Visibility: Public, Private)),
        both::<to::Confirmation, _>(&every!(Confirmation: Automatic, Manual)),
        both::<to::Fairness, _>(&[fairness()]),
        both::<to::FairnessBasis, _>(&every!(FairnessBasis: CreatedAt, MeetingStart)),
        both::<to::HostRole, _>(&[role()]),
        told::<to::CounterpartState, _>(
            &every!(CounterpartState: Known, Unchecked, Missing, Unknown, Inactive),
        ),
        both::<to::TeamMode, _>(&every!(TeamMode: Single, Collective, RoundRobin)),
        both::<to::Strategy, _>(
            &every!(Strategy: LeastRecentlyAssigned, FewestUpcoming, PriorityThenLru, WeightedShortfallThenPriorityThenLru),
        ),
        both::<to::GridAnchor, _>(&every!(GridAnchor: FreeWindowStart, AvailabilityWindowStart, RangeStart)),
        both::<to::Period, _>(&every!(Period: Day, Week, Month, Year)),
        both::<to::Limit, _>(&limits()),
        both::<to::DayCount, _>(&every!(DayCount: Calendar, Business)),
        both::<to::BookingWindow, _>(&windows()),
        both::<to::Money, _>(&[money()]),
        both::<to::Question, _>(&questions()),
        both::<to::Location, _>(&[location()]),
        both::<to::LocationType, _>(&every!(LocationKind: InPerson, Phone, Link, Provider)),
        told::<to::QuestionType, _>(&questions().iter().map(kind_of).collect::<Vec<_>>()),
        both::<to::WeeklyHours, _>(&[weekly_hours()]),
        both::<to::MemberRole, _>(&every!(MemberRole: Owner, Admin, Member, Viewer)),
        both::<to::RoundRobinShare, _>(&[turns()]),
    ]
}

/// The word that a question is written with.
fn kind_of(question: &Question) -> Value {
    serde_json::to_value(question).unwrap()["type"].take()
}

fn of_rules() -> Vec<Checked> {
    use availability::schemas as to;
    let day_off = || Some(from("2026-12-26"));
    let schedule = RestrictionSchedule {
        name: "Daylight".into(),
        time_zone: from("Europe/Lisbon"),
        weekly_hours: vec![weekly_hours()],
        overrides: vec![day()],
    };
    let away = OutOfOffice {
        start: from("2026-12-24T12:00:00Z"),
        end: from("2027-01-02T00:00:00Z"),
        reason: Some("Leave".into()),
    };
    let abroad = TravelRule { from: from("2026-12-01"), to: day_off(), time_zone: from("Asia/Tokyo") };
    vec![
        both::<to::Stretch, _>(&[stretch()]),
        both::<to::Pattern, _>(&[pattern()]),
        both::<to::Override, _>(&[day()]),
        both::<to::Holiday, _>(&[Holiday {
            name: "Christmas".into(),
            date: from("2026-12-25"),
            last_date: day_off(),
        }]),
        both::<to::OutOfOffice, _>(&[away]),
        both::<to::TravelRule, _>(&[abroad]),
        both::<to::RestrictionSchedule, _>(&[schedule]),
    ]
}

fn of_the_rest() -> Vec<Checked> {
    let change = ClockChange {
        booking: BookingId::from_uuid(Uuid::from_u128(9)),
        start: from("2026-12-08T16:00:00Z"),
        told: clocks(),
        shows: clocks(),
    };
    vec![
        both::<bookings::schemas::Shown, _>(&[shown()]),
        both::<bookings::schemas::Clocks, _>(&[clocks()]),
        told::<bookings::schemas::ClockChange, _>(&[change]),
        both::<bookings::schemas::Keep, _>(&every!(Keep: Instant, ListingClock, CustomerClock)),
        both::<mirror::schemas::SyncMode, _>(&every!(SyncMode: Off, Import, Export, Bidirectional)),
        both::<mirror::schemas::SourceOfTruth, _>(&every!(SourceOfTruth: Provider, Berth)),
        both::<mirror::schemas::SyncRules, _>(&[sync_rules()]),
        both::<mirror::schemas::SyncRule, _>(&[sync_rule()]),
        both::<mirror::schemas::RuleConditions, _>(&[sync_rule().conditions]),
        both::<mirror::schemas::BufferTimes, _>(&[sync_rule().conditions.buffer_times]),
        both::<mirror::schemas::RuleActions, _>(&[sync_rule().actions]),
        both::<mirror::schemas::Resolution, _>(&every!(Resolution: Ours, Theirs, Ignored)),
        both::<tenants::schemas::TenantSettings, _>(&[tenants::schemas::sample()]),
        both::<tenants::schemas::Brand, _>(&[tenants::schemas::sample().brand]),
        both::<tenants::schemas::ColourScheme, _>(&every!(ColourScheme: Auto, Light, Dark)),
        both::<tenants::schemas::HourClock, _>(&every!(HourClock: Twelve, TwentyFour)),
        told::<privacy::schemas::ConsentState, _>(&every!(ConsentState: Never, Given, Expired, Withdrawn)),
        both::<plugins::schemas::Verdict, _>(&every!(Verdict: Pass, Fail, NotApplicable, Inconclusive)),
        both::<plugins::schemas::CaseReport, _>(&report().cases),
        both::<plugins::schemas::Report, _>(&[report()]),
    ]
}

#[test]
fn what_is_published_is_what_the_model_writes_and_reads() {
    let checked: Vec<_> = [of_catalog(), of_rules(), of_the_rest()].into_iter().flatten().collect();
    let differences: Vec<_> = checked.iter().flat_map(Checked::differences).collect();
    assert!(differences.is_empty(), "{differences:#?}");
    let names: BTreeSet<_> = checked.iter().map(|checked| checked.name.as_str()).collect();
    let files = [
        include_str!("availability/schemas.rs"),
        include_str!("bookings/schemas.rs"),
        include_str!("catalog/schemas.rs"),
        include_str!("mirror/schemas.rs"),
        include_str!("plugins/schemas.rs"),
        include_str!("privacy/schemas.rs"),
        include_str!("tenants/schemas.rs"),
    ];
    let written: BTreeSet<_> = files.iter().flat_map(|file| file.lines()).filter_map(type_in).collect();
    assert_eq!(names, written, "types of schemas.rs that are compared, and that are there");
}

/// The type that begins in this line.
fn type_in(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("pub(crate) struct ").or_else(|| line.strip_prefix("pub(crate) enum "))?;
    rest.split(' ').next()
}

#[test]
fn each_kind_of_difference_is_found() {
    let found = |change: fn(&mut Value)| {
        let mut checked = both::<catalog::schemas::RoundRobinShare, _>(&[turns()]);
        change(&mut checked.schema);
        checked.differences().join("\n")
    };
    assert_eq!(found(|_| ()), "");
    let one_more = found(|schema| schema["properties"]["shifts"] = json!({ "type": "integer" }));
    assert!(one_more.contains("\"shifts\""), "{one_more}");
    let one_less = found(|schema| drop(schema["properties"].as_object_mut().unwrap().remove("weight")));
    assert!(one_less.contains("written"), "{one_less}");
    let other_type = found(|schema| schema["properties"]["weight"]["type"] = json!("string"));
    assert!(other_type.contains("50"), "{other_type}");
    let other_default = found(|schema| schema["properties"]["weight"]["default"] = json!(50));
    assert!(other_default.contains("100 where it is left out"), "{other_default}");
    let required = found(|schema| schema["required"] = json!(["weight"]));
    assert!(required.contains("weight left out"), "{required}");
    let lax = found(|schema| schema["additionalProperties"] = json!(true));
    assert!(lax.contains("unknown"), "{lax}");

    let mut modes =
        told::<mirror::schemas::SyncMode, _>(&every!(SyncMode: Off, Import, Export, Bidirectional));
    modes.values.pop();
    assert!(modes.differences().join("").contains("bidirectional"));
    let mut variants = both::<catalog::schemas::BookingWindow, _>(&windows());
    variants.values.pop();
    assert!(variants.differences().join("").contains("range"));
}
