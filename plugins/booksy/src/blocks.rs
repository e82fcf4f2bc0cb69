//! Time of a member of staff that is kept free because something elsewhere takes it. The contract has no list of blocks; busy times tell
//! each with its id and our reference.

use berth_sdk::{
    Blocks, Result,
    types::{Block, BlockLookup, BlockRequest, ProviderError},
};

use crate::{Booksy, map};

impl Blocks for Booksy {
    fn create_block(&self, request: BlockRequest) -> Result<Block> {
        let made = self.api.create_block(&request.idempotency_key, &map::new_block(&request))?;
        map::block(&made, &request.calendar)
    }

    fn find_blocks(&self, lookup: BlockLookup) -> Result<Vec<Block>> {
        map::blocks(&self.api.busy(lookup.when, Some(&lookup.calendar))?, &lookup)
    }

    fn remove_block(&self, id: String) -> Result<()> {
        match self.api.delete_block(&id) {
            // One that is gone is open.
            Err(ProviderError::NotFound) => Ok(()),
            answer => answer,
        }
    }
}
