//! Keeping time free, and opening it again.

use berth_sdk::{
    Blocks,
    http::SendError,
    time::MINUTE,
    types::{Block, BlockLookup, BlockRequest, Interval, ProviderError},
};
use serde_json::json;

use super::{at, error, page, path, provider, script};

fn when() -> Interval {
    let start = at("2026-01-05T09:00:00Z");
    Interval { start, end: start + 45 * MINUTE }
}

fn request() -> BlockRequest {
    BlockRequest {
        idempotency_key: "k1".to_owned(),
        reference: "b_1".to_owned(),
        calendar: "stf_1".to_owned(),
        when: when(),
        title: "Busy".to_owned(),
    }
}

#[test]
fn time_of_a_member_of_staff_is_kept_free() {
    let body = json!({"staff_id": "stf_1", "start": "2026-01-05T09:00:00Z", "end": "2026-01-05T09:45:00Z",
        "reason": "Busy", "external_ref": "berth:b_1"});
    let mut made = body.clone();
    made["id"] = json!("blk_1");
    let (booksy, played) = provider(
        script()
            .on("POST", &path("blocks"), 201, &made.to_string())
            .on("POST", &path("blocks"), 409, &error("slot_unavailable", "There is a booking."))
            .on("POST", &path("blocks"), 404, &error("not_found", "no such member of staff"))
            .on_failure("POST", &path("blocks"), SendError::Failed("reset".to_owned())),
    );
    let block = booksy.create_block(request()).unwrap();
    let expected =
        Block { id: "blk_1".to_owned(), calendar: "stf_1".to_owned(), when: when(), raw: made.to_string() };
    assert_eq!(block, expected);
    assert_eq!(played.body(0), body);
    assert!(played.requests()[0].headers.contains(&("idempotency-key".to_owned(), "k1".to_owned())));
    for expected in [ProviderError::slot_taken(), ProviderError::NotFound, ProviderError::Unavailable(None)] {
        assert_eq!(booksy.create_block(request()), Err(expected));
    }
    played.finish();
}

#[test]
fn a_block_is_found_among_busy_times() {
    let target = "busy?from=2026-01-05T09%3A00%3A00Z&to=2026-01-05T09%3A45%3A00Z&staff_id=stf_1";
    let busy = json!({"id": "blk_1", "external_ref": "berth:b_1", "source": "block", "staff_id": "stf_1",
        "start": "2026-01-05T09:00:00Z", "end": "2026-01-05T09:45:00Z"});
    let (booksy, played) = provider(script().on("GET", &path(target), 200, &page(&[busy], None)));
    let lookup = BlockLookup { reference: "b_1".to_owned(), calendar: "stf_1".to_owned(), when: when() };
    let found = booksy.find_blocks(lookup).unwrap();
    assert_eq!(found.iter().map(|b| (b.id.as_str(), b.when)).collect::<Vec<_>>(), [("blk_1", when())]);
    played.finish();
}

#[test]
fn a_block_that_is_gone_is_open() {
    let (booksy, played) = provider(
        script()
            .on("DELETE", &path("blocks/blk_1"), 204, "")
            .on("DELETE", &path("blocks/blk_1"), 404, &error("not_found", "no"))
            .on("DELETE", &path("blocks/blk_1"), 503, &error("unavailable", "down")),
    );
    assert_eq!(booksy.remove_block("blk_1".to_owned()), Ok(()));
    assert_eq!(booksy.remove_block("blk_1".to_owned()), Ok(()));
    assert_eq!(booksy.remove_block("blk_1".to_owned()), Err(ProviderError::Unavailable(None)));
    played.finish();
}
