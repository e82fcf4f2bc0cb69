//! Links by which customers see, cancel and move their own bookings, without a key.
//!
//! A token names tenant and booking and carries a tag that only this engine can make. Nothing is stored: it is made when it is asked
//! for, and is as good for as long as the booking is kept.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use berth_model::{
    bookings::booking::Booking,
    catalog::{event_type::EventTypeRecord, listing::ListingRecord},
    connections::secret::Secret,
    id::{BookingId, TenantId},
    problem::Problem,
    time::Instant,
};

use crate::{Caller, Outcome, bookings::Bookings};

/// What the tags of these links are for.
const PURPOSE: &str = "manage";
/// Bytes of the ids in a token.
const IDS_BYTES: usize = 32;

/// A link to a booking.
#[derive(Debug, Clone)]
pub struct ManageLink {
    /// What proves that somebody is the customer.
    pub token: Secret,
    /// Where they use it; none if the engine does not know its own address.
    pub url: Option<Secret>,
}

/// A booking as its customer sees it.
#[derive(Debug, Clone)]
pub struct Managed {
    /// The booking.
    pub booking: Booking,
    /// Of what.
    pub event_type: EventTypeRecord,
    /// Where.
    pub listing: ListingRecord,
    /// Names of those who take part, the organiser first.
    pub members: Vec<String>,
}

impl Managed {
    /// Last moment at which the customer may cancel.
    #[must_use]
    pub fn cancel_until(&self) -> Instant {
        self.until(self.event_type.policy.cancel_cutoff_minutes)
    }

    /// Last moment at which the customer may move it.
    #[must_use]
    pub fn reschedule_until(&self) -> Instant {
        self.until(self.event_type.policy.reschedule_cutoff_minutes)
    }

    fn until(&self, cutoff_minutes: Option<u32>) -> Instant {
        self.booking.when.start().plus_minutes(-i64::from(cutoff_minutes.unwrap_or(0)))
    }
}

impl Bookings {
    /// The link of a booking's customer.
    pub async fn manage_link(&self, caller: &Caller, id: BookingId) -> Outcome<ManageLink> {
        let booking = self.booking(caller, id).await?;
        let mut bytes = [booking.tenant.uuid().as_bytes().as_slice(), booking.id.uuid().as_bytes()].concat();
        let tag = self.base.store().tag(PURPOSE, &bytes)?;
        bytes.extend_from_slice(&tag);
        let token = URL_SAFE_NO_PAD.encode(bytes);
        let base = self.public_url.as_ref();
        let url = base.map(|base| format!("{}/api/booking/manage/{token}", base.trim_end_matches('/')));
        Ok(ManageLink { token: Secret::new(token), url: url.map(Secret::new) })
    }

    /// Whose link this is: the customer as a caller, and their booking. Every token that is not ours looks the same.
    pub fn customer_of(&self, token: &str, request_id: &str) -> Outcome<(Caller, BookingId)> {
        let unknown = || Problem::not_found("booking link");
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| unknown())?;
        let (ids, tag) = bytes.split_at_checked(IDS_BYTES).ok_or_else(unknown)?;
        if !self.base.store().is_tagged(PURPOSE, ids, tag) {
            return Err(unknown());
        }
        let id = |bytes: &[u8]| <[u8; 16]>::try_from(bytes).map(uuid::Uuid::from_bytes).ok();
        let (tenant, booking) = ids.split_at_checked(IDS_BYTES / 2).ok_or_else(unknown)?;
        let (tenant, booking) = id(tenant).zip(id(booking)).ok_or_else(unknown)?;
        let caller = Caller {
            tenant: TenantId::from_uuid(tenant),
            actor: "customer".to_owned(),
            request_id: request_id.to_owned(),
            idempotency_key: None,
        };
        Ok((caller, BookingId::from_uuid(booking)))
    }

    /// A booking as its customer sees it.
    pub async fn managed(&self, customer: &Caller, id: BookingId) -> Outcome<Managed> {
        let booking = self.booking(customer, id).await?;
        let ctx = self.base.store().booking_setup(customer.tenant, booking.event_type).await?.records;
        let mut members = Vec::new();
        for id in booking.members() {
            // Who cannot be booked any more still comes to what was booked before.
            match ctx.members.iter().find(|member| member.id == id) {
                Some(member) => members.push(member.name.clone()),
                None => members.push(self.catalog.member(customer, id).await?.name),
            }
        }
        let (event_type, listing) = (ctx.event_type.clone(), ctx.listing.clone());
        Ok(Managed { booking, event_type, listing, members })
    }
}
