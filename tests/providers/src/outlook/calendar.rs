//! Calendars, and what is in them within a stretch of time.

use serde_json::{Value, json};

use super::{
    config::Calendar,
    refusal::{Outcome, Refusal, bad_request, item_not_found, ok, refusal},
    state::State,
    views,
};
use crate::{front::Call, times::micros};

/// Items on a page where nobody says.
const PER_PAGE: usize = 10;
/// Longest view, in days.
const VIEW_DAYS_MAX: i64 = 1_825;

pub(super) fn get(state: &State, id: Option<&str>) -> Outcome {
    let found = match id {
        None => state.config.calendars.first(),
        Some(id) => state.config.calendars.iter().find(|c| c.id == id),
    };
    ok(views::calendar(state, found.ok_or_else(item_not_found)?))
}

pub(super) fn list(state: &State, call: Call<'_>) -> Outcome {
    let all = state.config.calendars.iter().map(|c| views::calendar(state, c)).collect();
    ok(page(call, all))
}

pub(super) fn view(state: &State, calendar: &Calendar, call: Call<'_>) -> Outcome {
    let (start, end) = window(call)?;
    let select = call.parameter("$select");
    let found = state.within(&calendar.id, start, end);
    let all = found.into_iter().map(|e| views::select(views::event(e, None), select)).collect();
    ok(page(call, all))
}

/// `startDateTime` and `endDateTime` of a query.
pub(super) fn window(call: Call<'_>) -> Result<(i64, i64), Refusal> {
    let time = |name: &str| {
        let text = call.parameter(name).ok_or_else(|| {
            bad_request("This request requires a time window specified by the query string parameters StartDateTime and EndDateTime.")
        })?;
        let with_zone =
            if text.ends_with('Z') || text.contains('+') { text.to_owned() } else { format!("{text}Z") };
        micros(&with_zone).ok_or_else(|| bad_request(format!("{name} is not a valid date and time.")))
    };
    let (start, end) = (time("startDateTime")?, time("endDateTime")?);
    if end < start {
        return Err(bad_request("The end date should be later than the start date."));
    }
    if end - start > VIEW_DAYS_MAX * 86_400_000_000 {
        return Err(refusal(400, "ErrorCalendarViewRangeTooBig", "The requested time range is too long."));
    }
    Ok((start, end))
}

/// How many items the caller wants on a page.
pub(super) fn page_size(call: Call<'_>) -> usize {
    let preferred = call.header("prefer").into_iter().flat_map(|prefer| prefer.split(','));
    let preferred = preferred.filter_map(|p| p.trim().strip_prefix("odata.maxpagesize=")).next();
    let wanted = call.parameter("$top").or(preferred);
    wanted.and_then(|n| n.parse().ok()).unwrap_or(PER_PAGE).max(1)
}

/// A page of these, with a link to the next.
pub(super) fn page(call: Call<'_>, all: Vec<Value>) -> Value {
    let skip: usize = call.parameter("$skip").and_then(|n| n.parse().ok()).unwrap_or(0);
    let size = page_size(call);
    let items: Vec<&Value> = all.iter().skip(skip).take(size).collect();
    let next = skip + items.len();
    let mut page = json!({ "value": items });
    if next < all.len() {
        let others = call.query.iter().filter(|(name, _)| name != "$skip" && name != "$top");
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(others)
            .append_pair("$top", &size.to_string())
            .append_pair("$skip", &next.to_string())
            .finish();
        page["@odata.nextLink"] = json!(format!("{}{}?{query}", origin(call), call.path));
    }
    page
}

/// Where the caller believes us to be.
pub(super) fn origin(call: Call<'_>) -> String {
    format!("http://{}", call.header("host").unwrap_or("127.0.0.1"))
}
