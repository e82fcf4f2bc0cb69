//! Blocks, as they are made and as busy times tell them.

use berth_sdk::{
    Result,
    json::read,
    time,
    types::{Block, BlockLookup, BlockRequest, Instant, Interval},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    list::Page,
    reference::{REFERENCE, carries},
};

#[derive(Deserialize)]
struct Closed {
    id: String,
    staff_id: Option<String>,
    #[serde(deserialize_with = "berth_sdk::time::rfc3339")]
    start: Instant,
    #[serde(deserialize_with = "berth_sdk::time::rfc3339")]
    end: Instant,
}

/// The body of `POST …/blocks`.
pub(crate) fn new_block(request: &BlockRequest) -> Value {
    json!({
        "staff_id": request.calendar,
        "start": time::format(request.when.start),
        "end": time::format(request.when.end),
        "reason": request.title,
        "external_ref": format!("{REFERENCE}{}", request.reference),
    })
}

/// One block, of this member of staff if it names nobody.
pub(crate) fn block(item: &Value, staff: &str) -> Result<Block> {
    let closed: Closed = read("block", item)?;
    Ok(Block {
        id: closed.id,
        calendar: closed.staff_id.unwrap_or_else(|| staff.to_owned()),
        when: Interval { start: closed.start, end: closed.end },
        raw: item.to_string(),
    })
}

/// Those of the busy times that are blocks with this reference.
pub(crate) fn blocks(answer: &Value, lookup: &BlockLookup) -> Result<Vec<Block>> {
    let busy: Page = read("busy times", answer)?;
    let ours = busy.data.iter().filter(|item| carries(item, &lookup.reference));
    let mut blocks = ours.map(|item| block(item, &lookup.calendar)).collect::<Result<Vec<_>>>()?;
    blocks.retain(|block| {
        let overlaps = block.when.start < lookup.when.end && lookup.when.start < block.when.end;
        overlaps && block.calendar == lookup.calendar
    });
    Ok(blocks)
}

#[cfg(test)]
mod tests {
    use berth_sdk::time::{HOUR, MINUTE};

    use super::*;

    fn lookup() -> BlockLookup {
        let start = time::parse("2026-01-05T09:00:00Z").unwrap();
        BlockLookup {
            reference: "b_1".to_owned(),
            calendar: "stf_1".to_owned(),
            when: Interval { start, end: start + 45 * MINUTE },
        }
    }

    fn busy(id: &str, reference: &str, from: i64, staff: &str) -> Value {
        let start = lookup().when.start + from;
        json!({"id": id, "external_ref": reference, "source": "block", "staff_id": staff,
            "start": time::format(start), "end": time::format(start + 45 * MINUTE)})
    }

    #[test]
    fn ours_at_this_time_are_found() {
        let answer = json!({"data": [
            busy("blk_1", "berth:b_1", 0, "stf_1"),
            busy("blk_2", "berth:b_1", 30 * MINUTE, "stf_1"),
            busy("blk_3", "berth:b_1", HOUR, "stf_1"),
            busy("blk_4", "berth:b_2", 0, "stf_1"),
            busy("blk_5", "b_1", 0, "stf_1"),
            busy("blk_6", "berth:b_1", 0, "stf_2"),
            {"start": "2026-01-05T09:00:00Z", "end": "2026-01-05T09:45:00Z", "staff_id": "stf_1", "source": "booking"},
        ]});
        let found = blocks(&answer, &lookup()).unwrap();
        assert_eq!(found.iter().map(|b| b.id.as_str()).collect::<Vec<_>>(), ["blk_1", "blk_2"]);
        assert_eq!(serde_json::from_str::<Value>(&found[0].raw).unwrap(), answer["data"][0]);
        assert!(blocks(&json!([]), &lookup()).is_err());
    }
}
