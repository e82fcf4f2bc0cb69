//! Holds: a slot is kept for a customer while they fill in a form.
//!
//! Whoever knows the hold's token may extend it and book it; only the token's SHA-256 is stored.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use berth_model::{
    bookings::hold::HoldRecord,
    connections::secret::Secret,
    id::{EventTypeId, HoldId, MemberId},
    limits::{HOLD_LIFE_SECONDS_MAX, HOLD_SECONDS, HOLD_SECONDS_MAX},
    time::{Instant, Interval},
};
use berth_store::{StoreError, records::NewHold};
use ring::digest::{SHA256, digest};

use super::create::hold_over;
use crate::{
    Caller, HoldClaim, Outcome,
    availability::{SlotSearch, length},
    bookings::Bookings,
    validate::Fields,
};

/// Shortest and longest token that a holder may bring, in bytes.
const TOKEN_BYTES: std::ops::RangeInclusive<usize> = 16..=200;

/// A slot to be held.
#[derive(Debug, Clone)]
pub struct HoldRequest {
    /// Of what.
    pub event_type: EventTypeId,
    /// When it starts.
    pub start: Instant,
    /// One of the event type's lengths; none: its first.
    pub length_minutes: Option<u32>,
    /// With whom; none: whoever is free and has least to do.
    pub member: Option<MemberId>,
    /// For so long, in seconds; none: [`HOLD_SECONDS`].
    pub seconds: Option<i64>,
    /// The holder's own token; none: one is made.
    pub token: Option<Secret>,
}

fn hash(token: &Secret) -> [u8; 32] {
    let mut out = [0; 32];
    for (to, from) in out.iter_mut().zip(digest(&SHA256, token.expose().as_bytes()).as_ref()) {
        *to = *from;
    }
    out
}

/// Check a number of seconds.
fn checked_seconds(fields: &mut Fields, seconds: Option<i64>) -> i64 {
    let seconds = seconds.unwrap_or(HOLD_SECONDS);
    if !(1..=HOLD_SECONDS_MAX).contains(&seconds) {
        fields.bad("/seconds", format!("must be 1 to {HOLD_SECONDS_MAX}"));
    }
    seconds
}

impl Bookings {
    /// Hold a slot. The token is the holder's; nobody can read it afterwards.
    pub async fn hold(&self, caller: &Caller, request: HoldRequest) -> Outcome<(HoldRecord, Secret)> {
        let mut fields = Fields::default();
        let seconds = checked_seconds(&mut fields, request.seconds);
        if let Some(token) = &request.token
            && !(TOKEN_BYTES.contains(&token.expose().len())
                && token.expose().bytes().all(|b| b.is_ascii_graphic()))
        {
            let (least, most) = TOKEN_BYTES.into_inner();
            fields.bad("/token", format!("must be {least} to {most} visible ASCII characters"));
        }
        fields.finish()?;
        let ctx = self.contexts.booking_context(caller, request.event_type, None).await?;
        self.catalog.check_bookable(&ctx).await?;
        ctx.must_have(request.member)?;
        let length_minutes = length(&ctx, request.length_minutes)?;
        let token = request.token.unwrap_or_else(|| {
            let mut bytes = [0; 32];
            self.base.random().fill(&mut bytes);
            Secret::new(URL_SAFE_NO_PAD.encode(bytes))
        });
        let search = SlotSearch { length_minutes, member: request.member, ..SlotSearch::of(length_minutes) };
        let when = Interval::of_minutes(request.start, length_minutes);
        let (assignments, _) = self.availability.assignments_at(caller, &ctx, request.start, search).await?;
        for assignment in assignments {
            let Some((member, other_members)) = assignment.members.split_first() else { continue };
            let now = self.base.now();
            let hold = HoldRecord {
                id: self.base.new_id(),
                tenant: caller.tenant,
                event_type: ctx.event_type.id,
                member: *member,
                other_members: other_members.to_vec(),
                when,
                token_hash: hash(&token),
                expires_at: now.plus_seconds(seconds),
                created_at: now,
            };
            let new = NewHold {
                hold: hold.clone(),
                padded: ctx.padded_by(when),
                seats: ctx.event_type.policy.seats.max(1),
            };
            match self.base.store().create_hold(new, self.base.audit(caller)).await {
                Ok(()) => return Ok((hold, token)),
                // Somebody was faster with these members; the next ones may still be free.
                Err(StoreError::Overlap) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(self.availability.not_available(caller, &ctx, request.start, search, "taken").await)
    }

    /// A hold that is not over.
    pub async fn held_slot(&self, caller: &Caller, id: HoldId) -> Outcome<HoldRecord> {
        Ok(self.base.store().hold(caller.tenant, id, self.base.now()).await?)
    }

    /// Keep a hold for so many seconds from now; its whole life is at most [`HOLD_LIFE_SECONDS_MAX`].
    pub async fn extend_hold(
        &self,
        caller: &Caller,
        claim: &HoldClaim,
        seconds: Option<i64>,
    ) -> Outcome<HoldRecord> {
        let mut fields = Fields::default();
        let seconds = checked_seconds(&mut fields, seconds);
        fields.finish()?;
        let mut hold = self.own_hold(caller, claim).await?;
        let until = self.base.now().plus_seconds(seconds);
        let latest = hold.created_at.plus_seconds(HOLD_LIFE_SECONDS_MAX);
        let mut fields = Fields::default();
        if until > latest {
            fields.bad(
                "/seconds",
                format!(
                    "a hold lasts at most {HOLD_LIFE_SECONDS_MAX} seconds in all, this one until {latest}"
                ),
            );
        }
        fields.finish()?;
        match self.base.store().extend_hold(caller.tenant, hold.id, until, self.base.audit(caller)).await {
            Ok(()) => hold.expires_at = until,
            Err(StoreError::NotFound(_)) => return Err(hold_over()),
            Err(error) => return Err(error.into()),
        }
        Ok(hold)
    }

    /// Give a hold's place back. The tenant needs no token for it.
    pub async fn release_hold(&self, caller: &Caller, id: HoldId) -> Outcome<()> {
        Ok(self.base.store().release_hold(caller.tenant, id, self.base.audit(caller)).await?)
    }

    /// The same by whoever has its token.
    pub async fn give_hold_back(&self, caller: &Caller, claim: &HoldClaim) -> Outcome<()> {
        let hold = self.own_hold(caller, claim).await?;
        match self.base.store().release_hold(caller.tenant, hold.id, self.base.audit(caller)).await {
            Err(StoreError::NotFound(_)) => Err(hold_over()),
            done => Ok(done?),
        }
    }

    /// The hold of whoever has its token.
    pub(crate) async fn own_hold(&self, caller: &Caller, claim: &HoldClaim) -> Outcome<HoldRecord> {
        let hold = match self.base.store().hold(caller.tenant, claim.id, self.base.now()).await {
            Ok(hold) => hold,
            Err(StoreError::NotFound(_)) => return Err(hold_over()),
            Err(error) => return Err(error.into()),
        };
        // How long the comparison takes tells of the hash at most, not of the token.
        if hold.token_hash == hash(&claim.token) { Ok(hold) } else { Err(hold_over()) }
    }
}
