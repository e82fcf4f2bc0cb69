//! The requests of Cal.com's API v2, one function each. Answers are the `data` of the envelope, as JSON.

use berth_sdk::{
    Result,
    http::{Client, RequestBuilder, Response, encode, message_of},
    time,
    types::{BusyQuery, Instant, ProviderError, SlotQuery},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    map::{self, CalendarKey},
    settings::Settings,
};

const VERSION: &str = "cal-api-version";
/// Webhooks on a page: the most that Cal.com gives.
const WEBHOOKS_PER_PAGE: u32 = 250;
/// A number of seconds below this is a span, above it a Unix time (2001).
const UNIX_TIME_SECONDS_MIN: i64 = 1_000_000_000;
/// What Cal.com says when a time is taken; it has no code for it.
const SLOT_TAKEN: &[&str] = &["already has booking at this time", "no_available_users", "not available"];

/// The API of one account.
pub(crate) struct Api {
    client: Client,
    versions: Versions,
}

struct Versions {
    bookings: String,
    slots: String,
    event_types: String,
}

#[derive(Deserialize)]
struct Envelope {
    data: Value,
    pagination: Option<Pagination>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pagination {
    has_next_page: bool,
}

/// One page of bookings.
pub(crate) struct BookingPage {
    pub(crate) items: Vec<Value>,
    pub(crate) has_next: bool,
}

/// Which bookings to list.
#[derive(Debug, Default)]
pub(crate) struct BookingFilter<'a> {
    pub(crate) status: Option<&'a str>,
    pub(crate) attendee_email: Option<&'a str>,
    pub(crate) created_after: Option<Instant>,
    pub(crate) updated_after: Option<Instant>,
    /// Name and direction of the order: `("sortUpdatedAt", "asc")`.
    pub(crate) sort: Option<(&'a str, &'a str)>,
    pub(crate) take: u32,
    pub(crate) skip: u32,
}

impl Api {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            client: Client::live(&settings.base_url).wait_hint(wait_hint),
            versions: Versions {
                bookings: settings.version_bookings.clone(),
                slots: settings.version_slots.clone(),
                event_types: settings.version_event_types.clone(),
            },
        }
    }

    pub(crate) fn now(&self) -> Instant {
        self.client.now()
    }

    pub(crate) fn me(&self) -> Result<Value> {
        data(self.client.get("/v2/me"))
    }

    pub(crate) fn event_types(&self) -> Result<Value> {
        data(self.client.get("/v2/event-types").header(VERSION, &self.versions.event_types))
    }

    pub(crate) fn event_types_by_link(&self, user: &str, slug: &str, org: Option<&str>) -> Result<Value> {
        let request = self.client.get("/v2/event-types").header(VERSION, &self.versions.event_types);
        data(request.query("username", user).query("eventSlug", slug).query_some("orgSlug", org))
    }

    pub(crate) fn event_type(&self, id: i64) -> Result<Value> {
        let path = format!("/v2/event-types/{id}");
        data(self.client.get(&path).header(VERSION, &self.versions.event_types))
    }

    pub(crate) fn create_private_link(&self, event_type: i64, uses: u32) -> Result<Value> {
        let path = format!("/v2/event-types/{event_type}/private-links");
        data(self.client.post(&path).json(&json!({ "maxUsageCount": uses.max(1) })))
    }

    pub(crate) fn slots(&self, event_type: i64, query: &SlotQuery) -> Result<Value> {
        let request = self
            .client
            .get("/v2/slots")
            .header(VERSION, &self.versions.slots)
            .query("eventTypeId", event_type.to_string())
            .query("start", time::format_millis(query.within.start))
            .query("end", time::format_millis(query.within.end))
            .query("timeZone", &query.time_zone)
            .query("format", "range")
            .query_some("duration", query.length_minutes.map(|m| m.to_string()))
            .query_some(
                "bookingUidToReschedule",
                query.rescheduling.as_deref().map(|id| map::split_id(id).0),
            );
        data(request)
    }

    pub(crate) fn calendars(&self) -> Result<Value> {
        data(self.client.get("/v2/calendars"))
    }

    /// Busy times of these calendars, in whole days of UTC.
    pub(crate) fn busy_times(&self, query: &BusyQuery, calendars: &[CalendarKey]) -> Result<Value> {
        let mut request = self
            .client
            .get("/v2/calendars/busy-times")
            .query("timeZone", "UTC")
            .query("dateFrom", day_of(query.within.start))
            .query("dateTo", day_of(query.within.end.saturating_add(time::DAY)));
        for (n, calendar) in calendars.iter().enumerate() {
            // The brackets must arrive as they are.
            request = request
                .query_raw(&format!("calendarsToLoad[{n}][credentialId]={}", calendar.credential_id))
                .query_raw(&format!("calendarsToLoad[{n}][externalId]={}", encode(&calendar.external_id)));
        }
        data(request)
    }

    pub(crate) fn create_booking(&self, body: &Value) -> Result<Value> {
        let client = self.client.clone().error_hint(slot_taken);
        data(client.post("/v2/bookings").header(VERSION, &self.versions.bookings).json(body))
    }

    pub(crate) fn booking(&self, uid: &str) -> Result<Value> {
        let path = format!("/v2/bookings/{}", encode(uid));
        data(self.client.get(&path).header(VERSION, &self.versions.bookings))
    }

    pub(crate) fn bookings(&self, filter: &BookingFilter<'_>) -> Result<BookingPage> {
        let mut request = self
            .client
            .get("/v2/bookings")
            .header(VERSION, &self.versions.bookings)
            .query_some("status", filter.status)
            .query_some("attendeeEmail", filter.attendee_email)
            .query_some("afterCreatedAt", filter.created_after.map(time::format_millis))
            .query_some("afterUpdatedAt", filter.updated_after.map(time::format_millis));
        if let Some((name, direction)) = filter.sort {
            request = request.query(name, direction);
        }
        let request = request.query("take", filter.take.to_string()).query("skip", filter.skip.to_string());
        let envelope: Envelope = request.fetch()?;
        let has_next = envelope.pagination.is_some_and(|p| p.has_next_page);
        Ok(BookingPage { items: map::one_or_many(envelope.data), has_next })
    }

    pub(crate) fn cancel_booking(&self, uid: &str, body: &Value) -> Result<Value> {
        let path = format!("/v2/bookings/{}/cancel", encode(uid));
        data(self.client.post(&path).header(VERSION, &self.versions.bookings).json(body))
    }

    pub(crate) fn reschedule_booking(&self, uid: &str, body: &Value) -> Result<Value> {
        let client = self.client.clone().error_hint(slot_taken);
        let path = format!("/v2/bookings/{}/reschedule", encode(uid));
        data(client.post(&path).header(VERSION, &self.versions.bookings).json(body))
    }

    /// Further guests.
    pub(crate) fn add_guests(&self, uid: &str, guests: &[&String]) -> Result<Value> {
        let guests: Vec<Value> = guests.iter().map(|email| json!({ "email": email })).collect();
        let path = format!("/v2/bookings/{}/guests", encode(uid));
        let body = json!({ "guests": guests });
        data(self.client.post(&path).header(VERSION, &self.versions.bookings).json(&body))
    }

    /// Another location.
    pub(crate) fn set_location(&self, uid: &str, location: &Value) -> Result<Value> {
        let path = format!("/v2/bookings/{}/location", encode(uid));
        let body = json!({ "location": location });
        data(self.client.patch(&path).header(VERSION, &self.versions.bookings).json(&body))
    }

    /// Webhooks of the account, from `skip` on, and whether there may be more.
    pub(crate) fn webhooks(&self, skip: u32) -> Result<(Vec<Value>, Option<u32>)> {
        let request = self.client.get("/v2/webhooks").query("take", WEBHOOKS_PER_PAGE.to_string());
        let items = map::one_or_many(data(request.query("skip", skip.to_string()))?);
        let full = u32::try_from(items.len()).is_ok_and(|n| n >= WEBHOOKS_PER_PAGE);
        Ok((items, full.then_some(skip + WEBHOOKS_PER_PAGE)))
    }

    /// Berth adds the secret to the body.
    pub(crate) fn create_webhook(&self, body: &Value) -> Result<Value> {
        data(self.client.post("/v2/webhooks").json(body))
    }

    /// Berth adds the secret to the body.
    pub(crate) fn update_webhook(&self, id: &str, body: &Value) -> Result<Value> {
        data(self.client.patch(&format!("/v2/webhooks/{}", encode(id))).json(body))
    }

    pub(crate) fn delete_webhook(&self, id: &str) -> Result<()> {
        self.client.delete(&format!("/v2/webhooks/{}", encode(id))).send().map(|_| ())
    }
}

fn data(request: RequestBuilder<'_>) -> Result<Value> {
    Ok(request.fetch::<Envelope>()?.data)
}

/// `2026-01-05` of an instant, in UTC.
fn day_of(instant: Instant) -> String {
    time::format(instant).chars().take(10).collect()
}

/// `X-RateLimit-Reset-<name>`: seconds left, or a Unix time. With several limits the longest counts. They are in every answer, and mean
/// something only where a limit is exceeded.
fn wait_hint(response: &Response, now: Instant) -> Option<u64> {
    if response.status != 429 {
        return None;
    }
    let resets = response.headers.iter().filter_map(|(name, value)| {
        name.to_ascii_lowercase().strip_prefix("x-ratelimit-reset")?;
        let number: i64 = value.trim().parse().ok()?;
        let millis = if number < UNIX_TIME_SECONDS_MIN {
            number.saturating_mul(1_000)
        } else {
            number.saturating_mul(1_000) - now / time::MILLISECOND
        };
        Some(millis.max(0).unsigned_abs())
    });
    resets.max().map(|ms| ms.min(berth_sdk::limits::RETRY_AFTER_MS_MAX))
}

/// Cal.com answers 400 to a taken slot as to any other mistake; only the text tells them apart.
fn slot_taken(response: &Response) -> Option<ProviderError> {
    let message = message_of(response).to_lowercase();
    let taken = matches!(response.status, 400 | 409) && SLOT_TAKEN.iter().any(|text| message.contains(text));
    taken.then(ProviderError::slot_taken)
}
