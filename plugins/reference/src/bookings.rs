//! Bookings. Any time of an active event type can be booked while it has a place left.

use berth_sdk::{
    Bookings, Result,
    types::{
        Booking, BookingStatus, CancelRequest, ChangePage, CreateRequest, Interval, ProviderError,
        ReferenceLookup, RescheduleRequest,
    },
};

use crate::{Reference, blocks, catalog, store};

impl Bookings for Reference {
    fn create(&self, request: CreateRequest) -> Result<Booking> {
        self.run("create", || self.make(request))
    }

    fn get(&self, id: String) -> Result<Booking> {
        self.run("get", || store::get(&id))
    }

    fn find_by_reference(&self, lookup: ReferenceLookup) -> Result<Vec<Booking>> {
        self.run("find_by_reference", || {
            let newest_first = store::all()?.into_iter().rev().map(|s| s.booking);
            Ok(newest_first.filter(|b| b.reference.as_ref() == Some(&lookup.reference)).collect())
        })
    }

    fn cancel(&self, request: CancelRequest) -> Result<Booking> {
        self.run("cancel", || {
            let booking = store::get(&request.id)?;
            if booking.status == BookingStatus::Cancelled {
                return Ok(booking);
            }
            store::put(Booking {
                status: BookingStatus::Cancelled,
                cancellation_reason: request.reason,
                ..booking
            })
        })
    }

    fn reschedule(&self, request: RescheduleRequest) -> Result<Booking> {
        self.run("reschedule", || self.move_to(request))
    }

    fn list_changes(&self, cursor: Option<String>, limit: u32) -> Result<ChangePage> {
        self.run("list_changes", || {
            let after: u64 = match &cursor {
                None => 0,
                Some(text) => text
                    .strip_prefix("seq:")
                    .and_then(|n| n.parse().ok())
                    .ok_or(ProviderError::CursorExpired)?,
            };
            let now = berth_sdk::time::now();
            let mut changes = store::all()?;
            let newest = changes.last().map_or(0, |s| s.sequence);
            changes.retain(|s| s.sequence > after && (cursor.is_some() || s.booking.when.end > now));
            let size = self.settings.page_items(limit);
            let more = changes.len() > size;
            changes.truncate(size);
            let reached = if more { changes.last().map_or(newest, |s| s.sequence) } else { newest };
            let items = changes.into_iter().map(|s| s.booking).collect();
            Ok(ChangePage { items, cursor: format!("seq:{reached}"), more })
        })
    }
}

impl Reference {
    fn make(&self, request: CreateRequest) -> Result<Booking> {
        let id = store::id_of("bk", &request.idempotency_key);
        if let Ok(booking) = store::get(&id) {
            return Ok(booking);
        }
        let event_type = catalog::find(&request.event_type)?;
        if !event_type.active {
            return Err(ProviderError::NotFound);
        }
        if request.attendee.name.trim().is_empty() {
            return Err(ProviderError::invalid("attendee.name", "must not be empty"));
        }
        if taken(&event_type.id, request.when, None)? >= event_type.seats {
            return Err(ProviderError::slot_taken());
        }
        store::put(Booking {
            id,
            reference: Some(request.reference),
            status: if self.settings.needs_confirmation {
                BookingStatus::Pending
            } else {
                BookingStatus::Confirmed
            },
            when: request.when,
            title: Some(format!("{} with {}", event_type.title, request.attendee.name)),
            event_type: Some(event_type.id),
            attendees: vec![request.attendee],
            location: Some("1 Reference Street".to_owned()),
            cancellation_reason: None,
            rescheduled_from: None,
            rescheduled_to: None,
            updated_at: None,
            raw: String::new(),
        })
    }

    fn move_to(&self, request: RescheduleRequest) -> Result<Booking> {
        let old = store::get(&request.id)?;
        let new_id = store::id_of("bk", &request.idempotency_key);
        if old.rescheduled_to.as_ref() == Some(&new_id) {
            return store::get(&new_id);
        }
        if !old.status.is_active() {
            return Err(ProviderError::wrong_state("only a booking that takes place can be moved"));
        }
        let event_type = catalog::find(old.event_type.as_deref().unwrap_or_default())?;
        if taken(&event_type.id, request.when, Some(&old.id))? >= event_type.seats {
            return Err(ProviderError::slot_taken());
        }
        if self.settings.reschedule_keeps_id {
            return store::put(Booking { when: request.when, ..old });
        }
        store::put(Booking {
            status: BookingStatus::Cancelled,
            rescheduled_to: Some(new_id.clone()),
            cancellation_reason: request.reason,
            ..old.clone()
        })?;
        store::put(Booking {
            id: new_id,
            when: request.when,
            rescheduled_from: Some(old.id.clone()),
            rescheduled_to: None,
            ..old
        })
    }
}

/// Places taken in this time, apart from one booking that is to be moved.
fn taken(event_type: &str, when: Interval, except: Option<&str>) -> Result<u32> {
    if !blocks::closing(when)?.is_empty() {
        return Ok(u32::MAX);
    }
    let overlapping = store::all()?.into_iter().map(|s| s.booking).filter(|b| {
        b.event_type.as_deref() == Some(event_type)
            && b.status.is_active()
            && Some(b.id.as_str()) != except
            && b.when.start < when.end
            && when.start < b.when.end
    });
    Ok(u32::try_from(overlapping.count()).unwrap_or(u32::MAX))
}
