//! Lists: whose they are, their pages, and those of events and invitees.

use serde_json::{Value, json};

use super::{
    refusal::{Refusal, forbidden, invalid, not_found},
    state::{Meeting, State},
    views,
};
use crate::front::Call;
use crate::times::micros;

const COUNT_DEFAULT: usize = 20;
const COUNT_MAX: usize = 100;

/// `user` or `organization` must be the account's own.
pub(super) fn owned(call: Call<'_>) -> Result<(), Refusal> {
    match (call.parameter("user"), call.parameter("organization")) {
        (None, None) => Err(invalid("user", "user or organization is required")),
        (Some(user), _) if user != views::user_uri() => Err(forbidden("This user is not yours.")),
        (_, Some(organization)) if organization != views::organization_uri() => {
            Err(forbidden("This organization is not yours."))
        }
        _ => Ok(()),
    }
}

/// One page of a list. Tokens are opaque to whoever gets them.
pub(super) fn page(call: Call<'_>, items: Vec<Value>) -> Result<Value, Refusal> {
    let count = call.parameter("count").map_or(Some(COUNT_DEFAULT), |c| c.parse().ok());
    let count =
        count.filter(|c| (1..=COUNT_MAX).contains(c)).ok_or_else(|| invalid("count", "must be 1 to 100"))?;
    let token = |from: usize| format!("page-{from}");
    let from = match call.parameter("page_token") {
        None => 0,
        Some(text) => text
            .strip_prefix("page-")
            .and_then(|n| n.parse().ok())
            .ok_or_else(|| invalid("page_token", "is invalid"))?,
    };
    let total = items.len();
    let items: Vec<Value> = items.into_iter().skip(from).take(count).collect();
    let next = (from + items.len() < total).then(|| token(from + items.len()));
    let previous = (from > 0).then(|| token(from.saturating_sub(count)));
    let link = |token: &Option<String>| {
        token.as_ref().map(|t| format!("https://api.calendly.com{}?count={count}&page_token={t}", call.path))
    };
    Ok(json!({
        "pagination": { "count": items.len(), "next_page": link(&next), "previous_page": link(&previous),
            "next_page_token": next, "previous_page_token": previous },
        "collection": items,
    }))
}

fn status_of<'a>(call: &'a Call<'_>) -> Result<Option<&'a str>, Refusal> {
    match call.parameter("status") {
        None | Some("active" | "canceled") => Ok(call.parameter("status")),
        Some(_) => Err(invalid("status", "must be active or canceled")),
    }
}

/// `asc` unless the other is asked for.
fn descending(call: Call<'_>, field: &str) -> Result<bool, Refusal> {
    match call.parameter("sort").map(|sort| sort.split_once(':').unwrap_or((sort, "asc"))) {
        None => Ok(false),
        Some((name, direction @ ("asc" | "desc"))) if name == field => Ok(direction == "desc"),
        Some(_) => Err(invalid("sort", format!("must be {field}:asc or {field}:desc"))),
    }
}

pub(super) fn events(state: &State, call: Call<'_>) -> Result<Value, Refusal> {
    owned(call)?;
    let time = |name: &str| match call.parameter(name) {
        None => Ok(None),
        Some(text) => micros(text).map(Some).ok_or_else(|| invalid(name, "is not a valid date-time")),
    };
    let (after, before) = (time("min_start_time")?, time("max_start_time")?);
    let status = status_of(&call)?;
    let email = call.parameter("invitee_email");
    let mut found: Vec<&Meeting> = state
        .meetings
        .iter()
        .filter(|m| status.is_none_or(|s| m.active() == (s == "active")))
        .filter(|m| after.is_none_or(|t| m.start >= t) && before.is_none_or(|t| m.start <= t))
        .filter(|m| email.is_none_or(|email| m.invitees.iter().any(|i| i.email == email)))
        .collect();
    found.sort_by_key(|m| m.start);
    if descending(call, "start_time")? {
        found.reverse();
    }
    page(call, found.into_iter().map(|m| views::event(state, m)).collect())
}

pub(super) fn invitees(state: &State, event: &str, call: Call<'_>) -> Result<Value, Refusal> {
    let meeting = state.meeting(event).ok_or_else(not_found)?;
    let (status, email) = (status_of(&call)?, call.parameter("email"));
    let mut found: Vec<_> = meeting
        .invitees
        .iter()
        .filter(|i| status.is_none_or(|s| i.active() == (s == "active")))
        .filter(|i| email.is_none_or(|email| i.email == email))
        .collect();
    if descending(call, "created_at")? {
        found.reverse();
    }
    page(call, found.into_iter().map(views::invitee).collect())
}
