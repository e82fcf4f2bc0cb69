//! Free slots, busy times and blocks.

use serde_json::{Value, json};

use super::{
    config::Service,
    refusal::Refusal,
    state::{Block, Booking, MINUTE, State},
    views, webhooks,
};
use crate::{
    front::{Answer, Call},
    times::{micros, utc},
};

/// Longest question.
const SPAN_MICROS_MAX: i64 = 31 * 24 * 60 * MINUTE;

/// A stretch in the query.
fn within(call: Call<'_>) -> Result<(i64, i64), Refusal> {
    let time = |name: &str| {
        let text = call.parameter(name).ok_or_else(|| Refusal::of_field(name, "is missing"))?;
        micros(text).ok_or_else(|| Refusal::of_field(name, "must be an RFC 3339 time"))
    };
    let (from, to) = (time("from")?, time("to")?);
    if from >= to { Err(Refusal::of_field("to", "must be after from")) } else { Ok((from, to)) }
}

pub(super) fn slots(state: &State, call: Call<'_>) -> Result<Answer, Refusal> {
    let (from, to) = within(call)?;
    if to - from > SPAN_MICROS_MAX {
        return Err(Refusal::of_field("to", "must be at most 31 days after from"));
    }
    let id = call.parameter("service_id").ok_or_else(|| Refusal::of_field("service_id", "is missing"))?;
    let service = state.service(id).filter(|s| s.active).ok_or_else(|| Refusal::not_found("service"))?;
    let minutes = match call.parameter("duration_minutes") {
        None => service.duration_minutes,
        Some(text) => text
            .parse()
            .ok()
            .filter(|n| *n > 0)
            .ok_or_else(|| Refusal::of_field("duration_minutes", "must be a number above 0"))?,
    };
    let mut slots: Vec<Value> = Vec::new();
    for start in state.config.hours.starts(from.max(state.now()), to, minutes) {
        let end = start + i64::from(minutes) * MINUTE;
        for staff in state.staff_for(&service, call.parameter("staff_id")) {
            let left = state.room(&service, &staff, (start, end), None);
            if left > 0 {
                slots.push(
                    json!({ "start": utc(start), "end": utc(end), "staff_id": staff, "capacity_left": left }),
                );
            }
        }
    }
    let zone = state.config.hours.time_zone.name();
    let body = json!({ "service_id": service.id, "timezone": zone, "slots": slots });
    Ok(Answer::new(200, body).with("cache-control", "private, max-age=60".to_owned()))
}

pub(super) fn busy(state: &State, call: Call<'_>) -> Result<Answer, Refusal> {
    let (from, to) = within(call)?;
    let wanted = |staff: Option<&str>| {
        call.parameter("staff_id").is_none_or(|only| staff.is_none_or(|staff| staff == only))
    };
    let touches = |start: i64, end: i64| start < to && from < end;
    let booked = state
        .around(from, to)
        .map(|(_, b)| b)
        .filter(|b| touches(b.start, b.end) && wanted(Some(&b.staff)))
        .map(
            |b| json!({ "start": utc(b.start), "end": utc(b.end), "staff_id": b.staff, "source": "booking" }),
        );
    let blocked =
        state.blocks.iter().filter(|b| touches(b.start, b.end) && wanted(b.staff.as_deref())).map(
            |b| {
                json!({ "id": b.id, "external_ref": b.body["external_ref"], "start": utc(b.start), "end": utc(b.end),
                    "staff_id": b.staff, "source": "block" })
            },
        );
    Ok(Answer::new(200, json!({ "data": booked.chain(blocked).collect::<Vec<_>>() })))
}

impl State {
    /// How many more people fit into this stretch with this member of staff. A booking does not stand in its own way.
    pub(super) fn room(
        &self,
        service: &Service,
        staff: &str,
        (start, end): (i64, i64),
        but_for: Option<usize>,
    ) -> u32 {
        let (from, to) = with_buffers(service, start, end);
        let blocked =
            |b: &&Block| b.staff.as_deref().is_none_or(|s| s == staff) && b.start < to && from < b.end;
        if !self.config.hours.open(start, end) || self.blocks.iter().any(|b| blocked(&b)) {
            return 0;
        }
        let mut left = service.capacity;
        for (at, other) in self.around(from, to).filter(|(_, b)| b.staff == staff) {
            if Some(at) == but_for {
                continue;
            }
            if other.service == service.id && (other.start, other.end) == (start, end) {
                left = left.saturating_sub(1);
                continue;
            }
            let Some(theirs) = self.service(&other.service) else { continue };
            let (other_from, other_to) = with_buffers(&theirs, other.start, other.end);
            if other_from < to && from < other_to {
                return 0;
            }
        }
        left
    }
}

fn with_buffers(service: &Service, start: i64, end: i64) -> (i64, i64) {
    let (before, after) = (service.buffer_before_minutes, service.buffer_after_minutes);
    (start - i64::from(before) * MINUTE, end + i64::from(after) * MINUTE)
}

/// Keep a stretch free. What is booked is not free.
pub(super) fn block(state: &mut State, body: &Value) -> Result<Value, Refusal> {
    let time = |name: &str| {
        let text = body.get(name).and_then(Value::as_str);
        text.and_then(micros).ok_or_else(|| Refusal::of_field(name, "must be an RFC 3339 time"))
    };
    let (start, end) = (time("start")?, time("end")?);
    if start >= end {
        return Err(Refusal::of_field("end", "must be after start"));
    }
    let staff = body.get("staff_id").and_then(Value::as_str).map(str::to_owned);
    if staff.as_ref().is_some_and(|id| !state.config.staff.iter().any(|s| s.id == *id)) {
        return Err(Refusal::not_found("member of staff"));
    }
    let mine = |b: &Booking| staff.as_ref().is_none_or(|id| *id == b.staff);
    if state.around(start, end).any(|(_, b)| b.start < end && start < b.end && mine(b)) {
        return Err(Refusal::taken());
    }
    let block = Block { id: state.new_id("blk"), staff, start, end, body: body.clone() };
    let view = views::block(&block);
    webhooks::availability_changed(state, block.staff.as_deref(), (start, end));
    state.blocks.push(block);
    Ok(view)
}

pub(super) fn unblock(state: &mut State, id: &str) -> Result<Answer, Refusal> {
    let at = state.blocks.iter().position(|b| b.id == id).ok_or_else(|| Refusal::not_found("block"))?;
    let gone = state.blocks.remove(at);
    webhooks::availability_changed(state, gone.staff.as_deref(), (gone.start, gone.end));
    Ok(Answer::new(204, Value::Null))
}
