//! Doing what is planned, over the API, with ids in place of keys.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Map, Value, json};

use super::{
    current::Current,
    objects::{Objects, Owner, Target},
    plan::{Plan, Planned, Step},
    secrets,
};
use crate::cli::{CliError, client::Api};

/// Doing it.
pub(super) struct Applying<'a> {
    pub(super) api: &'a Api,
    ids: BTreeMap<Target, String>,
    closed: BTreeMap<Target, String>,
    whole: Objects,
    secrets: BTreeMap<Target, BTreeMap<String, secrets::Found>>,
}

/// An object without these members, which are not what its own request says.
fn without(object: &Value, names: &[&str]) -> Map<String, Value> {
    let mut members = object.as_object().cloned().unwrap_or_default();
    for name in names {
        members.remove(*name);
    }
    members
}

fn text(object: &Value, name: &str) -> Option<String> {
    object.get(name).and_then(Value::as_str).map(str::to_owned)
}

/// Where objects of a kind are.
const fn path(target: &Target) -> &'static str {
    match target {
        Target::Listing(_) => "api/listings",
        Target::Connection(_) => "api/booking-providers",
        Target::Member(_) => "api/booking/team",
        Target::NamedSchedule(_) => "api/booking/schedules",
        Target::Schedule(_) => "api/booking/restriction-schedules",
        Target::EventType(..) => "api/booking/event-types",
        Target::Calendar(..) => "api/booking/calendar/integrations",
        Target::Rules(_, rules) => rules.path(),
        Target::Tenant => "api/tenant",
        Target::ConsentText(..) => "api/privacy/texts",
    }
}

impl<'a> Applying<'a> {
    pub(super) fn new(api: &'a Api, current: Current, plan: &mut Plan) -> Self {
        let (whole, secrets) = (std::mem::take(&mut plan.whole), std::mem::take(&mut plan.secrets));
        Self { api, ids: current.ids, closed: current.closed, whole, secrets }
    }

    /// Do one step.
    pub(super) async fn step(&mut self, planned: &Planned) -> Result<(), CliError> {
        match &planned.step {
            Step::Create(target) => self.create(target).await,
            Step::Change(target, credentials) => self.change(target, *credentials).await,
            Step::Route(slug) => {
                let target = Target::Listing(slug.clone());
                let name = self.whole.get(&target).and_then(|listing| text(listing, "connection"));
                let connection = self.reference(name.map(Target::Connection))?;
                let id = self.id(&target)?.to_owned();
                self.send(Method::PATCH, path(&target), Some(&id), &json!({ "connection_id": connection }))
                    .await
                    .map(drop)
            }
            Step::AddRule(target, rule) => {
                let body = self.rule(target, rule)?;
                self.send(Method::POST, path(target), None, &body).await.map(drop)
            }
            Step::ReplaceRule(target, id, rule) => {
                let body = self.rule(target, rule)?;
                self.send(Method::PUT, path(target), Some(id), &body).await.map(drop)
            }
            Step::RemoveRule(target, id) => self.delete(path(target), id).await,
            Step::Delete(target) => {
                let id = self.id(target)?.to_owned();
                self.delete(path(target), &id).await
            }
        }
    }

    async fn create(&mut self, target: &Target) -> Result<(), CliError> {
        if let Some(id) = self.closed.get(target).cloned() {
            self.ids.insert(target.clone(), id);
            return self.change(target, false).await;
        }
        let mut body = self.body(target, true)?;
        // What is made is active.
        let active = body.as_object_mut().and_then(|members| members.remove("active"));
        let made = self.send(Method::POST, path(target), None, &body).await?;
        let id = text(&made, "id").unwrap_or_default();
        self.ids.insert(target.clone(), id.clone());
        if active == Some(Value::Bool(false)) {
            self.send(Method::PATCH, path(target), Some(&id), &json!({ "active": false })).await?;
        }
        Ok(())
    }

    async fn change(&mut self, target: &Target, credentials: bool) -> Result<(), CliError> {
        let body = self.body(target, credentials)?;
        let (method, id) = match target {
            Target::Tenant => (Method::PATCH, None),
            // Another text is another version.
            Target::ConsentText(..) => (Method::POST, None),
            Target::Schedule(_) | Target::NamedSchedule(_) => (Method::PUT, Some(self.id(target)?)),
            _ => (Method::PATCH, Some(self.id(target)?)),
        };
        let id = id.map(str::to_owned);
        self.send(method, path(target), id.as_deref(), &body).await.map(drop)
    }

    /// What a request says of an object. `all`: also what is said only when it is made.
    fn body(&self, target: &Target, all: bool) -> Result<Value, CliError> {
        let object = self.whole.get(target).cloned().unwrap_or_default();
        let mut members = match target {
            Target::Listing(slug) => {
                let mut members = without(&object, &["connection"]);
                members.insert("slug".to_owned(), slug.as_str().into());
                members
            }
            Target::Connection(name) => self.connection(target, name, &object, all)?,
            Target::Member(key) => {
                let mut members = without(&object, &["schedule"]);
                members.insert("user_id".to_owned(), key.as_str().into());
                let hours = self.reference(text(&object, "schedule").map(Target::NamedSchedule))?;
                members.insert("schedule_id".to_owned(), hours);
                members
            }
            Target::Schedule(name) | Target::NamedSchedule(name) => {
                let mut members = without(&object, &[]);
                members.insert("name".to_owned(), name.as_str().into());
                members
            }
            Target::EventType(listing, slug) => self.event_type(listing, slug, &object, all)?,
            Target::Calendar(member, connection, _) => {
                let mut members = without(&object, &["connection"]);
                if all {
                    let member = self.id(&Target::Member(member.clone()))?;
                    members.insert("member_id".to_owned(), member.into());
                    let connection = self.id(&Target::Connection(connection.clone()))?;
                    members.insert("connection_id".to_owned(), connection.into());
                }
                members
            }
            Target::Tenant => {
                let hours = ["opening_schedule", "default_schedule"];
                let mut members =
                    without(&object, &["default_connection", "opening_schedule", "default_schedule"]);
                for name in hours {
                    let id = self.reference(text(&object, name).map(Target::NamedSchedule))?;
                    if let Some(settings) = members.get_mut("settings").and_then(Value::as_object_mut) {
                        settings.insert(format!("{name}_id"), id);
                    }
                }
                let default = self.reference(text(&object, "default_connection").map(Target::Connection))?;
                members.insert("default_connection_id".to_owned(), default);
                members
            }
            Target::ConsentText(purpose, language) => {
                let value = json!({ "purpose": purpose, "language": language, "text": object });
                without(&value, &[])
            }
            Target::Rules(..) => Map::new(),
        };
        if members.get("slug").is_some() && !all {
            members.remove("slug");
        }
        Ok(Value::Object(members))
    }

    fn connection(
        &self,
        target: &Target,
        name: &str,
        object: &Value,
        all: bool,
    ) -> Result<Map<String, Value>, CliError> {
        let mut members = without(object, &["listing", "credentials"]);
        let listing = self.reference(text(object, "listing").map(Target::Listing))?;
        members.insert("listing_id".to_owned(), listing);
        members.insert("name".to_owned(), name.into());
        if let Some(secrets) = self.secrets.get(target).filter(|_| all) {
            let credentials: Map<String, Value> =
                secrets.iter().map(|(name, secret)| (name.clone(), secret.expose().into())).collect();
            members.insert("credentials".to_owned(), credentials.into());
        }
        Ok(members)
    }

    fn event_type(
        &self,
        listing: &str,
        slug: &str,
        object: &Value,
        all: bool,
    ) -> Result<Map<String, Value>, CliError> {
        let mut members = without(object, &["members", "external", "policy"]);
        members.insert("slug".to_owned(), slug.into());
        if all {
            let listing = self.id(&Target::Listing(listing.to_owned()))?;
            members.insert("listing_id".to_owned(), listing.into());
        }
        let team = object.get("members").and_then(Value::as_array).into_iter().flatten();
        let team: Result<Vec<&str>, CliError> =
            team.filter_map(Value::as_str).map(|key| self.id(&Target::Member(key.to_owned()))).collect();
        let team = team?;
        // One that has nobody yet says nothing of members: whoever names some names one at least.
        if !team.is_empty() {
            members.insert("member_ids".to_owned(), json!(team));
        }
        let mut external = Vec::new();
        for (name, id) in object.get("external").and_then(Value::as_object).into_iter().flatten() {
            let connection = self.id(&Target::Connection(name.clone()))?;
            external.push(json!({ "connection_id": connection, "external_id": id }));
        }
        // None: an event type of a listing that is booked here alone says nothing of providers.
        if !external.is_empty() || !all {
            members.insert("external".to_owned(), external.into());
        }
        let mut policy = object.get("policy").cloned().unwrap_or_default();
        let schedule = self.reference(text(&policy, "restriction_schedule").map(Target::Schedule))?;
        let hours = self.reference(text(&policy, "schedule").map(Target::NamedSchedule))?;
        if let Some(policy) = policy.as_object_mut() {
            policy.remove("schedule");
            policy.insert("schedule_id".to_owned(), hours);
            policy.insert("restriction_schedule".to_owned(), schedule);
        }
        let roles = policy.get_mut("host_roles").and_then(Value::as_array_mut).into_iter().flatten();
        for role in roles {
            let member = self.reference(text(role, "member").map(Target::Member))?;
            if let Some(role) = role.as_object_mut() {
                role.remove("member");
                role.insert("member_id".to_owned(), member);
            }
        }
        members.insert("policy".to_owned(), policy);
        Ok(members)
    }

    fn rule(&self, target: &Target, rule: &Value) -> Result<Value, CliError> {
        let mut members = without(rule, &[]);
        if let Target::Rules(owner, _) = target {
            let (name, owner) = match owner {
                Owner::Member(key) => ("member_id", Target::Member(key.clone())),
                Owner::Listing(slug) => ("listing_id", Target::Listing(slug.clone())),
                Owner::EventType(listing, slug) => {
                    ("event_type_id", Target::EventType(listing.clone(), slug.clone()))
                }
            };
            members.insert(name.to_owned(), self.id(&owner)?.into());
        }
        Ok(Value::Object(members))
    }

    fn id(&self, target: &Target) -> Result<&str, CliError> {
        let id = self.ids.get(target).map(String::as_str);
        id.ok_or_else(|| CliError::Other(format!("there is no {}", target.shown())))
    }

    fn reference(&self, target: Option<Target>) -> Result<Value, CliError> {
        target.map_or(Ok(Value::Null), |target| Ok(self.id(&target)?.into()))
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        id: Option<&str>,
        body: &Value,
    ) -> Result<Value, CliError> {
        let parts: Vec<&str> = id.into_iter().collect();
        self.api.ask(self.api.request(path, method, &parts)?.json(body)).await
    }

    async fn delete(&self, path: &str, id: &str) -> Result<(), CliError> {
        self.api.send(self.api.request(path, Method::DELETE, &[id])?).await.map(drop)
    }
}
