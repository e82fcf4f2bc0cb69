//! Blocked slots that are ours.

use berth_sdk::{
    Result,
    json::read,
    time,
    types::{Block, BlockLookup, BlockRequest, Interval},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{answer::some_text, booking::events, description::REFERENCE};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Blocked {
    id: String,
    calendar_id: String,
    #[serde(deserialize_with = "berth_sdk::time::rfc3339")]
    start_time: i64,
    #[serde(deserialize_with = "berth_sdk::time::rfc3339")]
    end_time: i64,
}

/// The body of `POST /calendars/events/block-slots`.
pub(crate) fn block_body(location: &str, request: &BlockRequest) -> Value {
    json!({
        "calendarId": request.calendar,
        "locationId": location,
        "title": format!("{} ({REFERENCE}{})", request.title, request.reference),
        "startTime": time::format(request.when.start),
        "endTime": time::format(request.when.end),
    })
}

/// A blocked slot as a block. `known` has everything that is known of it, `raw` is HighLevel's own answer.
pub(crate) fn block(known: &Value, raw: &Value) -> Result<Block> {
    let blocked: Blocked = read("blocked slot", known)?;
    Ok(Block {
        id: blocked.id,
        calendar: blocked.calendar_id,
        when: Interval { start: blocked.start_time, end: blocked.end_time },
        raw: raw.to_string(),
    })
}

/// Those of the blocked slots of a calendar that carry the reference and overlap the time.
pub(crate) fn blocks(answer: Value, lookup: &BlockLookup) -> Result<Vec<Block>> {
    let mut found = Vec::new();
    for mut item in events(answer)? {
        if reference(&item).as_ref() != Some(&lookup.reference) {
            continue;
        }
        let raw = item.clone();
        // It was asked for this calendar's, whatever it says.
        if let Some(fields) = item.as_object_mut() {
            fields.insert("calendarId".to_owned(), json!(lookup.calendar));
        }
        let block = block(&item, &raw)?;
        if block.when.start < lookup.when.end && lookup.when.start < block.when.end {
            found.push(block);
        }
    }
    Ok(found)
}

/// Our reference, at the end of the title.
fn reference(item: &Value) -> Option<String> {
    let title = some_text(item.get("title"))?;
    let (_, reference) = title.strip_suffix(')')?.rsplit_once(REFERENCE)?;
    Some(reference.to_owned())
}

#[cfg(test)]
mod tests {
    use berth_sdk::time::MINUTE;

    use super::*;

    fn request() -> BlockRequest {
        let start = time::parse("2026-01-05T09:00:00Z").unwrap();
        BlockRequest {
            idempotency_key: "k1".to_owned(),
            reference: "r_1".to_owned(),
            calendar: "cal_1".to_owned(),
            when: Interval { start, end: start + 30 * MINUTE },
            title: "Busy (elsewhere)".to_owned(),
        }
    }

    #[test]
    fn ours_at_this_time_are_found() {
        let mut ours = block_body("loc_1", &request());
        assert_eq!(ours["title"], "Busy (elsewhere) (Berth reference: r_1)");
        ours["id"] = json!("bl_1");
        let other = |name: &str, value: &str| {
            let mut item = ours.clone();
            item[name] = json!(value);
            item
        };
        let answer = json!({"events": [
            other("title", "Lunch"),
            other("title", "Busy (Berth reference: r_2)"),
            other("endTime", "2026-01-05T08:00:00Z"),
            other("calendarId", ""),
        ]});
        let lookup =
            BlockLookup { reference: "r_1".to_owned(), calendar: "cal_1".to_owned(), when: request().when };
        let found = blocks(answer, &lookup).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].id.as_str(), found[0].calendar.as_str()), ("bl_1", "cal_1"));
        assert_eq!(found[0].when, request().when);
        assert!(blocks(json!({}), &lookup).is_err());
    }
}
