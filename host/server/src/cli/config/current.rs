//! What a tenant has, read over the API and written as a document, with the ids of all that is in it.

use std::collections::{BTreeMap, BTreeSet};

use berth_model::limits;
use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::{
    document::{Document, FORM},
    objects::{Owner, Rules, Target},
};
use crate::cli::{CliError, client::Api};

/// What there is, and the ids of it.
#[derive(Debug, Default)]
pub(super) struct Current {
    pub(super) document: Document,
    pub(super) ids: BTreeMap<Target, String>,
    /// Ids of the rules in each list, in its order.
    pub(super) rules: BTreeMap<Target, Vec<String>>,
    /// Of what is archived, and can be taken up again.
    pub(super) closed: BTreeMap<Target, String>,
    /// By name and alias.
    providers: BTreeMap<String, Provider>,
}

/// What is known of a provider.
#[derive(Debug, Clone, Default)]
struct Provider {
    name: String,
    /// What its settings are when they are left out.
    defaults: Map<String, Value>,
    /// Credentials that are made up by the server.
    generated: BTreeSet<String>,
}

impl Current {
    /// The document by the names that providers have, and without settings that go without saying.
    pub(super) fn normalise(&self, document: &mut Document) {
        for connection in document.connections.iter_mut().flat_map(BTreeMap::values_mut) {
            let Some(provider) = self.providers.get(&connection.provider) else { continue };
            connection.provider.clone_from(&provider.name);
            connection.settings.retain(|name, value| provider.defaults.get(name) != Some(&*value));
        }
    }
}

/// What can be connected to.
async fn providers(api: &Api) -> Result<BTreeMap<String, Provider>, CliError> {
    let mut providers = BTreeMap::new();
    for view in all(api, "api/booking-providers/available").await? {
        let properties = view.pointer("/settings_schema/properties").and_then(Value::as_object);
        let defaults = properties.into_iter().flatten();
        let defaults =
            defaults.filter_map(|(name, schema)| Some((name.clone(), schema.get("default")?.clone())));
        let credentials = view.get("credentials").and_then(Value::as_array).into_iter().flatten();
        let generated = credentials.filter(|credential| text(credential, "kind") == "generated");
        let provider = Provider {
            name: text(&view, "provider").to_owned(),
            defaults: defaults.collect(),
            generated: generated.map(|credential| text(credential, "name").to_owned()).collect(),
        };
        let aliases = view.get("aliases").and_then(Value::as_array).into_iter().flatten();
        for name in aliases.filter_map(Value::as_str).chain([provider.name.as_str()]) {
            providers.insert(name.to_owned(), provider.clone());
        }
    }
    Ok(providers)
}

/// Keys by id.
type Keys = BTreeMap<String, String>;

fn text<'a>(view: &'a Value, name: &str) -> &'a str {
    view.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// These members of a view that a document has, by the same names.
fn some(view: &Value, names: &[&str]) -> Map<String, Value> {
    let members = names.iter().filter_map(|name| Some(((*name).to_owned(), view.get(*name)?.clone())));
    members.collect()
}

/// The key for what a view refers to by id; null for nothing.
fn refers(view: &Value, name: &str, keys: &Keys) -> Value {
    view.get(name)
        .and_then(Value::as_str)
        .and_then(|id| keys.get(id))
        .map_or(Value::Null, |key| key.as_str().into())
}

fn as_document<T: DeserializeOwned>(members: Value, what: &str) -> Result<T, CliError> {
    serde_json::from_value(members).map_err(|error| {
        CliError::Other(format!(
            "the server's {what} says what this program does not know: {error}\n  Are both of one version?"
        ))
    })
}

/// Is it archived?
fn is_closed(view: &Value) -> bool {
    view.get("archived_at").is_some_and(|at| !at.is_null())
}

/// A name that nobody else has yet; several are called the same by a number behind it.
fn unique(taken: &Map<String, Value>, wanted: &str) -> String {
    let mut name = wanted.to_owned();
    let mut n = 2_u64;
    // Ends: there are fewer names than numbers.
    while taken.contains_key(&name) {
        name = format!("{wanted}-{n}");
        n += 1;
    }
    name
}

/// A name in small letters, digits and dashes.
fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars() {
        if c.is_alphanumeric() {
            slug.extend(c.to_lowercase());
        } else if !slug.ends_with('-') && !slug.is_empty() {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "member".to_owned() } else { slug.to_owned() }
}

/// All items of a list.
pub(super) async fn all(api: &Api, path: &str) -> Result<Vec<Value>, CliError> {
    let mut items = Vec::new();
    let mut cursor: Option<String> = None;
    for _ in 0..limits::CONFIG_PAGES_MAX {
        let mut query = vec![("limit", limits::PAGE_ITEMS_MAX.to_string())];
        query.extend(cursor.take().map(|cursor| ("cursor", cursor)));
        let page: Value = api.ask(api.request(path, Method::GET, &[])?.query(&query)).await?;
        if let Some(page) = page.get("items").and_then(Value::as_array) {
            items.extend(page.iter().cloned());
        }
        cursor = page.get("next").and_then(Value::as_str).map(str::to_owned);
        if cursor.is_none() {
            return Ok(items);
        }
    }
    Err(CliError::Other(format!("there is too much at {path} for one document")))
}

/// What is being read.
struct Reading<'a> {
    api: &'a Api,
    ids: BTreeMap<Target, String>,
    rules: BTreeMap<Target, Vec<String>>,
    closed: BTreeMap<Target, String>,
    providers: BTreeMap<String, Provider>,
    connections: Keys,
    members: Keys,
    schedules: Keys,
    hours: Keys,
    listings: Keys,
    /// Listing and slug.
    event_types: BTreeMap<String, (String, String)>,
}

/// Read all that a tenant has.
pub(super) async fn read(api: &Api) -> Result<Current, CliError> {
    let mut reading = Reading {
        api,
        ids: BTreeMap::new(),
        rules: BTreeMap::new(),
        closed: BTreeMap::new(),
        providers: providers(api).await?,
        connections: Keys::new(),
        members: Keys::new(),
        schedules: Keys::new(),
        hours: Keys::new(),
        listings: Keys::new(),
        event_types: BTreeMap::new(),
    };
    // First all keys: each may refer to another.
    let listings = all(api, "api/listings?archived=true").await?;
    for listing in &listings {
        let (slug, id) = (text(listing, "slug").to_owned(), text(listing, "id").to_owned());
        let ids = if is_closed(listing) { &mut reading.closed } else { &mut reading.ids };
        ids.insert(Target::Listing(slug.clone()), id.clone());
        reading.listings.insert(id, slug);
    }
    let mut connections = reading.connections().await?;
    let hours = reading.hours().await?;
    let mut members = reading.members().await?;
    let schedules = reading.schedules().await?;
    let mut listings = reading.listings(listings);
    reading.event_types(&mut listings).await?;
    reading.calendars(&mut members).await?;
    reading.lists(&mut members, &mut listings).await?;
    for connection in connections.values_mut() {
        if let Some(members) = connection.as_object_mut() {
            let listing = refers(&Value::Object(members.clone()), "listing_id", &reading.listings);
            members.remove("listing_id");
            members.insert("listing".to_owned(), listing);
        }
    }
    let document = json!({
        "berth": FORM, "tenant": reading.tenant().await?, "connections": connections, "members": members,
        "restriction_schedules": schedules, "schedules": hours, "listings": listings, "consent_texts": reading.consent_texts().await?,
    });
    let mut document = as_document(document, "configuration")?;
    let Reading { ids, rules, closed, providers, .. } = reading;
    let mut current = Current { ids, rules, closed, providers, ..Current::default() };
    current.normalise(&mut document);
    current.document = document;
    Ok(current)
}

impl Reading<'_> {
    async fn tenant(&self) -> Result<Value, CliError> {
        let tenant: Value = self.api.ask(self.api.request("api/tenant", Method::GET, &[])?).await?;
        let mut members = some(&tenant, &["name", "settings"]);
        if let Some(settings) = members.get_mut("settings") {
            let hours =
                [("opening_schedule", "opening_schedule_id"), ("default_schedule", "default_schedule_id")];
            let hours = hours.map(|(name, id)| (name, id, refers(settings, id, &self.hours)));
            for (_, id, _) in &hours {
                settings.as_object_mut().map(|settings| settings.remove(*id));
            }
            members.extend(hours.into_iter().map(|(name, _, key)| (name.to_owned(), key)));
        }
        let default = refers(&tenant, "default_connection_id", &self.connections);
        members.insert("default_connection".to_owned(), default);
        Ok(Value::Object(members))
    }

    /// Those that are not over. Of a credential only that there is one.
    async fn connections(&mut self) -> Result<Map<String, Value>, CliError> {
        let mut connections = Map::new();
        for view in all(self.api, "api/booking-providers").await? {
            if text(&view, "state") == "disconnected" {
                continue;
            }
            let name = unique(&connections, text(&view, "name"));
            let mut members = some(&view, &["provider", "settings", "granted_hosts", "listing_id"]);
            let sources = view.pointer("/webhooks/sources").cloned().unwrap_or_default();
            members.insert("webhook_sources".to_owned(), sources);
            let generated = self.providers.get(text(&view, "provider")).map(|provider| &provider.generated);
            let credentials = view.get("credentials").and_then(Value::as_array).into_iter().flatten();
            let credentials: Map<String, Value> = credentials
                .filter_map(Value::as_str)
                .filter(|credential| !generated.is_some_and(|generated| generated.contains(*credential)))
                .map(|credential| (credential.to_owned(), placeholder(&name, credential).into()))
                .collect();
            members.insert("credentials".to_owned(), credentials.into());
            self.ids.insert(Target::Connection(name.clone()), text(&view, "id").to_owned());
            self.connections.insert(text(&view, "id").to_owned(), name.clone());
            connections.insert(name, members.into());
        }
        Ok(connections)
    }

    async fn members(&mut self) -> Result<Map<String, Value>, CliError> {
        let mut members = Map::new();
        let mut views = all(self.api, "api/booking/team").await?;
        // Whoever has an id of the tenant's has it as key.
        views.sort_by_key(|view| view.get("user_id").is_none_or(Value::is_null));
        for view in views {
            let key = match view.get("user_id").and_then(Value::as_str) {
                Some(id) => id.to_owned(),
                None => unique(&members, &slug(text(&view, "name"))),
            };
            let names = ["name", "email", "time_zone", "weekly_hours", "role", "turns", "active"];
            self.ids.insert(Target::Member(key.clone()), text(&view, "id").to_owned());
            self.members.insert(text(&view, "id").to_owned(), key.clone());
            let mut member = some(&view, &names);
            member.insert("schedule".to_owned(), refers(&view, "schedule_id", &self.hours));
            members.insert(key, member.into());
        }
        Ok(members)
    }

    async fn schedules(&mut self) -> Result<Map<String, Value>, CliError> {
        let mut schedules = Map::new();
        for view in all(self.api, "api/booking/restriction-schedules").await? {
            let name = unique(&schedules, text(&view, "name"));
            self.ids.insert(Target::Schedule(name.clone()), text(&view, "id").to_owned());
            self.schedules.insert(text(&view, "id").to_owned(), name.clone());
            schedules.insert(name, some(&view, &["time_zone", "weekly_hours", "overrides"]).into());
        }
        Ok(schedules)
    }

    async fn hours(&mut self) -> Result<Map<String, Value>, CliError> {
        let mut schedules = Map::new();
        for view in all(self.api, "api/booking/schedules").await? {
            let name = unique(&schedules, text(&view, "name"));
            self.ids.insert(Target::NamedSchedule(name.clone()), text(&view, "id").to_owned());
            self.hours.insert(text(&view, "id").to_owned(), name.clone());
            schedules.insert(name, some(&view, &["time_zone", "weekly_hours", "overrides"]).into());
        }
        Ok(schedules)
    }

    fn listings(&self, views: Vec<Value>) -> Map<String, Value> {
        let mut listings = Map::new();
        for view in views.into_iter().filter(|view| !is_closed(view)) {
            let names = ["title", "description", "time_zone", "currency", "offer_when_degraded", "active"];
            let mut members = some(&view, &names);
            members.insert("connection".to_owned(), refers(&view, "connection_id", &self.connections));
            listings.insert(text(&view, "slug").to_owned(), members.into());
        }
        listings
    }

    async fn event_types(&mut self, listings: &mut Map<String, Value>) -> Result<(), CliError> {
        for view in all(self.api, "api/booking/event-types?archived=true").await? {
            let Some(listing) = self.listings.get(text(&view, "listing_id")).cloned() else { continue };
            let (slug, id) = (text(&view, "slug").to_owned(), text(&view, "id").to_owned());
            if is_closed(&view) || !listings.contains_key(&listing) {
                self.closed.insert(Target::EventType(listing, slug), id);
                continue;
            }
            let mut members = some(
                &view,
                &[
                    "title",
                    "description",
                    "length_minutes",
                    "slot_interval_minutes",
                    "buffer_before_minutes",
                    "buffer_after_minutes",
                    "minimum_notice_minutes",
                    "booking_window_days",
                    "active",
                ],
            );
            let team = view.get("member_ids").and_then(Value::as_array).into_iter().flatten();
            let team: Vec<&str> =
                team.filter_map(|id| self.members.get(id.as_str()?)).map(String::as_str).collect();
            members.insert("members".to_owned(), json!(team));
            let external = view.get("external").and_then(Value::as_array).into_iter().flatten();
            let external: Map<String, Value> = external
                .filter_map(|entry| {
                    let connection = self.connections.get(text(entry, "connection_id"))?;
                    Some((connection.clone(), text(entry, "external_id").into()))
                })
                .collect();
            members.insert("external".to_owned(), external.into());
            members.insert("policy".to_owned(), self.policy(view.get("policy").cloned().unwrap_or_default()));
            self.ids.insert(Target::EventType(listing.clone(), slug.clone()), id.clone());
            self.event_types.insert(id, (listing.clone(), slug.clone()));
            push_member(listings, &listing, "event_types", &slug, members.into());
        }
        Ok(())
    }

    fn policy(&self, mut policy: Value) -> Value {
        let schedule = refers(&policy, "restriction_schedule", &self.schedules);
        let hours = refers(&policy, "schedule_id", &self.hours);
        if let Some(members) = policy.as_object_mut() {
            members.insert("restriction_schedule".to_owned(), schedule);
            members.remove("schedule_id");
            members.insert("schedule".to_owned(), hours);
        }
        let roles = policy.get_mut("host_roles").and_then(Value::as_array_mut).into_iter().flatten();
        for role in roles {
            let member = refers(role, "member_id", &self.members);
            if let Some(role) = role.as_object_mut() {
                role.remove("member_id");
                role.insert("member".to_owned(), member);
            }
        }
        policy
    }

    async fn calendars(&mut self, members: &mut Map<String, Value>) -> Result<(), CliError> {
        for view in all(self.api, "api/booking/calendar/integrations").await? {
            let (Some(member), Some(connection)) = (
                self.members.get(text(&view, "member_id")),
                self.connections.get(text(&view, "connection_id")),
            ) else {
                continue;
            };
            let mut calendar = some(&view, &["calendar", "reads", "writes"]);
            calendar.insert("connection".to_owned(), connection.as_str().into());
            let target =
                Target::Calendar(member.clone(), connection.clone(), text(&view, "calendar").to_owned());
            self.ids.insert(target, text(&view, "id").to_owned());
            push_item(members.get_mut(member), "calendars", calendar.into());
        }
        Ok(())
    }

    /// Rules of members, listings and event types.
    async fn lists(
        &mut self,
        members: &mut Map<String, Value>,
        listings: &mut Map<String, Value>,
    ) -> Result<(), CliError> {
        for kind in Rules::ALL {
            for mut view in all(self.api, kind.path()).await? {
                let owner = if let Some(key) = self.members.get(text(&view, "member_id")) {
                    Owner::Member(key.clone())
                } else if let Some(slug) = self.listings.get(text(&view, "listing_id")) {
                    Owner::Listing(slug.clone())
                } else if let Some((listing, slug)) = self.event_types.get(text(&view, "event_type_id")) {
                    Owner::EventType(listing.clone(), slug.clone())
                } else {
                    // Of a listing or an event type that is archived.
                    continue;
                };
                let id = text(&view, "id").to_owned();
                if let Some(members) = view.as_object_mut() {
                    for name in [
                        "id",
                        "member_id",
                        "listing_id",
                        "event_type_id",
                        "revision",
                        "created_at",
                        "updated_at",
                    ] {
                        members.remove(name);
                    }
                }
                let object = match &owner {
                    Owner::Member(key) => members.get_mut(key),
                    Owner::Listing(slug) => listings.get_mut(slug),
                    Owner::EventType(listing, slug) => listings
                        .get_mut(listing)
                        .and_then(|listing| listing.get_mut("event_types")?.get_mut(slug)),
                };
                if push_item(object, kind.name(), view) {
                    self.rules.entry(Target::Rules(owner, kind)).or_default().push(id);
                }
            }
        }
        Ok(())
    }

    /// The latest version of each.
    async fn consent_texts(&mut self) -> Result<Map<String, Value>, CliError> {
        let mut texts = Map::new();
        // By age: a later one stands in place of an earlier one.
        for view in all(self.api, "api/privacy/texts").await? {
            let (purpose, language) = (text(&view, "purpose"), text(&view, "language"));
            let languages = texts.entry(purpose).or_insert_with(|| json!({}));
            if let Some(languages) = languages.as_object_mut() {
                languages.insert(language.to_owned(), text(&view, "text").into());
            }
            let target = Target::ConsentText(purpose.to_owned(), language.to_owned());
            self.ids.insert(target, text(&view, "id").to_owned());
        }
        Ok(texts)
    }
}

/// Is it in the list? Not if what has the list is archived.
fn push_item(object: Option<&mut Value>, list: &str, item: Value) -> bool {
    let members = object.and_then(Value::as_object_mut);
    let list = members.and_then(|members| members.entry(list).or_insert_with(|| json!([])).as_array_mut());
    list.is_some_and(|items| {
        items.push(item);
        true
    })
}

fn push_member(objects: &mut Map<String, Value>, of: &str, section: &str, key: &str, member: Value) {
    let Some(members) = objects.get_mut(of).and_then(Value::as_object_mut) else { return };
    if let Some(section) = members.entry(section).or_insert_with(|| json!({})).as_object_mut() {
        section.insert(key.to_owned(), member);
    }
}

/// Where a credential could be, for whoever applies the document elsewhere.
fn placeholder(connection: &str, credential: &str) -> String {
    let name = format!("berth {connection} {credential}");
    let name: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
    format!("env:{name}")
}
