//! What has to be done so that a tenant has what a document says.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    current::Current,
    document::Document,
    objects::{Objects, Target, objects_of, whole_objects_of},
    secrets,
};
use crate::cli::CliError;

/// Characters of a value that are shown.
const SHOWN_CHARS: usize = 120;

/// One thing to be done.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    /// Make it.
    Create(Target),
    /// Change it, or take up again what is archived. True: with its credentials.
    Change(Target, bool),
    /// Send what is booked at a listing over its connection: it may be made after the listing.
    Route(String),
    AddRule(Target, Value),
    ReplaceRule(Target, String, Value),
    RemoveRule(Target, String),
    Delete(Target),
}

/// A step, as people are told of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Planned {
    pub(super) step: Step,
    /// `+`, `~` or `-`, and what it is.
    pub(super) title: String,
    /// What is different.
    pub(super) lines: Vec<String>,
}

/// All steps, in the order in which they can be done.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) steps: Vec<Planned>,
    /// What the tenant has and the document does not, and which stays.
    pub(super) left: Vec<String>,
    /// What is made of the document, with all members.
    pub(super) whole: Objects,
    /// Secrets of connections that are made or changed.
    pub(super) secrets: BTreeMap<Target, BTreeMap<String, secrets::Found>>,
}

fn cut(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= SHOWN_CHARS {
        return text;
    }
    let mut text: String = text.chars().take(SHOWN_CHARS).collect();
    text.push('…');
    text
}

/// What is different between two values, by path.
fn differences(at: &str, old: &Value, new: &Value, lines: &mut Vec<String>) {
    if old == new {
        return;
    }
    if let (Value::Object(before), Value::Object(after)) = (old, new) {
        let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        for name in names {
            let at = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
            let (before, after) = (before.get(name), after.get(name));
            differences(&at, before.unwrap_or(&Value::Null), after.unwrap_or(&Value::Null), lines);
        }
        return;
    }
    // What is left out is as it is by default.
    let shown = |value: &Value| if value.is_null() { "(default)".to_owned() } else { cut(value) };
    let at = if at.is_empty() { String::new() } else { format!("{at}: ") };
    lines.push(format!("{at}{} → {}", shown(old), shown(new)));
}

/// A connection as far as it can be compared: credentials are not shown, and which way it is kept in step is said when it is made.
fn comparable(target: &Target, object: &Value, other: Option<&Value>) -> Value {
    let mut object = object.clone();
    match (target, object.as_object_mut()) {
        (Target::Connection(_), Some(members)) => {
            members.remove("credentials");
            let other = other.and_then(|other| other.pointer("/settings/sync_direction"));
            if let Some(settings) = members.get_mut("settings").and_then(Value::as_object_mut)
                && other.is_none()
            {
                settings.remove("sync_direction");
                if settings.is_empty() {
                    members.remove("settings");
                }
            }
        }
        // A step of its own.
        (Target::Listing(_), Some(members)) => drop(members.remove("connection")),
        _ => {}
    }
    object
}

/// Names that nothing has.
fn check_references(document: &Document, objects: &Objects, current: &Objects) -> Result<(), CliError> {
    let mut wrong = Vec::new();
    let mut need = |by: &Target, target: Target| {
        if !objects.contains_key(&target) && !current.contains_key(&target) {
            wrong.push(format!("  {}: there is no {}", by.shown(), target.shown()));
        }
    };
    if let Some(connection) = document.tenant.as_ref().and_then(|tenant| tenant.default_connection.clone()) {
        need(&Target::Tenant, Target::Connection(connection));
    }
    if let Some(tenant) = &document.tenant {
        let hours = tenant.opening_schedule.iter().chain(&tenant.default_schedule);
        hours.for_each(|name| need(&Target::Tenant, Target::NamedSchedule(name.clone())));
    }
    for (name, connection) in document.connections.iter().flatten() {
        let by = Target::Connection(name.clone());
        connection.listing.iter().for_each(|listing| need(&by, Target::Listing(listing.clone())));
    }
    for (key, member) in document.members.iter().flatten() {
        let by = Target::Member(key.clone());
        member.schedule.iter().for_each(|name| need(&by, Target::NamedSchedule(name.clone())));
        member.calendars.iter().for_each(|of| need(&by, Target::Connection(of.connection.clone())));
    }
    for (slug, listing) in document.listings.iter().flatten() {
        let by = Target::Listing(slug.clone());
        listing.connection.iter().for_each(|name| need(&by, Target::Connection(name.clone())));
        for (name, event_type) in &listing.event_types {
            let by = Target::EventType(slug.clone(), name.clone());
            let roles = event_type.policy.host_roles.iter().map(|role| &role.member);
            event_type.members.iter().chain(roles).for_each(|key| need(&by, Target::Member(key.clone())));
            event_type.external.keys().for_each(|name| need(&by, Target::Connection(name.clone())));
            let schedule = event_type.policy.restriction_schedule.iter();
            schedule.for_each(|name| need(&by, Target::Schedule(name.clone())));
            let hours = event_type.policy.schedule.iter();
            hours.for_each(|name| need(&by, Target::NamedSchedule(name.clone())));
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    Err(CliError::Usage(format!("the document refers to what is not there:\n{}", wrong.join("\n"))))
}

/// What stands there twice would be made twice with every apply.
fn check_twice(document: &Document) -> Result<(), CliError> {
    for (key, member) in document.members.iter().flatten() {
        let mut calendars = BTreeSet::new();
        for of in &member.calendars {
            if !calendars.insert((&of.connection, &of.external_id)) {
                return Err(CliError::Usage(format!(
                    "member {key} has the calendar {:?} twice",
                    of.external_id
                )));
            }
        }
    }
    Ok(())
}

/// Whoever has members keeps one: an event type that had some cannot be left with none.
fn check_emptied(wanted: &Objects, there: &Objects) -> Result<(), CliError> {
    let names_some =
        |of: &Value| of.get("members").and_then(Value::as_array).is_some_and(|all| !all.is_empty());
    let emptied = wanted.iter().find(|(target, object)| {
        let kept = there.get(target).is_some_and(names_some);
        matches!(target, Target::EventType(..)) && kept && !names_some(object)
    });
    let Some((target, _)) = emptied else { return Ok(()) };
    let hint = "name one of its members, or say `active: false`";
    Err(CliError::Usage(format!("{}: an event type that has members keeps one; {hint}", target.shown())))
}

fn sections(document: &Document) -> BTreeSet<&'static str> {
    [
        ("tenant", document.tenant.is_some()),
        ("connections", document.connections.is_some()),
        ("members", document.members.is_some()),
        ("restriction_schedules", document.restriction_schedules.is_some()),
        ("schedules", document.schedules.is_some()),
        ("listings", document.listings.is_some()),
        ("consent_texts", document.consent_texts.is_some()),
    ]
    .into_iter()
    .filter_map(|(name, is_there)| is_there.then_some(name))
    .collect()
}

/// Which credentials are looked up and sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Credentials {
    /// None: nothing is done.
    None,
    /// Of connections that have none.
    Missing,
    /// Of all connections.
    All,
}

/// What has to be done. With `prune` what the document does not have is removed.
pub(super) fn plan(
    document: &Document,
    current: &Current,
    prune: bool,
    credentials: Credentials,
) -> Result<Plan, CliError> {
    let (wanted, there) = (objects_of(document), objects_of(&current.document));
    check_references(document, &wanted, &there)?;
    check_twice(document)?;
    check_emptied(&wanted, &there)?;
    let mut plan = Plan { whole: whole_objects_of(document), ..Plan::default() };
    let mut routes = Vec::new();
    for (target, object) in &wanted {
        if let Target::Rules(..) = target {
            rules(&mut plan, current, target, there.get(target), object, prune);
            continue;
        }
        let before = there.get(target);
        if let Target::Connection(name) = target
            && let Some(connection) = document.connections.as_ref().and_then(|all| all.get(name))
        {
            let has_some = before.is_some_and(|before| before.get("credentials").is_some());
            let wanted = match credentials {
                Credentials::None => false,
                Credentials::Missing => !has_some,
                Credentials::All => true,
            };
            if wanted {
                plan.secrets.insert(target.clone(), secrets::found(name, &connection.credentials)?);
            }
        }
        let with_secrets = plan.secrets.get(target).is_some_and(|secrets| !secrets.is_empty());
        let mut lines = Vec::new();
        if let Some(before) = before {
            let (old, new) = (comparable(target, before, None), comparable(target, object, Some(before)));
            differences("", &old, &new, &mut lines);
            if with_secrets {
                lines.push("credentials: (sent)".to_owned());
            }
            if !lines.is_empty() {
                let title = format!("~ {}", target.shown());
                plan.steps.push(Planned { step: Step::Change(target.clone(), with_secrets), title, lines });
            }
        } else {
            let title = format!("+ {}", target.shown());
            plan.steps.push(Planned { step: Step::Create(target.clone()), title, lines });
        }
        if let Target::Listing(slug) = target {
            let over = |listing: Option<&Value>| {
                listing.and_then(|listing| listing.get("connection")).cloned().unwrap_or_default()
            };
            let (old, new) = (over(before), over(Some(object)));
            if old != new {
                let mut lines = Vec::new();
                differences("connection", &old, &new, &mut lines);
                let title = format!("~ {}", target.shown());
                routes.push(Planned { step: Step::Route(slug.clone()), title, lines });
            }
        }
    }
    // Once there are connections, and before event types name what they are there.
    let is_later = |planned: &Planned| match &planned.step {
        Step::Create(target) | Step::Change(target, _) => *target >= Target::NamedSchedule(String::new()),
        _ => true,
    };
    let at = plan.steps.iter().position(is_later).unwrap_or(plan.steps.len());
    plan.steps.splice(at..at, routes);
    excess(&mut plan, document, current, (&wanted, &there), prune);
    Ok(plan)
}

/// A list of rules. Those that are there already stay; of the others each that is there becomes one that is wanted, as long as there are both.
fn rules(
    plan: &mut Plan,
    current: &Current,
    target: &Target,
    there: Option<&Value>,
    wanted: &Value,
    prune: bool,
) {
    let items = |list: Option<&Value>| list.and_then(Value::as_array).cloned().unwrap_or_default();
    let ids = current.rules.get(target).cloned().unwrap_or_default();
    let mut old: Vec<(String, Value)> = ids.into_iter().zip(items(there)).collect();
    let mut new = Vec::new();
    for rule in items(Some(wanted)) {
        match old.iter().position(|(_, there)| *there == rule) {
            Some(at) => drop(old.remove(at)),
            None => new.push(rule),
        }
    }
    let mut old = old.into_iter();
    for rule in new {
        let shown = target.shown();
        plan.steps.push(if let Some((id, before)) = old.next() {
            let mut lines = Vec::new();
            differences("", &before, &rule, &mut lines);
            let step = Step::ReplaceRule(target.clone(), id, rule);
            Planned { step, title: format!("~ {shown}"), lines }
        } else {
            let lines = vec![cut(&rule)];
            Planned { step: Step::AddRule(target.clone(), rule), title: format!("+ {shown}"), lines }
        });
    }
    for (id, rule) in old {
        let title = format!("- {}: {}", target.shown(), cut(&rule));
        if prune {
            plan.steps.push(Planned { step: Step::RemoveRule(target.clone(), id), title, lines: Vec::new() });
        } else {
            plan.left.push(title);
        }
    }
}

/// What the tenant has and the document, in a section that it has, does not.
fn excess(
    plan: &mut Plan,
    document: &Document,
    current: &Current,
    (wanted, there): (&Objects, &Objects),
    prune: bool,
) {
    let sections = sections(document);
    // What refers to something goes before it.
    for (target, object) in there.iter().rev() {
        if wanted.contains_key(target) || !sections.contains(target.section()) {
            continue;
        }
        if let Target::Rules(owner, _) = target {
            let gone = match owner {
                super::objects::Owner::Member(key) => Target::Member(key.clone()),
                super::objects::Owner::Listing(slug) => Target::Listing(slug.clone()),
                super::objects::Owner::EventType(listing, slug) => {
                    Target::EventType(listing.clone(), slug.clone())
                }
            };
            // They go with what has them.
            if wanted.contains_key(&gone) {
                rules(plan, current, target, Some(object), &Value::Null, prune);
            }
            continue;
        }
        // Of texts that people consented to, each version stays.
        if matches!(target, Target::Tenant | Target::ConsentText(..)) {
            continue;
        }
        let title = format!("- {}", target.shown());
        if prune {
            plan.steps.push(Planned { step: Step::Delete(target.clone()), title, lines: Vec::new() });
        } else {
            plan.left.push(title);
        }
    }
}
