//! Delta queries: rounds of pages, of all that is in a window first, then of what changed.

use serde_json::{Value, json};

use super::{
    calendar::{origin, page_size, window},
    config::Calendar,
    refusal::{Outcome, bad_request, ok, refusal},
    state::{Round, State},
    views,
};
use crate::front::Call;

/// What a delta query of events does not take.
const REFUSED: [&str; 5] = ["$select", "$filter", "$expand", "$orderby", "$search"];

pub(super) fn query(state: &mut State, calendar: &Calendar, call: Call<'_>) -> Outcome {
    if let Some(name) = REFUSED.iter().find(|name| call.parameter(name).is_some()) {
        return Err(bad_request(format!("The query parameter '{name}' is not supported with delta.")));
    }
    let token = call.parameter("$deltatoken").or(call.parameter("$skiptoken"));
    let mut round = match token {
        Some(token) => {
            let known = state.rounds.get(token).filter(|round| round.calendar == calendar.id);
            known.cloned().ok_or_else(|| {
                refusal(
                    410,
                    "SyncStateNotFound",
                    "The sync state generation is not found; start a full sync.",
                )
            })?
        }
        None => {
            let (start, end) = window(call)?;
            Round { calendar: calendar.id.clone(), start, end, after: 0, until: None, first: true }
        }
    };
    let until = *round.until.get_or_insert(state.changes);
    let mut news: Vec<(u64, Value)> = Vec::new();
    for event in state.events.iter().filter(|e| e.calendar == calendar.id) {
        if event.change <= round.after || event.change > until {
            continue;
        }
        let is_inside = !event.deleted && event.start < round.end && round.start < event.end;
        if is_inside {
            news.push((event.change, views::event(event, None)));
        } else if !round.first {
            // What lies outside of the window is told as deleted, too.
            news.push((event.change, json!({ "id": event.id, "@removed": { "reason": "deleted" } })));
        }
    }
    news.sort_by_key(|(change, _)| *change);
    let size = page_size(call);
    let more = news.len() > size;
    news.truncate(size);
    let name = if more {
        round.after = news.last().map_or(round.after, |(change, _)| *change);
        "skiptoken"
    } else {
        (round.after, round.until, round.first) = (until, None, false);
        "deltatoken"
    };
    let token = state.new_text(40);
    let link = format!("{}{}?%24{name}={token}", origin(call), call.path);
    state.rounds.insert(token, round);
    let items: Vec<Value> = news.into_iter().map(|(_, item)| item).collect();
    ok(json!({ "value": items, if more { "@odata.nextLink" } else { "@odata.deltaLink" }: link }))
}
