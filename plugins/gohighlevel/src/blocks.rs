//! Times of a calendar that are closed because something elsewhere takes them. HighLevel has neither keys nor a place for our reference,
//! so the reference is in the title, and what is there is looked at first.

use berth_sdk::{
    Blocks, Result,
    types::{Block, BlockLookup, BlockRequest, Interval, ProviderError},
};

use crate::{HighLevel, availability::EVENT_MAX, map};

impl Blocks for HighLevel {
    fn create_block(&self, request: BlockRequest) -> Result<Block> {
        let BlockRequest { reference, calendar, when, .. } = request.clone();
        let made = self.find_blocks(BlockLookup { reference, calendar, when })?;
        if let Some(made) = made.into_iter().find(|block| block.when == request.when) {
            return Ok(made);
        }
        // HighLevel closes what is booked too.
        let appointments = self.api.events(&request.calendar, reaching(request.when))?;
        if !map::busy(&appointments, request.when)?.is_empty() {
            return Err(ProviderError::slot_taken());
        }
        let body = map::block_body(&self.settings.location_id, &request);
        let answer = self.api.block_slot(&body)?;
        map::block(&map::overlaid(body, &answer), &answer)
    }

    fn find_blocks(&self, lookup: BlockLookup) -> Result<Vec<Block>> {
        map::blocks(self.api.blocked_slots(&lookup.calendar, reaching(lookup.when))?, &lookup)
    }

    fn remove_block(&self, id: String) -> Result<()> {
        match self.api.delete_event(&id) {
            Err(ProviderError::NotFound) => Ok(()),
            answer => answer,
        }
    }
}

/// From so early that nothing that reaches into it is left out of a list that goes by starts.
const fn reaching(when: Interval) -> Interval {
    Interval { start: when.start.saturating_sub(EVENT_MAX), end: when.end }
}
