//! What a document says, and what a tenant has, as one list of objects that can be compared.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{document::Document, yaml::lean};

/// What an object is, and its key. In the order in which they can be made: whatever refers to something comes after it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target {
    Listing(String),
    Connection(String),
    /// Hours that others name.
    NamedSchedule(String),
    Member(String),
    Schedule(String),
    /// Listing and slug.
    EventType(String, String),
    /// Of a member, by connection and the provider's id.
    Calendar(String, String, String),
    /// Rules of one kind with one owner: a list.
    Rules(Owner, Rules),
    Tenant,
    /// Purpose and language.
    ConsentText(String, String),
}

/// Whom rules bear on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Owner {
    Member(String),
    Listing(String),
    EventType(String, String),
}

/// Kinds of rules that are lists, by their names in documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rules {
    Patterns,
    Overrides,
    Holidays,
    OutOfOffice,
    Travel,
}

impl Rules {
    pub(super) const ALL: [Self; 5] =
        [Self::Patterns, Self::Overrides, Self::Holidays, Self::OutOfOffice, Self::Travel];

    /// Its name in documents.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Patterns => "patterns",
            Self::Overrides => "overrides",
            Self::Holidays => "holidays",
            Self::OutOfOffice => "out_of_office",
            Self::Travel => "travel",
        }
    }

    /// Where they are in the API.
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Patterns => "api/booking/patterns",
            Self::Overrides => "api/booking/overrides",
            Self::Holidays => "api/booking/holidays",
            Self::OutOfOffice => "api/booking/out-of-office",
            Self::Travel => "api/booking/travel",
        }
    }
}

impl Target {
    /// The same for people.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Listing(slug) => format!("listing {slug}"),
            Self::Connection(name) => format!("connection {name}"),
            Self::Member(key) => format!("member {key}"),
            Self::NamedSchedule(name) => format!("schedule {name}"),
            Self::Schedule(name) => format!("restriction schedule {name}"),
            Self::EventType(listing, slug) => format!("event type {listing}/{slug}"),
            Self::Calendar(member, connection, calendar) => {
                format!("calendar {calendar:?} of {member} over {connection}")
            }
            Self::Rules(Owner::Member(key), rules) => format!("{} of member {key}", rules.name()),
            Self::Rules(Owner::Listing(slug), rules) => format!("{} of listing {slug}", rules.name()),
            Self::Rules(Owner::EventType(listing, slug), rules) => {
                format!("{} of event type {listing}/{slug}", rules.name())
            }
            Self::Tenant => "tenant".to_owned(),
            Self::ConsentText(purpose, language) => format!("consent text {purpose} ({language})"),
        }
    }

    /// The section of a document that it stands in.
    pub(super) const fn section(&self) -> &'static str {
        match self {
            Self::Listing(_)
            | Self::EventType(..)
            | Self::Rules(Owner::Listing(_) | Owner::EventType(..), _) => "listings",
            Self::Connection(_) => "connections",
            Self::Member(_) | Self::Calendar(..) | Self::Rules(Owner::Member(_), _) => "members",
            Self::NamedSchedule(_) => "schedules",
            Self::Schedule(_) => "restriction_schedules",
            Self::Tenant => "tenant",
            Self::ConsentText(..) => "consent_texts",
        }
    }
}

/// Objects, each as a document says it, without what is as by default.
pub(super) type Objects = BTreeMap<Target, Value>;

/// All that a document says, without what is as by default.
pub(super) fn objects_of(document: &Document) -> Objects {
    taken_apart(lean(document))
}

/// The same with all members.
pub(super) fn whole_objects_of(document: &Document) -> Objects {
    taken_apart(serde_json::to_value(document).unwrap_or_default())
}

fn taken_apart(document: Value) -> Objects {
    let mut objects = Objects::new();
    let Value::Object(mut sections) = document else { return objects };
    if let Some(tenant) = sections.remove("tenant").filter(|tenant| !tenant.is_null()) {
        objects.insert(Target::Tenant, tenant);
    }
    for (name, connection) in entries(sections.remove("connections")) {
        objects.insert(Target::Connection(name), connection);
    }
    for (name, schedule) in entries(sections.remove("restriction_schedules")) {
        objects.insert(Target::Schedule(name), schedule);
    }
    for (name, hours) in entries(sections.remove("schedules")) {
        objects.insert(Target::NamedSchedule(name), hours);
    }
    for (key, mut member) in entries(sections.remove("members")) {
        take_rules(&mut objects, &mut member, &Owner::Member(key.clone()));
        if let Some(Value::Array(calendars)) = taken(&mut member, "calendars") {
            for calendar in calendars {
                let text =
                    |name: &str| calendar.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
                let target = Target::Calendar(key.clone(), text("connection"), text("calendar"));
                objects.insert(target, calendar);
            }
        }
        objects.insert(Target::Member(key), member);
    }
    for (slug, mut listing) in entries(sections.remove("listings")) {
        take_rules(&mut objects, &mut listing, &Owner::Listing(slug.clone()));
        for (name, mut event_type) in entries(taken(&mut listing, "event_types")) {
            take_rules(&mut objects, &mut event_type, &Owner::EventType(slug.clone(), name.clone()));
            objects.insert(Target::EventType(slug.clone(), name), event_type);
        }
        objects.insert(Target::Listing(slug), listing);
    }
    for (purpose, languages) in entries(sections.remove("consent_texts")) {
        for (language, text) in entries(Some(languages)) {
            objects.insert(Target::ConsentText(purpose.clone(), language.to_ascii_lowercase()), text);
        }
    }
    objects
}

fn entries(section: Option<Value>) -> Map<String, Value> {
    match section {
        Some(Value::Object(members)) => members,
        _ => Map::new(),
    }
}

fn taken(object: &mut Value, name: &str) -> Option<Value> {
    object.as_object_mut().and_then(|members| members.remove(name))
}

fn take_rules(objects: &mut Objects, object: &mut Value, owner: &Owner) {
    for rules in Rules::ALL {
        if let Some(list) = taken(object, rules.name()) {
            objects.insert(Target::Rules(owner.clone(), rules), list);
        }
    }
}
