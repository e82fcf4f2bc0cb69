//! Closed times in members' calendars: what takes a member's time anywhere is closed at providers that have customers of their own.
//!
//! Nothing is told apart: what shall be closed is compared with what is (`block_changes`), and the difference is carried out. A block is
//! noted before it is made, and looked for before a second try, so that a crash leaves none that nobody knows.

use std::collections::BTreeSet;

use berth_model::{
    calendars::calendar::{BlockState, CalendarBlock, CalendarRecord, block_changes},
    id::{CalendarId, MemberId, TenantId},
    jobs::kind::JobKind,
    limits,
    outbound::provider::{
        BlockLookup, BlockRequest, CallContext, CallError, ProviderConflict, ProviderError,
    },
    time::Interval,
};
use berth_store::StoreError;
use serde_json::json;

use super::entries::NOT_WRITTEN;
use crate::{Outcome, calendars::writer::CalendarWriter, fault::Fault, jobs::queue::JobLease};

/// What people at the provider see.
const TITLE: &str = "Busy";

impl CalendarWriter {
    /// Bring calendars up to date in which a time is to be closed or opened. How many. To be called now and then.
    pub async fn begin_block_writes(&self) -> Outcome<usize> {
        let most = limits::CALENDAR_WRITES_AT_ONCE;
        let behind = self.base.store().calendars_behind(self.base.now(), most).await?;
        let count = behind.len();
        for (tenant, calendar) in behind {
            self.write_blocks_soon(tenant, calendar).await?;
        }
        Ok(count)
    }

    /// What takes these members' time changed: it is closed or opened elsewhere soon.
    pub(crate) async fn times_changed(
        &self,
        tenant: TenantId,
        members: Vec<MemberId>,
    ) -> Result<(), StoreError> {
        for calendar in self.base.store().calendars_of(tenant, members).await? {
            if calendar.blocks && calendar.writes {
                self.write_blocks_soon(tenant, calendar.id).await?;
            }
        }
        Ok(())
    }

    pub(crate) async fn write_blocks_soon(
        &self,
        tenant: TenantId,
        calendar: CalendarId,
    ) -> Result<(), StoreError> {
        let key = format!("blocks:{calendar}");
        let job = self.queue.job(tenant, JobKind::WriteBlocks, json!({ "calendar": calendar }), key);
        self.queue.enqueue(job).await
    }

    /// Close and open what is to be closed and opened in a calendar.
    pub(crate) async fn write_blocks(
        &self,
        tenant: TenantId,
        id: CalendarId,
        held: JobLease,
        request_id: &str,
    ) -> Result<(), StoreError> {
        let calendar = self.base.store().calendar(tenant, id).await?;
        let connection = self.base.store().connection(tenant, calendar.connection).await?;
        let written = match self.contexts.background_context(&connection, request_id).await {
            Ok(context) => {
                let calendar =
                    CalendarRecord { writes: calendar.writes && connection.writes_busy, ..calendar.clone() };
                self.write_some_blocks(&context, &calendar).await?
            }
            Err(_) => Err(CallError::NotActive(connection.plugin.clone())),
        };
        self.cache.invalidate(calendar.connection);
        match written {
            Ok(more) => {
                self.calendar_works(&calendar, NOT_WRITTEN).await?;
                if more {
                    self.write_blocks_soon(tenant, id).await?;
                }
                self.queue.done(held).await
            }
            Err(error) => {
                if error.is_definite() {
                    self.calendar_trouble(&calendar, Some(format!("{NOT_WRITTEN}: {error}"))).await?;
                }
                self.queue.postpone(held, &connection, &error).await
            }
        }
    }

    /// Is there more to do? What one lease allows is done now.
    async fn write_some_blocks(
        &self,
        context: &CallContext,
        calendar: &CalendarRecord,
    ) -> Result<Result<bool, CallError>, StoreError> {
        let began = self.base.now();
        let half_a_lease = i64::try_from(limits::JOB_LEASE_MS / 2).unwrap_or(i64::MAX);
        let wanted = if calendar.writes {
            self.base.store().times_to_close(calendar.clone(), began).await?
        } else {
            Vec::new()
        };
        let still: BTreeSet<Interval> = wanted.iter().copied().collect();
        let there = self.base.store().calendar_blocks(calendar.tenant, calendar.id, began).await?;
        // Those that were refused are asked for again: whoever booked there may have cancelled.
        let tried: Vec<CalendarBlock> = there
            .iter()
            .filter(|block| block.state != BlockState::Closed && still.contains(&block.when))
            .cloned()
            .collect();
        let (close, open) = block_changes(&wanted, there);
        for block in open {
            if self.base.now() >= began.plus_millis(half_a_lease) {
                return Ok(Ok(true));
            }
            match self.open_block(context, calendar, &block).await {
                Ok(opened) => self.base.store().forget_calendar_block(block, opened, self.base.now()).await?,
                Err(fault) => return Ok(Err(fault.call()?)),
            }
        }
        for (block, is_new) in tried
            .into_iter()
            .map(|block| (block, false))
            .chain(close.into_iter().map(|when| (self.block(calendar, when), true)))
        {
            if self.base.now() >= began.plus_millis(half_a_lease) {
                return Ok(Ok(true));
            }
            if is_new {
                self.base.store().put_calendar_block(block.clone()).await?;
            }
            match self.close(context, calendar, &block, is_new).await {
                Ok((state, external_id)) => {
                    let block = CalendarBlock { state, external_id, updated_at: self.base.now(), ..block };
                    self.base.store().put_calendar_block(block).await?;
                }
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(Ok(false))
    }

    fn block(&self, calendar: &CalendarRecord, when: Interval) -> CalendarBlock {
        CalendarBlock {
            id: self.base.new_id(),
            tenant: calendar.tenant,
            calendar: calendar.id,
            connection: calendar.connection,
            when,
            state: BlockState::Wanted,
            external_id: None,
            updated_at: self.base.now(),
        }
    }

    async fn close(
        &self,
        context: &CallContext,
        calendar: &CalendarRecord,
        block: &CalendarBlock,
        is_new: bool,
    ) -> Result<(BlockState, Option<String>), CallError> {
        if !is_new && let Some(id) = self.find_block(context, calendar, block).await? {
            return Ok((BlockState::Closed, Some(id)));
        }
        let request = BlockRequest {
            idempotency_key: block.id.to_string(),
            reference: block.id.to_string(),
            calendar: calendar.calendar.clone(),
            when: block.when,
            title: TITLE.to_owned(),
        };
        let cx = self.contexts.next_call(context);
        match self.providers.create_block(&cx, request).await {
            Ok(made) => Ok((BlockState::Closed, Some(made.id))),
            // What was booked there comes with the next news, and is a conflict then.
            Err(CallError::Provider(ProviderError::Conflict(ProviderConflict::SlotTaken))) => {
                Ok((BlockState::Refused, None))
            }
            Err(error) => Err(error),
        }
    }

    /// Open a time again, also one whose closing was tried and never answered. The id that it had.
    async fn open_block(
        &self,
        context: &CallContext,
        calendar: &CalendarRecord,
        block: &CalendarBlock,
    ) -> Result<Option<String>, Fault> {
        let id = match (&block.external_id, block.state) {
            (Some(id), _) => Some(id.clone()),
            (None, BlockState::Wanted) => {
                let found = self.find_block(context, calendar, block).await?;
                if let Some(id) = &found {
                    // Noted before it is removed: if that answer is lost, it is not found a second time, and whoever read it before would
                    // take it for somebody else's.
                    let (state, external_id) = (BlockState::Closed, Some(id.clone()));
                    let noted =
                        CalendarBlock { state, external_id, updated_at: self.base.now(), ..block.clone() };
                    self.base.store().put_calendar_block(noted).await?;
                }
                found
            }
            (None, _) => None,
        };
        let Some(id) = id else { return Ok(None) };
        let cx = self.contexts.next_call(context);
        match self.providers.remove_block(&cx, id.clone()).await {
            Ok(()) | Err(CallError::Provider(ProviderError::NotFound)) => Ok(Some(id)),
            Err(error) => Err(error.into()),
        }
    }

    async fn find_block(
        &self,
        context: &CallContext,
        calendar: &CalendarRecord,
        block: &CalendarBlock,
    ) -> Result<Option<String>, CallError> {
        let lookup = BlockLookup {
            reference: block.id.to_string(),
            calendar: calendar.calendar.clone(),
            when: block.when,
        };
        let cx = self.contexts.next_call(context);
        let found = self.providers.find_blocks(&cx, lookup).await?;
        Ok(found.into_iter().next().map(|block| block.id))
    }

    /// Open everything that is closed in a calendar, as far as its provider answers, and forget it.
    pub(crate) async fn open_all(
        &self,
        context: &CallContext,
        calendar: &CalendarRecord,
    ) -> Result<(), StoreError> {
        for block in self.base.store().calendar_blocks(calendar.tenant, calendar.id, self.base.now()).await? {
            let opened = match self.open_block(context, calendar, &block).await {
                Ok(opened) => opened,
                Err(fault) => {
                    let error = fault.call()?;
                    tracing::warn!(calendar = %calendar.id, outcome = error.outcome(), "a time was not opened again");
                    block.external_id.clone()
                }
            };
            self.base.store().forget_calendar_block(block, opened, self.base.now()).await?;
        }
        Ok(())
    }
}
