//! One booking of any number of tries.

use berth_model::outbound::provider::{
    CallError, CreateRequest, ExternalBooking, ExternalSlot, ProviderConflict, ProviderError, Providers as _,
    ReferenceLookup,
};
use berth_runtime::egress::interceptor::InterceptedAnswer;
use http::StatusCode;

use crate::{
    finding::{Finding, Found},
    simulated_provider::Fault,
    subject::{Observed, Subject, call},
};

/// Changes that a create may make before the booking itself: a record of the customer, say.
const PREPARATIONS_MAX: u32 = 3;

/// What is booked, and so many starts for it.
pub(super) async fn ready(subject: &Subject, slots: usize) -> Result<(String, Vec<ExternalSlot>), Finding> {
    if !subject.capabilities.bookings {
        return Err(Finding::not_applicable("takes no bookings"));
    }
    let event_type = subject.event_type()?;
    Ok((event_type, subject.slots(slots).await?))
}

pub(super) async fn create(
    subject: &Subject,
    request: CreateRequest,
    fault: Fault,
) -> Observed<ExternalBooking> {
    call!(subject, fault, |p, cx| p.create_booking(cx, request))
}

pub(super) async fn made(subject: &Subject, request: CreateRequest) -> Result<ExternalBooking, Finding> {
    let when = request.when;
    let booking = create(subject, request, Fault::None).await.outcome;
    let booking = booking.map_err(|error| Finding::fail(format!("create: {error}")))?;
    if booking.when.start() != when.start() {
        return Err(Finding::fail(format!("asked for {}, booked {}", when.start(), booking.when.start())));
    }
    if !booking.status.is_active() {
        return Err(Finding::fail(format!("a new booking is {:?}", booking.status)));
    }
    Ok(booking)
}

pub(super) async fn got(subject: &Subject, id: &str) -> Result<ExternalBooking, Finding> {
    let observed = call!(subject, Fault::None, |p, cx| p.get_booking(cx, id.to_owned()));
    observed.outcome.map_err(|error| Finding::fail(format!("get: {error}")))
}

/// The bookings that carry a reference and take their time.
pub(super) async fn found(
    subject: &Subject,
    request: &CreateRequest,
) -> Result<Vec<ExternalBooking>, Finding> {
    let lookup = ReferenceLookup {
        reference: request.reference.clone(),
        attendee_email: request.attendee.email.clone(),
        created_after: subject.now().plus_seconds(-86_400),
        when: request.when,
    };
    let observed = call!(subject, Fault::None, |p, cx| p.find_by_reference(cx, lookup));
    let found = observed.outcome.map_err(|error| Finding::fail(format!("find-by-reference: {error}")))?;
    Ok(found.into_iter().filter(|booking| booking.status.is_active()).collect())
}

/// Exactly one is found.
pub(super) async fn one(subject: &Subject, request: &CreateRequest) -> Result<ExternalBooking, Finding> {
    let mut bookings = found(subject, request).await?;
    match (bookings.pop(), bookings.len()) {
        (Some(booking), 0) => Ok(booking),
        (None, _) => Err(Finding::fail("find-by-reference does not find the booking")),
        (Some(_), more) => Err(Finding::fail(format!("find-by-reference finds {} bookings", more + 1))),
    }
}

/// After an unknown outcome: only `unavailable` is right.
pub(super) fn unsure<T>(function: &str, observed: &Observed<T>) -> Result<(), Finding> {
    match &observed.outcome {
        Err(CallError::Provider(ProviderError::Unavailable { .. })) => Ok(()),
        Err(error) => Err(Finding::fail(format!(
            "{function} without an answer became {error}; it must become unavailable, for nobody knows what happened"
        ))),
        Ok(_) => Err(Finding::fail(format!("{function} answers although the provider's answer was lost"))),
    }
}

pub(super) async fn creates(subject: &Subject) -> Found {
    let (event_type, slots) = ready(subject, 1).await?;
    let request = subject.booking(&event_type, slot(&slots, 0)?, "first");
    let booking = made(subject, request.clone()).await?;
    let again = got(subject, &booking.id).await?;
    if again.id != booking.id || again.when != booking.when {
        return Err(Finding::fail("get returns another id or time than create"));
    }
    let found = one(subject, &request).await?;
    if found.id == booking.id {
        Ok(Finding::pass())
    } else {
        Err(Finding::fail("find-by-reference finds another booking"))
    }
}

pub(super) async fn creates_once(subject: &Subject) -> Found {
    let (event_type, slots) = ready(subject, 1).await?;
    let request = subject.booking(&event_type, slot(&slots, 0)?, "first");
    let booking = made(subject, request.clone()).await?;
    // The second try may find the first (one id), or be refused.
    match create(subject, request.clone(), Fault::None).await.outcome {
        Ok(second) if second.id != booking.id => {
            return Err(Finding::fail(format!(
                "two tries with one key made {} and {}",
                booking.id, second.id
            )));
        }
        Ok(_) | Err(CallError::Provider(_)) => {}
        Err(error) => return Err(Finding::fail(format!("create: {error}"))),
    }
    let found = one(subject, &request).await?;
    if found.id == booking.id { Ok(Finding::pass()) } else { Err(Finding::fail("the booking was replaced")) }
}

pub(super) async fn creates_once_when_unsure(subject: &Subject) -> Found {
    let (event_type, slots) = ready(subject, 1).await?;
    let request = subject.booking(&event_type, slot(&slots, 0)?, "first");
    for passing in 0..=PREPARATIONS_MAX {
        let observed = create(subject, request.clone(), Fault::AnswerLost(passing)).await;
        if observed.requests.is_empty() {
            return Err(Finding::not_applicable("create asks the provider nothing"));
        }
        match unsure("create", &observed) {
            // There were no more changes: the booking was among those whose answers were lost.
            Err(_) if passing > 0 => break,
            outcome => outcome?,
        }
        // Where nothing is there, a preparation was lost. Berth tries again then, and so does the case, with the next change.
        match found(subject, &request).await?.as_slice() {
            [] => {}
            [booking] if booking.when.start() == request.when.start() => return Ok(Finding::pass()),
            [_] => return Err(Finding::fail("the booking that is found has another time")),
            many => return Err(Finding::fail(format!("find-by-reference finds {} bookings", many.len()))),
        }
    }
    Err(Finding::fail("find-by-reference does not find the booking whose answer was lost"))
}

pub(super) async fn creates_after_a_failure(subject: &Subject) -> Found {
    let (event_type, slots) = ready(subject, 1).await?;
    let request = subject.booking(&event_type, slot(&slots, 0)?, "first");
    let failure = InterceptedAnswer::new(StatusCode::SERVICE_UNAVAILABLE, "text/plain", "try later");
    let observed = create(subject, request.clone(), Fault::Instead(failure)).await;
    if observed.requests.is_empty() {
        return Err(Finding::not_applicable("create asks the provider nothing"));
    }
    unsure("create", &observed)?;
    if !found(subject, &request).await?.is_empty() {
        return Err(Finding::fail("find-by-reference finds a booking that was never made"));
    }
    let booking = made(subject, request.clone()).await?;
    let found = one(subject, &request).await?;
    if found.id == booking.id {
        Ok(Finding::pass())
    } else {
        Err(Finding::fail("find-by-reference finds another booking"))
    }
}

pub(super) async fn says_when_a_slot_is_taken(subject: &Subject) -> Found {
    if subject.spans().await?.free_slots_days == 0 {
        return Err(Finding::not_applicable("the provider does not decide what is free"));
    }
    let (event_type, slots) = ready(subject, 1).await?;
    made(subject, subject.booking(&event_type, slot(&slots, 0)?, "first")).await?;
    let late = subject.booking(&event_type, slot(&slots, 0)?, "second");
    match create(subject, late.clone(), Fault::None).await.outcome {
        Err(CallError::Provider(ProviderError::Conflict(ProviderConflict::SlotTaken))) => {}
        Err(error) => {
            return Err(Finding::fail(format!(
                "a taken slot became {error}; it must become conflict(slot-taken)"
            )));
        }
        Ok(_) => {
            return Err(Finding::inconclusive(
                "the provider took two bookings for one slot; does it have seats?",
            ));
        }
    }
    if found(subject, &late).await?.is_empty() {
        Ok(Finding::pass())
    } else {
        Err(Finding::fail("the refused booking is there"))
    }
}

pub(super) async fn keeps_instants_over_a_clock_change(subject: &Subject) -> Found {
    if !subject.capabilities.bookings {
        return Err(Finding::not_applicable("takes no bookings"));
    }
    let event_type = subject.event_type()?;
    let Some(change) = subject.setup.clock_change.clone() else {
        return Err(Finding::inconclusive("conformance.toml has no [clock-change]"));
    };
    let slots = subject.slots_from(change.from, &change.time_zone, 2).await?;
    for (slot, name) in [slots.first(), slots.last()].into_iter().flatten().zip(["first", "last"]) {
        let mut request = subject.booking(&event_type, slot, name);
        request.attendee.time_zone.clone_from(&change.time_zone);
        let booking = made(subject, request).await?;
        let again = got(subject, &booking.id).await?;
        if again.when.start() != slot.when.start() || again.when.end() != slot.when.end() {
            return Err(Finding::fail(format!(
                "booked {} to {}, read back {} to {}",
                slot.when.start(),
                slot.when.end(),
                again.when.start(),
                again.when.end()
            )));
        }
    }
    Ok(Finding::pass())
}

pub(super) fn slot(slots: &[ExternalSlot], at: usize) -> Result<&ExternalSlot, Finding> {
    slots.get(at).ok_or_else(|| Finding::inconclusive("too few free starts"))
}
