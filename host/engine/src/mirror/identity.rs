//! Whose a booking at a provider is. Proof is our own record of the ids that our bookings have had, and the provider's word for which booking
//! replaced which. A reference of ours is proof only while a counterpart of ours is being made or moved, or is not where we knew it: whoever copies
//! a booking copies its reference (ADR 0023).

use std::collections::BTreeSet;

use berth_model::{
    bookings::booking::Booking,
    connections::connection::ConnectionRecord,
    id::BookingId,
    limits,
    outbound::provider::{CallContext, CallError, ExternalBooking, ProviderError},
};
use berth_store::StoreError;

use crate::{fault::Fault, mirror::external_bookings::ExternalBookings, outbound::drive::was_called_off};

/// Whose it is.
#[derive(Debug)]
pub(crate) enum Whose {
    /// The counterpart of this booking, over this connection.
    Ours(Box<Booking>),
    /// The counterpart of a booking that the tenant has over another connection to the same account, which follows it.
    Sibling(BookingId),
    /// Somebody else's.
    Stranger,
}

/// How the counterpart of a booking stands.
#[derive(Debug)]
pub(crate) enum Standing {
    /// So, under whatever id.
    Stands(Box<ExternalBooking>),
    /// It was called off, as this says, or is not there; and nothing took its place.
    Gone(Option<Box<ExternalBooking>>),
}

/// What a reference names.
enum Named {
    /// This booking, and it may be its counterpart.
    This(Box<Booking>, BookedOver),
    Nothing,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum BookedOver {
    This,
    Another,
}

impl Whose {
    fn of(booking: Booking, over: BookedOver) -> Self {
        match over {
            BookedOver::This => Self::Ours(Box::new(booking)),
            BookedOver::Another => Self::Sibling(booking.id),
        }
    }
}

impl ExternalBookings {
    /// Whose this is, by all that is known and, if that is not enough, by what the provider says when it is asked. A call that failed: it could
    /// not be asked now.
    pub(crate) async fn whose(
        &self,
        connection: &ConnectionRecord,
        context: &CallContext,
        old_id: Option<&str>,
        external: &ExternalBooking,
    ) -> Result<Whose, Fault> {
        let known = self.whose_by_record(connection, old_id, external).await?;
        if !matches!(known, Whose::Stranger) {
            return Ok(known);
        }
        let found = match self.by_chain(connection, context, old_id, external).await? {
            Whose::Stranger => self.by_reference(connection, context, external).await?,
            other => other,
        };
        if let Whose::Ours(booking) = &found {
            self.note_counterpart(connection, booking.id, external).await?;
        }
        Ok(found)
    }

    /// The same by our own record alone: of this id, or of one that it replaced or that replaced it.
    pub(crate) async fn whose_by_record(
        &self,
        connection: &ConnectionRecord,
        old_id: Option<&str>,
        external: &ExternalBooking,
    ) -> Result<Whose, StoreError> {
        let before = old_id.into_iter().chain(external.rescheduled_from.as_deref());
        let all = [external.id.as_str()].into_iter().chain(before).chain(external.rescheduled_to.as_deref());
        for id in all {
            let whose = self.recorded(connection, id, external).await?;
            if let Whose::Ours(booking) = &whose
                && id != external.id
            {
                self.note_counterpart(connection, booking.id, external).await?;
            }
            if !matches!(whose, Whose::Stranger) {
                return Ok(whose);
            }
        }
        // Being made or moved by us in this moment.
        if let Named::This(booking, over) = self.named_by(connection, external).await?
            && booking.provider_task.is_some()
        {
            return Ok(Whose::of(*booking, over));
        }
        Ok(Whose::Stranger)
    }

    async fn note_counterpart(
        &self,
        connection: &ConnectionRecord,
        booking: BookingId,
        external: &ExternalBooking,
    ) -> Result<(), StoreError> {
        self.base
            .store()
            .note_counterpart(connection.tenant, connection.id, booking, external.id.clone())
            .await
    }

    /// Who has or had this id, by our record. Ids of two accounts may be alike: over another connection, the reference has to say the same.
    async fn recorded(
        &self,
        connection: &ConnectionRecord,
        id: &str,
        external: &ExternalBooking,
    ) -> Result<Whose, StoreError> {
        for booking in self.base.store().bookings_of_counterpart(connection.tenant, connection.id, id).await?
        {
            if booking.connection == Some(connection.id) {
                return Ok(Whose::Ours(Box::new(booking)));
            }
            let says_so = external.reference.as_deref() == Some(booking.id.to_string().as_str());
            if says_so && self.is_sibling(connection, &booking).await? {
                return Ok(Whose::Sibling(booking.id));
            }
        }
        Ok(Whose::Stranger)
    }

    /// Is this booking carried by the same provider over another connection?
    async fn is_sibling(&self, connection: &ConnectionRecord, booking: &Booking) -> Result<bool, StoreError> {
        match booking.connection {
            Some(other) if other != connection.id => {
                Ok(self.base.store().connection(connection.tenant, other).await?.plugin == connection.plugin)
            }
            _ => Ok(false),
        }
    }

    /// Follow what it replaced back to one of ours: what was seen before, and else what the provider says of it. A chain that is longer than
    /// any, or comes back to where it was, leads nowhere.
    async fn by_chain(
        &self,
        connection: &ConnectionRecord,
        context: &CallContext,
        old_id: Option<&str>,
        external: &ExternalBooking,
    ) -> Result<Whose, Fault> {
        let mut seen = BTreeSet::from([external.id.clone()]);
        let mut next = old_id.map(str::to_owned).or_else(|| external.rescheduled_from.clone());
        for _ in 0..limits::COUNTERPART_CHAIN_MAX {
            let Some(id) = next.take().filter(|id| seen.insert(id.clone())) else { break };
            let whose = self.recorded(connection, &id, external).await?;
            if !matches!(whose, Whose::Stranger) {
                return Ok(whose);
            }
            next = match self.base.store().mirrored(connection.tenant, connection.id, &id).await? {
                Some(before) => before.external.rescheduled_from,
                None => match self.providers.get_booking(&self.contexts.next_call(context), id).await {
                    Ok(before) => before.rescheduled_from,
                    Err(error) if error.is_definite() => None,
                    Err(error) => return Err(error.into()),
                },
            };
        }
        Ok(Whose::Stranger)
    }

    /// It carries the reference of a booking of ours whose counterpart has another id. It is that counterpart if ours leads to it, or is gone.
    async fn by_reference(
        &self,
        connection: &ConnectionRecord,
        context: &CallContext,
        external: &ExternalBooking,
    ) -> Result<Whose, Fault> {
        let Named::This(booking, over) = self.named_by(connection, external).await? else {
            return Ok(Whose::Stranger);
        };
        let Some(id) = &booking.external_id else { return Ok(Whose::Stranger) };
        if self.calendar_writer.shows_a_booking(connection, external).await? {
            return Ok(Whose::Stranger);
        }
        let may_replace = booking.status.is_active() && external.status.is_active();
        let is_it = match self.deliveries.current_counterpart(&self.contexts.next_call(context), id).await {
            Ok(current) if current.id == external.id => true,
            Ok(current) => may_replace && !current.status.is_active() && current.rescheduled_to.is_none(),
            Err(CallError::Provider(ProviderError::NotFound)) => may_replace,
            Err(error) if error.is_definite() => false,
            Err(error) => return Err(error.into()),
        };
        Ok(if is_it { Whose::of(*booking, over) } else { Whose::Stranger })
    }

    /// The booking of this tenant that the reference names, if the same provider carries it.
    async fn named_by(
        &self,
        connection: &ConnectionRecord,
        external: &ExternalBooking,
    ) -> Result<Named, StoreError> {
        let Some(reference) = external.reference.as_ref().and_then(|r| r.parse::<BookingId>().ok()) else {
            return Ok(Named::Nothing);
        };
        let booking = match self.base.store().booking(connection.tenant, reference).await {
            Ok(booking) => booking,
            Err(StoreError::NotFound(_)) => return Ok(Named::Nothing),
            Err(error) => return Err(error),
        };
        if booking.connection == Some(connection.id) {
            return Ok(Named::This(Box::new(booking), BookedOver::This));
        }
        if self.is_sibling(connection, &booking).await? {
            return Ok(Named::This(Box::new(booking), BookedOver::Another));
        }
        Ok(Named::Nothing)
    }

    /// Another booking at the provider that took the place of our booking's counterpart without saying so: it takes place, carries our reference,
    /// and is not shown in a calendar for us. None where the provider cannot be searched.
    pub(crate) async fn replacement(
        &self,
        context: &CallContext,
        booking: &Booking,
    ) -> Result<Option<ExternalBooking>, CallError> {
        match self.deliveries.active_counterparts(context, booking).await {
            Ok(found) => {
                Ok(found.into_iter().find(|external| Some(&external.id) != booking.external_id.as_ref()))
            }
            Err(error) if error.is_definite() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// How the counterpart of a booking stands now, whatever became of it.
    pub(crate) async fn standing(
        &self,
        context: &CallContext,
        booking: &Booking,
    ) -> Result<Standing, CallError> {
        let gone = match &booking.external_id {
            None => None,
            Some(id) => match self.deliveries.current_counterpart(context, id).await {
                Ok(external) if !was_called_off(&external) => {
                    return Ok(Standing::Stands(Box::new(external)));
                }
                Ok(external) => Some(Box::new(external)),
                Err(CallError::Provider(ProviderError::NotFound)) => None,
                Err(error) => return Err(error),
            },
        };
        let newer = self.replacement(context, booking).await?;
        Ok(newer.map_or(Standing::Gone(gone), |newer| Standing::Stands(Box::new(newer))))
    }
}
