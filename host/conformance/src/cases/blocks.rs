//! Closing times.

use berth_model::{
    outbound::provider::{
        BlockLookup, BlockRequest, BusyQuery, CallError, ExternalBlock, ProviderError, Providers as _,
        SlotQuery,
    },
    time::Interval,
};

use super::bookings::{slot, unsure};
use crate::{
    finding::{Finding, Found},
    simulated_provider::Fault,
    subject::{Observed, Subject, call},
};

/// A request for a block in a time that is free.
async fn ready(subject: &Subject) -> Result<BlockRequest, Finding> {
    if !subject.capabilities.blocks {
        return Err(Finding::not_applicable("closes no times"));
    }
    let missing = || Finding::inconclusive("conformance.toml names no calendar");
    let calendar = subject.setup.calendar.clone().ok_or_else(missing)?;
    let when = slot(&subject.slots(1).await?, 0)?.when;
    Ok(BlockRequest {
        idempotency_key: subject.name("first"),
        reference: subject.name("first"),
        calendar,
        when,
        title: "Busy".to_owned(),
    })
}

async fn create(subject: &Subject, request: &BlockRequest, fault: Fault) -> Observed<ExternalBlock> {
    let request = request.clone();
    call!(subject, fault, |p, cx| p.create_block(cx, request))
}

async fn made(subject: &Subject, request: &BlockRequest) -> Result<ExternalBlock, Finding> {
    let block = create(subject, request, Fault::None).await.outcome;
    let block = block.map_err(|error| Finding::fail(format!("create-block: {error}")))?;
    if block.when != request.when {
        return Err(Finding::fail("create-block closes another time than it was asked for"));
    }
    Ok(block)
}

async fn remove(subject: &Subject, id: &str) -> Result<(), Finding> {
    let id = id.to_owned();
    let observed = call!(subject, Fault::None, |p, cx| p.remove_block(cx, id));
    observed.outcome.map_err(|error| Finding::fail(format!("remove-block: {error}")))
}

/// The ids of the blocks with the request's reference and time.
async fn found(subject: &Subject, request: &BlockRequest) -> Result<Vec<String>, Finding> {
    let lookup = BlockLookup {
        reference: request.reference.clone(),
        calendar: request.calendar.clone(),
        when: request.when,
    };
    let observed = call!(subject, Fault::None, |p, cx| p.find_blocks(cx, lookup));
    let blocks = observed.outcome.map_err(|error| Finding::fail(format!("find-blocks: {error}")))?;
    Ok(blocks.into_iter().filter(|block| block.when == request.when).map(|block| block.id).collect())
}

/// Does the provider offer the time? None if it tells no free slots.
async fn offered(subject: &Subject, when: Interval) -> Result<Option<bool>, Finding> {
    if subject.spans().await?.free_slots_days == 0 {
        return Ok(None);
    }
    let query = SlotQuery {
        event_type: subject.event_type()?,
        within: when,
        length_minutes: None,
        time_zone: "Europe/Lisbon".to_owned(),
        rescheduling: None,
    };
    let observed = call!(subject, Fault::None, |p, cx| p.free_slots(cx, query));
    let slots = observed.outcome.map_err(|error| Finding::fail(format!("free-slots: {error}")))?;
    Ok(Some(slots.iter().any(|slot| slot.when.start() == when.start())))
}

/// Is the time told as busy, with the block as its source? None if the provider tells no busy times.
async fn told(subject: &Subject, block: &ExternalBlock) -> Result<Option<bool>, Finding> {
    if subject.spans().await?.busy_days == 0 {
        return Ok(None);
    }
    let query = BusyQuery {
        within: block.when,
        calendars: vec![block.calendar.clone()],
        time_zone: "Europe/Lisbon".to_owned(),
    };
    let observed = call!(subject, Fault::None, |p, cx| p.busy(cx, query));
    let busy = observed.outcome.map_err(|error| Finding::fail(format!("busy: {error}")))?;
    Ok(Some(busy.iter().any(|b| b.when.overlaps(block.when) && b.source.as_ref() == Some(&block.id))))
}

pub(super) async fn closes_a_time(subject: &Subject) -> Found {
    let request = ready(subject).await?;
    let block = made(subject, &request).await?;
    if offered(subject, request.when).await? == Some(true) {
        return Err(Finding::fail("free-slots offers a closed time"));
    }
    if told(subject, &block).await? == Some(false) {
        return Err(Finding::fail("busy does not tell a closed time with the block's id as its source"));
    }
    remove(subject, &block.id).await?;
    remove(subject, &block.id)
        .await
        .map_err(|second| Finding::fail(format!("a second {}", second.detail)))?;
    if !found(subject, &request).await?.is_empty() {
        return Err(Finding::fail("find-blocks finds a block that was removed"));
    }
    if offered(subject, request.when).await? == Some(false) {
        return Err(Finding::fail("free-slots does not offer a time that is open again"));
    }
    Ok(Finding::pass())
}

pub(super) async fn closes_once(subject: &Subject) -> Found {
    let request = ready(subject).await?;
    let block = made(subject, &request).await?;
    // The second try may find the first, or be refused.
    match create(subject, &request, Fault::None).await.outcome {
        Ok(second) if second.id != block.id => {
            return Err(Finding::fail(format!("two tries with one key made {} and {}", block.id, second.id)));
        }
        Ok(_) | Err(CallError::Provider(_)) => {}
        Err(error) => return Err(Finding::fail(format!("create-block: {error}"))),
    }
    one(subject, &request).await?;
    Ok(Finding::pass())
}

async fn one(subject: &Subject, request: &BlockRequest) -> Result<(), Finding> {
    match found(subject, request).await?.len() {
        1 => Ok(()),
        0 => Err(Finding::fail("find-blocks does not find the block")),
        more => Err(Finding::fail(format!("find-blocks finds {more} blocks"))),
    }
}

pub(super) async fn finds_what_it_closed(subject: &Subject) -> Found {
    let request = ready(subject).await?;
    let observed = create(subject, &request, Fault::AnswerLost(0)).await;
    if observed.requests.is_empty() {
        return Err(Finding::not_applicable("create-block asks the provider nothing"));
    }
    if let Err(CallError::Provider(ProviderError::Unsupported { .. })) = observed.outcome {
        return Err(Finding::not_applicable("closes no times"));
    }
    unsure("create-block", &observed)?;
    one(subject, &request).await?;
    Ok(Finding::pass())
}
