//! The same change of many bookings: first what it would do, then, by what was seen, one operation. A job changes them one by one by the use cases
//! of single ones, with the rights of whoever asked; each is done once, however often the process ends meanwhile.

use std::collections::HashMap;

use berth_model::{
    bookings::{
        booking::{Booking, BookingStatus},
        bulk::{BulkAction, BulkItem, BulkItemState, BulkOperation},
        lists::WantedStates,
    },
    hex::to_hex,
    id::{BookingId, BulkOperationId, ListingId, MemberId, TenantId},
    jobs::kind::JobKind,
    limits,
    problem::{Code, FieldError, Problem},
    scheduling::hours::day_start,
    time::{Instant, Interval},
    validate::Fields,
    zone::Zone,
};
use berth_store::{StoreError, records::BookingFilter};
use chrono::NaiveDate;
use ring::digest::{SHA256, digest};
use serde_json::json;

use super::{change::CancelBooking, edit::ReassignBooking, reschedule::RescheduleBooking};
use crate::{Caller, Outcome, bookings::Bookings, jobs::queue::JobLease};

/// Which bookings.
#[derive(Debug, Clone)]
pub enum BulkSelection {
    /// These.
    Bookings(Vec<BookingId>),
    /// Those of a member that start on a day and are not over.
    Day {
        /// Whose.
        member: MemberId,
        /// The day …
        date: NaiveDate,
        /// … of this zone; the member's if none.
        time_zone: Option<Zone>,
    },
}

/// What is to be done, by whom.
#[derive(Debug, Clone)]
pub struct BulkRequest {
    /// To which bookings.
    pub selection: BulkSelection,
    /// What.
    pub action: BulkAction,
    /// May whoever asks do what customers cannot any more?
    pub overrides: bool,
}

/// What would become of a booking.
#[derive(Debug, Clone)]
pub struct Foreseen {
    /// As it is.
    pub booking: Booking,
    /// When it would start.
    pub start: Instant,
    /// Why it would not be done.
    pub refused: Option<Problem>,
}

/// What would become of all.
#[derive(Debug, Clone)]
pub struct BulkPreview {
    /// What an order to do it names.
    pub digest: String,
    /// In the order in which they would be changed.
    pub bookings: Vec<Foreseen>,
}

/// An operation, and how it stands with each booking.
#[derive(Debug, Clone)]
pub struct BulkReport {
    /// What is done.
    pub operation: BulkOperation,
    /// In the order in which they are changed.
    pub items: Vec<BulkItem>,
}

impl BulkReport {
    /// How many are in this state.
    #[must_use]
    pub fn count(&self, state: BulkItemState) -> usize {
        self.items.iter().filter(|item| item.state == state).count()
    }
}

/// One operation has one job.
fn job_key(id: BulkOperationId) -> String {
    format!("bulk:{id}")
}

fn seconds(at: Instant) -> i64 {
    at.micros().div_euclid(1_000_000)
}

/// What was seen, in some bytes: an order that names it is for these bookings as they were then.
fn seal(at: i64, request: &BulkRequest, bookings: &[(Booking, Instant)]) -> String {
    let seen: Vec<_> =
        bookings.iter().map(|(booking, start)| (booking.id, booking.sequence, *start)).collect();
    let text = json!([at, request.action, request.overrides, seen]).to_string();
    let hash = digest(&SHA256, text.as_bytes());
    format!("{at}.{}", to_hex(hash.as_ref()))
}

fn changed_since(why: &str) -> Problem {
    Problem::new(Code::PreviewOver, why)
}

/// Would the same go well later? What a booking is refused for stays.
fn passes(problem: &Problem) -> bool {
    problem.code.status() >= 500 || problem.code.status() == 429
}

impl Bookings {
    /// What would become of each booking. Nothing is changed; each is looked at by itself, as if the others stayed where they are.
    pub async fn preview_bulk(&self, caller: &Caller, request: &BulkRequest) -> Outcome<BulkPreview> {
        let bookings = self.selected(caller, request).await?;
        let digest = seal(seconds(self.base.now()), request, &bookings);
        let mut foreseen = Vec::with_capacity(bookings.len());
        for (booking, start) in bookings {
            let refused = self.would(caller, request, &booking, start).await.err();
            foreseen.push(Foreseen { booking, start, refused });
        }
        Ok(BulkPreview { digest, bookings: foreseen })
    }

    /// Do what was previewed, once: who repeats it is given the same operation.
    pub async fn apply_bulk(
        &self,
        caller: &Caller,
        request: &BulkRequest,
        digest: &str,
    ) -> Outcome<BulkReport> {
        let store = self.base.store();
        if let Some(operation) = store.bulk_of_preview(caller.tenant, digest).await? {
            return self.bulk(caller, operation.id).await;
        }
        let at = digest.split_once('.').and_then(|(at, _)| at.parse::<i64>().ok());
        let at = at.ok_or_else(|| {
            Problem::invalid(vec![FieldError::new("/digest", "must be the digest that a preview answered")])
        })?;
        let now = self.base.now();
        if !(0..=limits::BULK_PREVIEW_SECONDS).contains(&seconds(now).saturating_sub(at)) {
            return Err(changed_since("The preview is too old."));
        }
        let bookings = self.selected(caller, request).await?;
        if seal(at, request, &bookings) != digest {
            return Err(changed_since("What was previewed is not what there is now."));
        }
        let operation = BulkOperation {
            id: self.base.new_id(),
            tenant: caller.tenant,
            digest: digest.to_owned(),
            action: request.action.clone(),
            actor: caller.actor.clone(),
            overrides: request.overrides,
            created_at: now,
            finished_at: None,
        };
        let item = |(booking, _): (Booking, Instant)| BulkItem {
            booking: booking.id,
            sequence: booking.sequence,
            state: BulkItemState::Waiting,
            code: None,
            detail: None,
        };
        let items = bookings.into_iter().map(item).collect();
        let id = operation.id;
        let payload = json!({ "operation": id });
        let job = self.queue.job(caller.tenant, JobKind::ChangeInBulk, payload, job_key(id));
        match store.create_bulk(operation, items, job, self.base.audit(caller)).await {
            Ok(()) => self.queue.wake_workers(JobKind::ChangeInBulk.queue()),
            // The same order came twice at a time.
            Err(StoreError::Duplicate(_)) => {
                let first = self.base.store().bulk_of_preview(caller.tenant, digest).await?;
                let first = first.ok_or_else(|| Problem::from(StoreError::Busy))?;
                return self.bulk(caller, first.id).await;
            }
            Err(error) => return Err(error.into()),
        }
        self.bulk(caller, id).await
    }

    /// An operation, and how it stands with each booking.
    pub async fn bulk(&self, caller: &Caller, id: BulkOperationId) -> Outcome<BulkReport> {
        let operation = self.base.store().bulk(caller.tenant, id).await?;
        let items = self.base.store().bulk_items(caller.tenant, id).await?;
        Ok(BulkReport { operation, items })
    }

    /// Operations, the latest first, before this one.
    pub async fn list_bulk(
        &self,
        caller: &Caller,
        before: Option<BulkOperationId>,
        limit: u32,
    ) -> Outcome<Vec<BulkOperation>> {
        let limit = limit.clamp(1, limits::PAGE_ITEMS_MAX.saturating_add(1));
        Ok(self.base.store().list_bulk(caller.tenant, before, limit).await?)
    }

    /// The bookings that are meant, in the order in which they are changed, with when they would start.
    async fn selected(&self, caller: &Caller, request: &BulkRequest) -> Outcome<Vec<(Booking, Instant)>> {
        let mut fields = Fields::default();
        request.action.check(&mut fields);
        let bookings = match &request.selection {
            BulkSelection::Bookings(ids) => {
                fields.count("/booking_ids", ids.len(), 1, limits::BULK_BOOKINGS_MAX);
                fields.distinct("/booking_ids", ids.iter().take(limits::BULK_BOOKINGS_MAX));
                fields.finish()?;
                self.named_bookings(caller, ids).await?
            }
            BulkSelection::Day { member, date, time_zone } => {
                fields.day("/date", *date);
                fields.finish()?;
                self.bookings_of_day(caller, *member, *date, *time_zone).await?
            }
        };
        let mut zones: HashMap<ListingId, Zone> = HashMap::new();
        let mut selected = Vec::with_capacity(bookings.len());
        for booking in bookings {
            let zone = if let Some(zone) = zones.get(&booking.listing) {
                *zone
            } else {
                let zone = self.base.store().listing(caller.tenant, booking.listing).await?.time_zone;
                zones.insert(booking.listing, zone);
                zone
            };
            let start = request.action.start(zone, booking.when.start());
            selected.push((booking, start));
        }
        selected.sort_by_key(|(booking, _)| (booking.when.start(), booking.id));
        if request.action.latest_first() {
            selected.reverse();
        }
        Ok(selected)
    }

    async fn named_bookings(&self, caller: &Caller, ids: &[BookingId]) -> Outcome<Vec<Booking>> {
        let mut fields = Fields::default();
        let mut bookings = Vec::with_capacity(ids.len());
        for (i, id) in ids.iter().enumerate() {
            match self.base.store().booking(caller.tenant, *id).await {
                Ok(booking) => bookings.push(booking),
                Err(StoreError::NotFound(_)) => {
                    fields.bad(&format!("/booking_ids/{i}"), "there is no such booking");
                }
                Err(error) => return Err(error.into()),
            }
        }
        fields.finish()?;
        Ok(bookings)
    }

    async fn bookings_of_day(
        &self,
        caller: &Caller,
        member: MemberId,
        date: NaiveDate,
        time_zone: Option<Zone>,
    ) -> Outcome<Vec<Booking>> {
        let zone = match (self.base.store().member(caller.tenant, member).await, time_zone) {
            (Ok(member), zone) => zone.unwrap_or(member.time_zone),
            (Err(StoreError::NotFound(_)), _) => {
                return Err(Problem::invalid(vec![FieldError::new("/member_id", "there is no such member")]));
            }
            (Err(error), _) => return Err(error.into()),
        };
        let next = date.succ_opt().map_or(Instant::MAX, |next| day_start(zone, next));
        let day = Interval::new(day_start(zone, date), next)
            .map_err(|_| Problem::invalid(vec![FieldError::new("/date", "is no day of this zone")]))?;
        let filter = BookingFilter {
            member: Some(member),
            within: Some(day),
            states: WantedStates::of([BookingStatus::Pending, BookingStatus::Confirmed]),
            ..BookingFilter::default()
        };
        // What began the day before is of that day; it cannot be longer than a day.
        let most = u32::try_from(limits::BULK_BOOKINGS_MAX).unwrap_or(u32::MAX);
        let mut bookings =
            self.base.store().list_bookings(caller.tenant, filter, most.saturating_mul(2)).await?;
        bookings.retain(|booking| booking.when.start() >= day.start());
        if bookings.len() > limits::BULK_BOOKINGS_MAX {
            let why = format!("has more than {} bookings; name them in parts", limits::BULK_BOOKINGS_MAX);
            return Err(Problem::invalid(vec![FieldError::new("/date", why)]));
        }
        Ok(bookings)
    }

    /// Why it would not be done to this one.
    async fn would(
        &self,
        caller: &Caller,
        request: &BulkRequest,
        booking: &Booking,
        start: Instant,
    ) -> Outcome<()> {
        match &request.action {
            BulkAction::Cancel { .. } => {
                self.may_change(caller, booking.id).await?;
                self.may_cancel(caller, booking, !request.overrides).await
            }
            BulkAction::Move { .. } => {
                self.may_change(caller, booking.id).await?;
                let reschedule = RescheduleBooking {
                    start,
                    expected_sequence: Some(booking.sequence),
                    bound_by_cutoffs: !request.overrides,
                };
                self.may_move(caller, booking, &reschedule).await
            }
            BulkAction::Reassign { member, local_only } => {
                self.may_reassign(caller, booking, *member, *local_only).await
            }
        }
    }

    /// Go on with an operation: some bookings, and then another turn, so that nobody waits behind all of them.
    pub(crate) async fn run_bulk(
        &self,
        tenant: TenantId,
        id: BulkOperationId,
        held: JobLease,
    ) -> Result<(), StoreError> {
        let store = self.base.store();
        let operation = store.bulk(tenant, id).await?;
        // The audit rows of its bookings name the operation.
        let caller =
            Caller { tenant, actor: operation.actor.clone(), request_id: job_key(id), idempotency_key: None };
        let items = store.bulk_items(tenant, id).await?;
        let waiting = items.iter().filter(|item| item.state == BulkItemState::Waiting);
        for item in waiting.clone().take(limits::BULK_BOOKINGS_AT_ONCE) {
            let end = match self.carry_out(&caller, &operation, item).await {
                Ok(()) => BulkItem { state: BulkItemState::Done, ..item.clone() },
                Err(problem) if passes(&problem) => {
                    tracing::warn!(operation = %id, booking = %item.booking, why = problem.detail, "a booking waits for its turn again");
                    return Err(StoreError::Busy);
                }
                Err(problem) => BulkItem {
                    state: BulkItemState::Refused,
                    code: Some(problem.code.as_str().to_owned()),
                    detail: Some(problem.detail),
                    ..item.clone()
                },
            };
            store.end_bulk_item(tenant, id, end).await?;
        }
        if waiting.count() > limits::BULK_BOOKINGS_AT_ONCE {
            let payload = json!({ "operation": id });
            let job = self.queue.job(tenant, JobKind::ChangeInBulk, payload, job_key(id));
            self.queue.enqueue(job).await?;
            return self.queue.done(held).await;
        }
        let items = store.bulk_items(tenant, id).await?;
        let report = BulkReport { operation, items };
        let counts = json!({ "done": report.count(BulkItemState::Done), "refused": report.count(BulkItemState::Refused) });
        match store.finish_bulk(tenant, id, counts, self.base.now(), self.base.audit(&caller)).await {
            Ok(()) | Err(StoreError::NotFound(_)) => self.queue.done(held).await,
            Err(error) => Err(error),
        }
    }

    /// Change one booking. Where the process ended after that and before it was noted, its timeline says that it was done.
    async fn carry_out(&self, caller: &Caller, operation: &BulkOperation, item: &BulkItem) -> Outcome<()> {
        let booking = self.booking(caller, item.booking).await?;
        if booking.sequence != item.sequence {
            let rows = self.base.store().timeline(caller.tenant, "booking", booking.id.uuid()).await?;
            return if rows.iter().any(|row| row.audit.request_id == caller.request_id) {
                Ok(())
            } else {
                Err(Problem::from(StoreError::Stale))
            };
        }
        let (expected_sequence, bound_by_cutoffs) = (Some(item.sequence), !operation.overrides);
        match &operation.action {
            BulkAction::Cancel { reason } => {
                self.may_change(caller, booking.id).await?;
                self.may_cancel(caller, &booking, bound_by_cutoffs).await?;
                let cancel = CancelBooking { reason: reason.clone(), expected_sequence, bound_by_cutoffs };
                self.cancel_one(caller, booking.id, cancel, false).await.map(drop)
            }
            BulkAction::Move { .. } => {
                self.may_change(caller, booking.id).await?;
                let listing = self.base.store().listing(caller.tenant, booking.listing).await?;
                let start = operation.action.start(listing.time_zone, booking.when.start());
                let reschedule = RescheduleBooking { start, expected_sequence, bound_by_cutoffs };
                self.reschedule_one(caller, booking.id, reschedule, false).await.map(drop)
            }
            BulkAction::Reassign { member, local_only } => {
                let reassign =
                    ReassignBooking { member: *member, local_only: *local_only, expected_sequence };
                self.reassign(caller, booking.id, reassign).await.map(drop)
            }
        }
    }
}
