//! Connecting a member's calendar in one step: whose it is and at which provider, by the names that the caller has for both; with a token, the
//! connection is made, too.

use berth_model::{
    calendars::calendar::CalendarRecord,
    connections::{connection::ConnectionRecord, given::GivenCredentials, secret::Secret},
    id::{ConnectionId, ListingId, MemberId},
    outbound::provider::ExternalId,
    plugins::manifest::{CredentialKind, Manifest, PluginId, folded},
    problem::{Code, FieldError, Problem},
};
use berth_store::StoreError;
use serde_json::{Value, json};

use crate::{
    Caller, NewConnection, Outcome,
    calendars::{Calendars, connected::NewCalendar},
    connections::oauth::oauth_credentials,
};

/// Whose calendar it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CalendarOwner {
    /// This member's.
    Member(MemberId),
    /// That of the member whom the tenant calls so.
    User(String),
}

/// A calendar to be connected.
#[derive(Debug)]
pub struct NewIntegration {
    /// Whose it is.
    pub owner: CalendarOwner,
    /// Over which connection; none: over the one to `provider`.
    pub connection: Option<ConnectionId>,
    /// The name of its provider, or an alias.
    pub provider: Option<PluginId>,
    /// For which listing, where a connection is looked for or made.
    pub listing: Option<ListingId>,
    /// A token of theirs, with which a connection is made.
    pub access_token: Option<Secret>,
    /// Settings of that connection.
    pub settings: Option<Value>,
    /// The provider's id of it.
    pub calendar: ExternalId,
    /// See [`NewCalendar`].
    pub reads: bool,
    /// See [`NewCalendar`].
    pub writes: bool,
}

/// The setting by which calendars' providers name the one that is written to.
const CALENDAR_SETTING: &str = "calendar";

fn invalid(field: &str, message: &str) -> Problem {
    Problem::invalid(vec![FieldError::new(field, message)])
}

/// The credential that a token is: the one of that name, or else the only one that is pasted and sent as a bearer token.
fn token_credential(manifest: &Manifest) -> Option<&str> {
    let pasted = |name: &&String| {
        manifest.credentials.get(*name).is_some_and(|spec| spec.kind == CredentialKind::ApiKey)
    };
    let mut names = manifest.credentials.keys().filter(pasted);
    if let Some(named) = names.clone().find(|name| folded(name) == "accesstoken") {
        return Some(named);
    }
    let is_bearer = |name: &&String| {
        let attached = manifest.credentials.get(*name).map(|spec| spec.attach.as_slice()).unwrap_or_default();
        attached.iter().any(|attach| attach.format == "Bearer {}")
    };
    let only = names.next().filter(is_bearer)?;
    names.next().is_none().then_some(only)
}

fn consent_needed(plugin: &PluginId, what: &str) -> Problem {
    Problem::new(Code::ConsentNeeded, format!("{plugin} {what}")).with_hint(format!(
        "Send the person to the `url` of POST /api/booking-providers/oauth/start {{\"provider\": \"{plugin}\"}}, then name that connection \
         as connection_id."
    ))
}

impl Calendars {
    /// Connect a calendar by the names that the caller has for its owner and its provider.
    pub async fn integrate(&self, caller: &Caller, new: NewIntegration) -> Outcome<CalendarRecord> {
        let member = match &new.owner {
            CalendarOwner::Member(member) => *member,
            CalendarOwner::User(user) => match self.base.store().member_by_user(caller.tenant, user).await {
                Ok(member) => member.id,
                Err(StoreError::NotFound(_)) => {
                    return Err(invalid("/user_id", "no member has this user_id").with_hint(
                        "Add them with POST /api/booking/team, or set user_id of one with PATCH.",
                    ));
                }
                Err(error) => return Err(error.into()),
            },
        };
        let (connection, is_new) = self.connection_for(caller, &new).await?;
        let id = connection.id;
        let calendar = NewCalendar {
            member,
            connection: id,
            calendar: new.calendar,
            reads: new.reads,
            writes: new.writes,
        };
        match self.create_calendar(caller, calendar).await {
            Err(problem) if is_new => {
                // It was made for this calendar alone, and nothing refers to it yet.
                if let Err(error) = self.connections.delete_connection(caller, id, None).await {
                    tracing::warn!(%error, connection = %id, "a connection whose calendar was refused stays");
                }
                Err(problem)
            }
            made => made,
        }
    }

    /// The connection that it goes over, and whether it was made for it.
    async fn connection_for(
        &self,
        caller: &Caller,
        new: &NewIntegration,
    ) -> Outcome<(ConnectionRecord, bool)> {
        if new.access_token.is_none() && new.settings.is_some() {
            return Err(invalid("/settings", "are those of a connection that access_token makes"));
        }
        let Some(token) = &new.access_token else {
            return Ok((self.connection_there(caller, new).await?, false));
        };
        if new.connection.is_some() {
            let elsewhere =
                "makes a connection: leave connection_id out, or PATCH that connection's credentials";
            return Err(invalid("/access_token", elsewhere));
        }
        let Some(name) = new.provider.clone() else {
            return Err(invalid("/provider", "is needed with access_token"));
        };
        let plugin = self.connections.provider_named(name);
        let manifest = self.connections.active_manifest(&plugin)?;
        let Some(credential) = token_credential(&manifest) else {
            let takes_none =
                "takes no token that somebody else was given: Berth needs one that it can renew.";
            return Err(consent_needed(&plugin, takes_none));
        };
        let mut settings = new.settings.clone().unwrap_or_else(|| json!({}));
        let declares = manifest.settings_schema.pointer("/properties/calendar").is_some();
        if let Some(settings) = settings.as_object_mut()
            && declares
            && !settings.contains_key(CALENDAR_SETTING)
        {
            settings.insert(CALENDAR_SETTING.to_owned(), json!(new.calendar));
        }
        let given = self.connections.sort_given(&plugin, GivenCredentials::new(), settings)?;
        let new_connection = NewConnection {
            plugin,
            name: given.provider_name,
            listing: new.listing,
            settings: given.settings,
            credentials: [(credential.to_owned(), token.clone())].into(),
            granted_hosts: None,
            webhook_sources: None,
        };
        let mode = given.mode.unwrap_or_default();
        Ok((self.connections.create_connection_in(caller, new_connection, mode).await?, true))
    }

    /// The connection that is there already.
    async fn connection_there(&self, caller: &Caller, new: &NewIntegration) -> Outcome<ConnectionRecord> {
        let Some(name) = new.provider.clone() else {
            let Some(id) = new.connection else {
                return Err(invalid("/connection_id", "is needed, or provider"));
            };
            // One that is not there is refused by its field, with everything else that is wrong.
            return Ok(match self.base.store().connection(caller.tenant, id).await {
                Err(StoreError::NotFound(_)) => return Err(invalid("/connection_id", "no such connection")),
                found => found?,
            });
        };
        if let Some(id) = new.connection {
            return self.contexts.this_to(caller, id, name).await;
        }
        let listing = match new.listing {
            None => None,
            Some(id) => match self.base.store().listing(caller.tenant, id).await {
                Err(StoreError::NotFound(_)) => return Err(invalid("/listing_id", "no such listing")),
                found => Some(found?),
            },
        };
        let found = self.contexts.one_to(caller, listing.as_ref(), name.clone()).await;
        let plugin = self.connections.provider_named(name);
        match found {
            Err(problem) if problem.code == Code::NotConnected => {
                let manifest = self.connections.active_manifest(&plugin)?;
                if oauth_credentials(&manifest).is_empty() {
                    return Err(problem);
                }
                Err(consent_needed(&plugin, "is not connected yet: a person has to consent."))
            }
            found => found,
        }
    }
}
