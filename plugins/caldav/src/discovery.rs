//! From an address to the calendars of an account (RFC 6764 section 6, RFC 4791 section 7.1, RFC 6638 section 9.2).

use berth_sdk::{
    Result, log, state,
    types::{Account, ProviderError},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    CalDav, dav, errors,
    map::{
        calendars::{Calendar, calendars},
        href, query,
        reading::Own,
        xml::{Multistatus, Resource},
    },
};

/// Where servers say where `CalDAV` is (RFC 6764 section 5).
const WELL_KNOWN: &str = "/.well-known/caldav";
/// Entry of the state that holds [`Found`].
const FOUND: &str = "found";
/// Homes of one account that are looked at.
const HOMES_MAX: usize = 3;
/// Addresses of one account that are remembered.
const ADDRESSES_MAX: usize = 20;
/// Calendars that an error lists: enough to find the one that was meant.
const NAMED_MAX: usize = 10;

/// What was found for an account. URLs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Found {
    /// From where it was looked for, and the calendar that was asked for: another setting makes it worthless.
    asked: (String, String),
    homes: Vec<String>,
    /// The calendar that bookings are written to.
    calendar: String,
    own: Own,
}

/// A principal with what is known of it.
struct Principal {
    url: String,
    name: Option<String>,
    email: Option<String>,
    homes: Vec<String>,
    inbox: Option<String>,
    own: Own,
}

impl CalDav {
    /// The account, looked for anew.
    pub(crate) fn account(&self) -> Result<Account> {
        let (principal, found, calendars) = self.look()?;
        let own_name = href::name(href::path(&principal.url));
        let names = [principal.name, principal.email.clone(), Some(own_name), Some(principal.url.clone())];
        let booked = calendars.iter().find(|calendar| calendar.url == found.calendar);
        Ok(Account {
            id: self.server.id(&principal.url),
            name: names.into_iter().flatten().find(|name| !name.is_empty()).unwrap_or_default(),
            email: principal.email,
            time_zone: booked.and_then(|calendar| calendar.time_zone.clone()),
            raw: json!({ "principal": principal.url, "calendar-home-set": found.homes, "calendar": found.calendar })
                .to_string(),
        })
    }

    /// Every calendar of the account, the URL of the one that bookings are written to, and who the account is in events.
    pub(crate) fn calendars(&self) -> Result<(Vec<Calendar>, String, Own)> {
        if let Some(found) = self.known() {
            match calendars_at(&found.homes) {
                Ok(calendars) => return Ok((calendars, found.calendar, found.own)),
                // They moved since.
                Err(error) if errors::is_nothing_there(&error) => {}
                Err(error) => return Err(error),
            }
        }
        let (_, found, calendars) = self.look()?;
        Ok((calendars, found.calendar, found.own))
    }

    /// URL of the calendar that bookings are written to.
    pub(crate) fn calendar(&self) -> Result<String> {
        if !self.settings.calendar.is_empty() {
            return Ok(self.server.folder(&self.settings.calendar));
        }
        match self.known() {
            Some(found) => Ok(found.calendar),
            None => self.look().map(|(_, found, _)| found.calendar),
        }
    }

    /// Who the account is in events.
    pub(crate) fn own(&self) -> Result<Own> {
        match self.known() {
            Some(found) => Ok(found.own),
            None => self.look().map(|(_, found, _)| found.own),
        }
    }

    /// What an earlier call found.
    fn known(&self) -> Option<Found> {
        let found: Option<Found> = state::get_json(FOUND).unwrap_or_default();
        found.filter(|found| found.asked == self.asked())
    }

    /// Go the whole way, and remember where it led.
    fn look(&self) -> Result<(Principal, Found, Vec<Calendar>)> {
        let principal = self.principal()?;
        let calendars = calendars_at(&principal.homes)?;
        let calendar = self.chosen(&principal, &calendars)?.url.clone();
        let (homes, own) = (principal.homes.clone(), principal.own.clone());
        let found = Found { asked: self.asked(), homes, calendar, own };
        if state::set_json(FOUND, &found).is_err() {
            log::warn("what was found was not kept; the next call looks again");
        }
        Ok((principal, found, calendars))
    }

    fn asked(&self) -> (String, String) {
        (self.server.base().to_owned(), self.settings.calendar.clone())
    }

    /// From the address of the settings to the principal. With a path that path comes first, else the well-known one.
    fn principal(&self) -> Result<Principal> {
        let base = self.server.base();
        let well_known = href::resolve(base, WELL_KNOWN);
        let mut places = vec![base.to_owned(), well_known];
        if href::path(base) == "/" {
            places.reverse();
        }
        for place in places {
            match dav::properties_wherever(&place, query::ENTRY) {
                Ok((url, answer)) => {
                    if let Some(principal) = principal_at(&url, &answer)? {
                        return Ok(principal);
                    }
                }
                Err(error) if errors::is_nothing_there(&error) => {}
                Err(error) => return Err(error),
            }
        }
        let message = "No calendars are found from there: give the address that the server names for CalDAV.";
        Err(ProviderError::invalid("settings.base_url", message))
    }

    /// The calendar of the settings, which must be there and be writable, or the account's default.
    fn chosen<'a>(&self, principal: &Principal, all: &'a [Calendar]) -> Result<&'a Calendar> {
        let writable = || all.iter().filter(|calendar| calendar.writable);
        let chosen = if self.settings.calendar.is_empty() {
            let default = default_of(principal)?;
            writable().find(|calendar| Some(&calendar.url) == default.as_ref()).or_else(|| writable().next())
        } else {
            let wanted = self.server.folder(&self.settings.calendar);
            writable().find(|calendar| calendar.url == wanted)
        };
        chosen.ok_or_else(|| {
            let ids: Vec<String> =
                writable().take(NAMED_MAX).map(|calendar| self.server.id(&calendar.url)).collect();
            let message = if ids.is_empty() {
                "the account has no calendar that it may write events to; make one".to_owned()
            } else {
                format!("must be a calendar that the account may write events to: {}", ids.join(", "))
            };
            ProviderError::invalid("settings.calendar", message)
        })
    }
}

fn principal_at(url: &str, answer: &Multistatus) -> Result<Option<Principal>> {
    let Some(entry) = answer.resources.first() else { return Ok(None) };
    // It is somebody's, but the server does not know whose (RFC 5397 section 3).
    if entry.contains("current-user-principal", "unauthenticated") {
        return Err(ProviderError::Unauthorised);
    }
    let own = entry.has("calendar-home-set").then_some(url.to_owned());
    let named = entry.hrefs("current-user-principal").first().map(|href| href::resolve(url, href));
    let Some(principal) = named.or(own) else { return Ok(None) };
    let answer = dav::properties(&principal, query::PRINCIPAL)?;
    let Some(told) = answer.resources.first() else { return Ok(None) };
    let homes = told.hrefs("calendar-home-set").iter().take(HOMES_MAX);
    let homes: Vec<String> = homes.map(|href| href::resolve(&principal, href)).collect();
    if homes.is_empty() {
        return Ok(None);
    }
    Ok(Some(Principal {
        name: told.text("displayname").map(str::to_owned),
        email: mailbox(told),
        own: account_in(told, &principal),
        inbox: told.hrefs("schedule-inbox-URL").first().map(|href| href::resolve(&principal, href)),
        homes,
        url: principal,
    }))
}

fn calendars_at(homes: &[String]) -> Result<Vec<Calendar>> {
    let mut all = Vec::new();
    for home in homes {
        all.extend(calendars(&dav::list(home, query::CALENDAR)?, home));
    }
    Ok(all)
}

/// Where the server itself puts invitations; few servers tell.
fn default_of(principal: &Principal) -> Result<Option<String>> {
    let Some(inbox) = &principal.inbox else { return Ok(None) };
    match dav::properties(inbox, query::INBOX) {
        Ok(answer) => Ok(answer.resources.first().and_then(|resource| {
            resource
                .hrefs("schedule-default-calendar-URL")
                .first()
                .map(|href| href::folder(&href::resolve(inbox, href)))
        })),
        Err(ProviderError::Forbidden(_)) => Ok(None),
        Err(error) if errors::is_nothing_there(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Who the principal is in events.
fn account_in(principal: &Resource, url: &str) -> Own {
    let addresses = principal.hrefs("calendar-user-address-set").iter().take(ADDRESSES_MAX);
    Own {
        addresses: addresses.map(|address| address.to_ascii_lowercase()).collect(),
        name: href::name(href::path(url)).to_ascii_lowercase(),
    }
}

/// The principal's mailbox, if one of its addresses is one.
fn mailbox(principal: &Resource) -> Option<String> {
    let mut addresses = principal.hrefs("calendar-user-address-set").iter();
    addresses.find_map(|address| address.strip_prefix("mailto:")).map(str::to_owned)
}
