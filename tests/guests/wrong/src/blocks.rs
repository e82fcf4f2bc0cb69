//! Misdeeds with closed times.

use berth_sdk::{
    Blocks, Result,
    http::encode,
    time,
    types::{Block, BlockLookup, BlockRequest, Interval, ProviderError},
};
use serde_json::{Value, json};

use crate::Wrong;

pub(crate) fn block(of: &Value) -> Result<Block> {
    let text = |name: &str| of.get(name).and_then(Value::as_str);
    let at = |name: &str| text(name).and_then(time::parse);
    let (Some(id), Some(who), Some(start), Some(end)) = (text("id"), text("who"), at("start"), at("end"))
    else {
        return Err(ProviderError::Unavailable(None));
    };
    let when = Interval { start, end };
    Ok(Block { id: id.to_owned(), calendar: who.to_owned(), when, raw: of.to_string() })
}

impl Blocks for Wrong {
    fn create_block(&self, request: BlockRequest) -> Result<Block> {
        // Without a key the provider closes a time again and again.
        let key = if self.does("closes_twice") { "" } else { &request.idempotency_key };
        let reference = if self.does("forgets_what_it_closed") { "" } else { &request.reference };
        let body = json!({
            "reference": reference, "who": request.calendar,
            "start": time::format(request.when.start), "end": time::format(request.when.end),
        });
        let made = self.client().post("/v1/closures").header("idempotency-key", key).json(&body).fetch()?;
        let made = block(&made)?;
        if self.does("opens_at_once") {
            self.remove_block(made.id.clone())?;
        }
        Ok(made)
    }

    fn find_blocks(&self, lookup: BlockLookup) -> Result<Vec<Block>> {
        let client = self.client();
        let request =
            client.get("/v1/closures").query("reference", lookup.reference).query("who", lookup.calendar);
        let found: Value = request.fetch()?;
        let items = found.get("items").and_then(Value::as_array).ok_or(ProviderError::Unavailable(None))?;
        items.iter().map(block).collect()
    }

    fn remove_block(&self, id: String) -> Result<()> {
        match self.client().delete(&format!("/v1/closures/{}", encode(&id))).send().map(drop) {
            Err(ProviderError::NotFound) => Ok(()),
            answer => answer,
        }
    }
}
