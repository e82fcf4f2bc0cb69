//! Closed times, in one entry of the connection's state. There is one calendar: a block closes every event type.

use berth_sdk::{
    Blocks, Result, state,
    types::{Block, BlockLookup, BlockRequest, Interval, ProviderError},
};
use serde::{Deserialize, Serialize};

use crate::{Reference, store};

const KEY: &str = "blocks";
/// With some 200 bytes a block and 16 KiB an entry.
const BLOCKS_MAX: usize = 64;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Stored {
    reference: String,
    block: Block,
}

fn all() -> Result<Vec<Stored>> {
    Ok(state::get_json(KEY)?.unwrap_or_default())
}

/// The blocks that overlap a time.
pub(crate) fn closing(when: Interval) -> Result<Vec<Block>> {
    let mut blocks: Vec<Block> = all()?.into_iter().map(|stored| stored.block).collect();
    blocks.retain(|block| overlap(block.when, when));
    Ok(blocks)
}

const fn overlap(a: Interval, b: Interval) -> bool {
    a.start < b.end && b.start < a.end
}

impl Blocks for Reference {
    fn create_block(&self, request: BlockRequest) -> Result<Block> {
        self.run("create_block", || {
            let id = store::id_of("block", &request.idempotency_key);
            let mut blocks = all()?;
            if let Some(stored) = blocks.iter().find(|stored| stored.block.id == id) {
                return Ok(stored.block.clone());
            }
            if store::is_booked(request.when)? {
                return Err(ProviderError::slot_taken());
            }
            // What is over is forgotten.
            let now = berth_sdk::time::now();
            blocks.retain(|stored| stored.block.when.end > now);
            if blocks.len() >= BLOCKS_MAX {
                return Err(ProviderError::vendor(507, "full", format!("there are {BLOCKS_MAX} blocks")));
            }
            let raw = format!(r#"{{"id":"{id}"}}"#);
            let block = Block { id, calendar: request.calendar, when: request.when, raw };
            blocks.push(Stored { reference: request.reference, block: block.clone() });
            state::set_json(KEY, &blocks)?;
            Ok(block)
        })
    }

    fn find_blocks(&self, lookup: BlockLookup) -> Result<Vec<Block>> {
        self.run("find_blocks", || {
            let ours = all()?.into_iter().filter(|stored| {
                stored.reference == lookup.reference
                    && stored.block.calendar == lookup.calendar
                    && overlap(stored.block.when, lookup.when)
            });
            Ok(ours.map(|stored| stored.block).collect())
        })
    }

    fn remove_block(&self, id: String) -> Result<()> {
        self.run("remove_block", || {
            let mut blocks = all()?;
            blocks.retain(|stored| stored.block.id != id);
            Ok(state::set_json(KEY, &blocks)?)
        })
    }
}
