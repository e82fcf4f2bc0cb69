//! Bookings in people's calendars: an invitation for each, and private feeds of members and listings.

use std::collections::{BTreeMap, btree_map::Entry};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use berth_model::{
    bookings::booking::{Booking, BookingStatus},
    budget::Budget,
    calendars::ics::{self, IcsEvent, IcsMethod, IcsPerson, IcsStatus},
    catalog::{event_type::EventTypeRecord, listing::ListingRecord, member::MemberRecord},
    connections::secret::Secret,
    id::{BookingId, EventTypeId, MemberId},
    limits::{FEED_BACK_SECONDS, FEED_EVENTS_MAX, FEED_FORWARD_SECONDS},
    masked,
    problem::Problem,
    time::Interval,
    zone::Zone,
};
use berth_store::records::{BookingFilter, FeedSubject};
use ring::digest::{SHA256, digest};

use crate::{Caller, Outcome, calendars::Calendars};

fn hash(token: &str) -> [u8; 32] {
    let mut out = [0; 32];
    for (to, from) in out.iter_mut().zip(digest(&SHA256, token.as_bytes()).as_ref()) {
        *to = *from;
    }
    out
}

impl Calendars {
    /// The invitation of a booking, or its withdrawal when it is cancelled or failed, as iCalendar; with or without the addresses of the
    /// customer, of guests, and those that stand in the notes.
    pub async fn invitation(&self, caller: &Caller, id: BookingId, with_addresses: bool) -> Outcome<String> {
        let mut booking = self.base.store().booking(caller.tenant, id).await?;
        if !with_addresses {
            booking.attendee.email = None;
            booking.guests.clear();
            booking.notes = booking.notes.as_deref().map(masked::words);
        }
        let ctx = self.base.store().booking_setup(caller.tenant, booking.event_type).await?.records;
        let (listing, event_type) = (&ctx.listing, &ctx.event_type);
        let mut people = Vec::new();
        for member in booking.members() {
            people.push(self.base.store().member(caller.tenant, member).await?);
        }
        let mut event = event(&booking, event_type, &people, listing.time_zone, Some(listing));
        let zone = booking.attendee.time_zone.parse().unwrap_or(listing.time_zone);
        event.zone = zone;
        let gone = event.status == IcsStatus::Cancelled;
        Ok(ics::invitation(&event, if gone { IcsMethod::Cancel } else { IcsMethod::Request }))
    }

    /// Give a feed a new token; the one it had opens nothing any more.
    pub async fn rotate_feed(&self, caller: &Caller, subject: FeedSubject) -> Outcome<Secret> {
        self.check_subject(caller, subject).await?;
        let mut bytes = [0; 32];
        self.base.random().fill(&mut bytes);
        let token = URL_SAFE_NO_PAD.encode(bytes);
        let set =
            self.base.store().set_feed(caller.tenant, subject, hash(&token), self.base.audit(caller)).await;
        set?;
        Ok(Secret::new(token))
    }

    /// End a feed.
    pub async fn remove_feed(&self, caller: &Caller, subject: FeedSubject) -> Outcome<()> {
        Ok(self.base.store().remove_feed(caller.tenant, subject, self.base.audit(caller)).await?)
    }

    /// Where a feed is read; none if the engine does not know its own address.
    #[must_use]
    pub fn feed_url(&self, token: &Secret) -> Option<Secret> {
        let base = self.public_url.as_ref()?;
        Some(Secret::new(format!(
            "{}/api/booking/feed.ics?token={}",
            base.trim_end_matches('/'),
            token.expose()
        )))
    }

    /// Whose feed a token opens, and for whom. Every token that is not ours looks the same.
    pub async fn feed_of(&self, token: &str, request_id: &str) -> Outcome<(Caller, FeedSubject)> {
        let found = self.base.store().feed(hash(token)).await?;
        let (tenant, subject) = found.ok_or_else(|| Problem::not_found("feed"))?;
        self.tenants.check_tenant(tenant).await?;
        let caller = Caller {
            tenant,
            actor: "feed".to_owned(),
            request_id: request_id.to_owned(),
            idempotency_key: None,
        };
        Ok((caller, subject))
    }

    /// The feed: bookings that are not cancelled, from [`FEED_BACK_SECONDS`] ago to [`FEED_FORWARD_SECONDS`] ahead, at most
    /// [`FEED_EVENTS_MAX`], by start.
    pub async fn feed(&self, caller: &Caller, subject: FeedSubject) -> Outcome<String> {
        let now = self.base.now();
        let (from, to) = (now.plus_seconds(-FEED_BACK_SECONDS), now.plus_seconds(FEED_FORWARD_SECONDS));
        let mut filter = BookingFilter { within: Interval::new(from, to).ok(), ..BookingFilter::default() };
        let (name, zone) = match subject {
            FeedSubject::Member(id) => {
                filter.member = Some(id);
                let member = self.base.store().member(caller.tenant, id).await?;
                (member.name, member.time_zone)
            }
            FeedSubject::Listing(id) => {
                filter.listing = Some(id);
                let listing = self.base.store().listing(caller.tenant, id).await?;
                (listing.title, listing.time_zone)
            }
        };
        let bookings = self.base.store().list_bookings(caller.tenant, filter, FEED_EVENTS_MAX).await;
        let mut bookings = bookings?;
        bookings.retain(|b| !matches!(b.status, BookingStatus::Cancelled | BookingStatus::Failed));
        // Each event type and each organiser is read once.
        let mut event_types: BTreeMap<EventTypeId, EventTypeRecord> = BTreeMap::new();
        let mut members: BTreeMap<MemberId, MemberRecord> = BTreeMap::new();
        for booking in &bookings {
            if let Entry::Vacant(unread) = event_types.entry(booking.event_type) {
                let record = self.base.store().event_type(caller.tenant, booking.event_type).await;
                unread.insert(record?);
            }
            if let Entry::Vacant(unread) = members.entry(booking.member) {
                let record = self.base.store().member(caller.tenant, booking.member).await;
                unread.insert(record?);
            }
        }
        let written = move |budget: &Budget| {
            budget.spend_each(bookings.len())?;
            let events = bookings.iter().filter_map(|booking| {
                let organiser = members.get(&booking.member).map(std::slice::from_ref).unwrap_or_default();
                Some(event(booking, event_types.get(&booking.event_type)?, organiser, zone, None))
            });
            Ok(ics::feed(&name, &events.collect::<Vec<_>>()))
        };
        self.computing.run(caller.tenant, written).await
    }

    async fn check_subject(&self, caller: &Caller, subject: FeedSubject) -> Outcome<()> {
        match subject {
            FeedSubject::Member(id) => self.base.store().member(caller.tenant, id).await.map(drop),
            FeedSubject::Listing(id) => self.base.store().listing(caller.tenant, id).await.map(drop),
        }
        .map_err(Problem::from)
    }
}

/// A mailbox if it is known; else a name that is nobody's mailbox.
fn person(name: &str, email: Option<&str>, id: uuid::Uuid) -> IcsPerson {
    IcsPerson { name: name.to_owned(), address: email.map(str::to_owned).ok_or(id) }
}

fn event(
    booking: &Booking,
    event_type: &EventTypeRecord,
    members: &[MemberRecord],
    zone: Zone,
    listing: Option<&ListingRecord>,
) -> IcsEvent {
    let customer = &booking.attendee;
    let mut people = members.iter().map(|m| person(&m.name, m.email.as_deref(), m.id.uuid()));
    let organiser = people.next().unwrap_or_else(|| person(&event_type.title, None, booking.member.uuid()));
    let customer_person = person(&customer.name, customer.email.as_deref(), booking.id.uuid());
    let guests = booking.guests.iter().map(|guest| person(guest, Some(guest), booking.id.uuid()));
    let status = match booking.status {
        BookingStatus::Pending => IcsStatus::Tentative,
        BookingStatus::Confirmed | BookingStatus::Completed | BookingStatus::NoShow => IcsStatus::Confirmed,
        BookingStatus::Cancelled | BookingStatus::Failed => IcsStatus::Cancelled,
    };
    IcsEvent {
        uid: format!("{}@berth", booking.id),
        sequence: booking.sequence,
        stamp: booking.updated_at,
        when: booking.when,
        zone,
        status,
        // The customer knows who they are; the business wants to know who comes.
        summary: match listing {
            Some(listing) => format!("{} – {}", event_type.title, listing.title),
            None => format!("{}: {}", event_type.title, customer.name),
        },
        description: booking.notes.clone(),
        location: booking.place().map(str::to_owned),
        meeting_url: booking.meeting_url().map(str::to_owned),
        organiser,
        attendees: [customer_person].into_iter().chain(people).collect(),
        guests: guests.collect(),
    }
}
