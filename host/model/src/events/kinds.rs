//! Which events there are.

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SubjectKind {
    /// A booking.
    Booking,
    /// Something in which a provider and we disagree.
    Conflict,
    /// A connection to a provider.
    Connection,
    /// One consent of a customer, given or withdrawn.
    Consent,
    /// A customer.
    Customer,
}

impl SubjectKind {
    /// The name in the database and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Booking => "booking",
            Self::Conflict => "conflict",
            Self::Connection => "connection",
            Self::Consent => "consent",
            Self::Customer => "customer",
        }
    }
}

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $name:ident = $subject:ident $text:literal;)*) => {
        /// What happened. A kind keeps its name and the members of its data for ever; more members may come.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum EventKind { $($(#[doc = $doc])+ $name),* }

        impl EventKind {
            /// All kinds, in the order in which they are described.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The name in the database and on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str { match self { $(Self::$name => $text),* } }
            /// What it is about.
            #[must_use]
            pub const fn subject(self) -> SubjectKind { match self { $(Self::$name => SubjectKind::$subject),* } }
            /// What it says, for readers.
            #[must_use]
            pub const fn description(self) -> &'static str { match self { $(Self::$name => concat!($($doc),+).trim_ascii()),* } }
        }
    };
}

kinds! {
    /// A booking was made; its status says whether it is confirmed yet. With `change: booking.adopted` it was made at a provider before.
    BookingCreated = Booking "booking.created";
    /// A booking is confirmed that was not.
    BookingConfirmed = Booking "booking.confirmed";
    /// A booking is at another time. With `change: reschedule_refused` it is back at its old one, since the provider refused the move.
    BookingRescheduled = Booking "booking.rescheduled";
    /// Others take part in a booking, at the same time.
    BookingReassigned = Booking "booking.reassigned";
    /// A booking is called off, by the customer, the business or the provider.
    BookingCancelled = Booking "booking.cancelled";
    /// A booking is cancelled that the business did not confirm.
    BookingDeclined = Booking "booking.declined";
    /// The provider refused a booking: its time is free again.
    BookingFailed = Booking "booking.failed";
    /// A booking took place.
    BookingCompleted = Booking "booking.completed";
    /// Nobody came to a booking.
    BookingNoShow = Booking "booking.no_show";
    /// A booking that was cancelled stands again, since the provider refused to cancel it.
    BookingReinstated = Booking "booking.reinstated";
    /// Neither status, time nor members of a booking changed, but what is written on it (`change: edited`), or how far its provider knows of it.
    /// `change` says what happened.
    BookingUpdated = Booking "booking.updated";
    /// A provider and we disagree about a booking.
    ConflictOpened = Conflict "conflict.opened";
    /// A conflict is over, or was ended in another way afterwards.
    ConflictResolved = Conflict "conflict.resolved";
    /// The provider refuses a connection's credentials.
    ConnectionUnauthorised = Connection "connection.unauthorised";
    /// The provider of a connection gives no usable answer.
    ConnectionUnavailable = Connection "connection.unavailable";
    /// A connection works: it was made, or works again.
    ConnectionHealthy = Connection "connection.healthy";
    /// Somebody paused a connection.
    ConnectionPaused = Connection "connection.paused";
    /// Somebody resumed a connection that was paused or disconnected.
    ConnectionResumed = Connection "connection.resumed";
    /// Somebody disconnected a connection: its credentials are gone, and its open conflicts are over.
    ConnectionDisconnected = Connection "connection.disconnected";
    /// A connection is gone, with its conflicts.
    ConnectionDeleted = Connection "connection.deleted";
    /// A customer gave a consent.
    ConsentGiven = Consent "consent.given";
    /// A customer withdrew a consent.
    ConsentWithdrawn = Consent "consent.withdrawn";
    /// What is written of a customer was changed.
    CustomerUpdated = Customer "customer.updated";
    /// Another customer became part of this one: bookings, external bookings and consents of theirs are this one's from now on.
    CustomerMerged = Customer "customer.merged";
    /// Bookings of a customer are a new customer's from now on.
    CustomerSplit = Customer "customer.split";
}

impl EventKind {
    /// The kind of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_found_by_its_name_alone() {
        for kind in EventKind::ALL {
            assert_eq!(EventKind::named(kind.as_str()), Some(*kind));
            let (subject, _) = kind.as_str().split_once('.').unwrap();
            assert_eq!(subject, kind.subject().as_str());
            assert!(kind.description().ends_with('.'), "{}", kind.description());
        }
        assert_eq!(EventKind::named("booking"), None);
    }
}
