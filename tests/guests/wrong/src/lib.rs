//! The template's provider with one misdeed, chosen by a setting. For each case of the conformance suite there is one.

#[path = "../../../../plugins/template/src/api.rs"]
mod api;
mod blocks;
mod booking_edits;
mod bookings;
#[path = "../../../../plugins/template/src/map.rs"]
mod map;

use berth_sdk::{
    Availability, Catalog, Clients, Connection, Links, Result, Webhooks,
    http::Client,
    state, time,
    types::{
        Account, Attendee, BookingLink, BusyQuery, BusyTime, ClientPage, EventType, EventTypePage, Interval,
        LinkRequest, PageRequest, ProviderError, QuerySpans, Slot, SlotQuery, SubscribeRequest, Subscription,
        VendorError, WebhookOutcome, WebhookRequest,
    },
};
use serde::Deserialize;

use crate::api::Api;

pub struct Wrong {
    api: Api,
    base_url: String,
    misdeed: String,
}

#[derive(Deserialize)]
struct Settings {
    base_url: String,
    #[serde(default)]
    misdeed: String,
}

impl Wrong {
    fn does(&self, misdeed: &str) -> bool {
        self.misdeed == misdeed
    }

    fn client(&self) -> Client {
        Client::live(&self.base_url)
    }
}

impl Connection for Wrong {
    fn open() -> Result<Self> {
        let Settings { base_url, misdeed } = berth_sdk::settings::get()?;
        Ok(Self { api: Api::new(&base_url), base_url, misdeed })
    }

    fn validate(&self) -> Result<Account> {
        if self.does("asks_foreign_hosts") {
            drop(Client::live("https://elsewhere.example").get("/").send());
        }
        let answer = self.api.account().map_err(|error| match error {
            ProviderError::Forbidden(_) if self.does("swaps_refusals") => ProviderError::Unauthorised,
            other => other,
        })?;
        match map::account(&answer) {
            Err(_) if self.does("traps") => panic!("no account"),
            Ok(account) if self.does("has_no_account") => Ok(Account { id: String::new(), ..account }),
            other => other,
        }
    }
}

impl Catalog for Wrong {
    fn list_event_types(&self, page: PageRequest) -> Result<EventTypePage> {
        let token = page.token.as_deref().filter(|_| !self.does("forgets_the_page"));
        let mut first = map::services(&self.api.services(token, page.limit)?)?;
        while self.does("pages_for_ever") && first.next.is_some() {
            // Whatever happens, the next page must come.
            if let Ok(next) = self.api.services(first.next.as_deref(), page.limit) {
                let next = map::services(&next)?;
                first.items.extend(next.items);
                first.next = next.next;
            }
        }
        Ok(first)
    }

    fn resolve_link(&self, url: String) -> Result<EventType> {
        let all = map::services(&self.api.services(None, 50)?)?.items;
        let wanted =
            if self.does("resolves_wrongly") { "svc_2" } else { url.rsplit('/').next().unwrap_or_default() };
        all.into_iter().find(|e| e.id == wanted).ok_or(ProviderError::NotFound)
    }
}

impl Availability for Wrong {
    fn spans() -> QuerySpans {
        if let Ok(Settings { base_url, misdeed }) = berth_sdk::settings::get()
            && misdeed == "asks_in_spans"
        {
            drop(Client::live(&base_url).get("/v1/account").send());
        }
        QuerySpans { free_slots_days: 31, busy_days: 31 }
    }

    fn free_slots(&self, query: SlotQuery) -> Result<Vec<Slot>> {
        let mut slots = map::openings(&self.api.openings(&query.event_type, query.within)?)?;
        if self.does("tells_slots_backwards") {
            slots.reverse();
        }
        Ok(slots)
    }

    fn busy(&self, query: BusyQuery) -> Result<Vec<BusyTime>> {
        let hour = |n: i64| {
            let start = query.within.start + n * 3_600_000_000;
            BusyTime { when: Interval { start, end: start + 60_000_000 }, source: None }
        };
        let closed: serde_json::Value = self.client().get("/v1/closures").fetch()?;
        let closed = closed.get("items").and_then(|items| items.as_array()).cloned().unwrap_or_default();
        let closed = closed.iter().map(blocks::block).collect::<Result<Vec<_>>>()?;
        let mut times = vec![hour(0), hour(1)];
        times.extend(closed.into_iter().map(|b| BusyTime { when: b.when, source: Some(b.id) }));
        times.sort_by_key(|t| (t.when.start, t.when.end));
        if self.does("tells_busy_backwards") {
            times.reverse();
        }
        Ok(times)
    }
}

impl Links for Wrong {
    fn create_booking_link(&self, request: LinkRequest) -> Result<BookingLink> {
        self.api.account()?;
        let scheme = if self.does("makes_plain_links") { "http" } else { "https" };
        Ok(BookingLink { url: format!("{scheme}://acme.example/{}", request.event_type), expires_at: None })
    }
}

impl Webhooks for Wrong {
    fn subscribe(&self, request: SubscribeRequest) -> Result<Subscription> {
        let mut url = request.callback_url;
        if self.does("subscribes_again") {
            let count: u32 = state::get_json("count").ok().flatten().unwrap_or(0) + 1;
            let _ = state::set_json("count", &count);
            url = format!("{url}?{count}");
        }
        map::webhook(&self.api.create_webhook(&url)?)
    }

    fn unsubscribe(&self, subscription: Subscription) -> Result<()> {
        match self.api.delete_webhook(&subscription.id) {
            Err(ProviderError::NotFound) => Ok(()),
            answer => answer,
        }
    }

    fn handle(&self, request: WebhookRequest) -> Result<WebhookOutcome> {
        if self.does("reads_differently") && state::get_json::<bool>("read").ok().flatten() == Some(true) {
            return Ok(WebhookOutcome { events: Vec::new(), reply: None });
        }
        let _ = state::set_json("read", &true);
        match map::message(&request.body) {
            Err(_) if self.does("traps_on_messages") => panic!("no message"),
            other => other,
        }
    }
}

impl Clients for Wrong {
    fn list_clients(&self, _page: PageRequest) -> Result<ClientPage> {
        self.api.account()?;
        let person = Attendee {
            name: "Ada Example".to_owned(),
            email: None,
            phone: None,
            time_zone: "Europe/Lisbon".to_owned(),
            language: None,
        };
        let ada = berth_sdk::types::Client { id: "1".to_owned(), person, raw: "{}".to_owned() };
        let twice = if self.does("lists_clients_twice") { vec![ada.clone()] } else { Vec::new() };
        Ok(ClientPage { items: [vec![ada], twice].concat(), next: None })
    }

    fn erase_client(&self, id: String) -> Result<()> {
        let client = self.client();
        let mut request = client.delete(&format!("/v1/webhooks/{id}"));
        if self.does("sends_its_own_key") {
            request = request.header("authorization", "Bearer mine");
        }
        match request.send().map(drop) {
            Err(ProviderError::Unauthorised) if self.does("forgets_who_it_is") => {
                Err(ProviderError::NotFound)
            }
            Err(ProviderError::RateLimited(Some(_))) if self.does("forgets_the_wait") => {
                Err(ProviderError::RateLimited(None))
            }
            Err(ProviderError::RateLimited(None)) if self.does("sees_no_limit") => {
                Err(ProviderError::Unavailable(None))
            }
            Err(ProviderError::Unavailable(_)) if self.does("blames_the_vendor") => {
                let message = "broken".to_owned();
                Err(ProviderError::Vendor(VendorError { status: 500, code: String::new(), message }))
            }
            Err(ProviderError::NotFound) => Ok(()),
            answer => answer,
        }
    }
}

/// The time of the change of clocks that the suite asks about.
fn after_the_change(at: i64) -> bool {
    time::parse("2030-03-31T01:00:00Z").is_some_and(|change| at >= change)
}

berth_sdk::export!(Wrong: catalog, availability, bookings, links, webhooks, clients, blocks, booking_edits; manifest = "plugin.toml");
