//! What an API key may do.

macro_rules! scopes {
    ($($(#[doc = $doc:literal])+ $scope:ident = $name:literal,)+) => {
        /// A right of an API key. Its name is what stands in the key and in refusals.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Scope {
            /// Run Berth itself: the one scope of an operator's key, and of no tenant's.
            Operator,
            $($(#[doc = $doc])+ $scope,)+
        }

        impl Scope {
            /// What a tenant's key may have.
            pub const TENANT: &[Self] = &[$(Self::$scope),+];

            /// The names of those.
            pub const TENANT_NAMES: &[&str] = &[$($name),+];

            /// Its name.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    Self::Operator => "operator",
                    $(Self::$scope => $name,)+
                }
            }
        }
    };
}

scopes! {
    /// When something can be booked.
    AvailabilityRead = "availability:read",
    /// What was done, by whom.
    AuditRead = "audit:read",
    /// Decide what automatic booking asks.
    AutoBookingDecide = "auto-booking:decide",
    /// Bookings and holds. Whom they are for is masked without `customers:read`.
    BookingsRead = "bookings:read",
    /// Book, move, cancel.
    BookingsWrite = "bookings:write",
    /// Act for the business: cut-offs, which are for customers, do not bind.
    BookingsOverride = "bookings:override",
    /// Customers, with the addresses and numbers at which they are reached.
    CustomersRead = "customers:read",
    /// Change, merge and split customers.
    CustomersWrite = "customers:write",
    /// What happened.
    EventsRead = "events:read",
    /// Make and end keys.
    KeysWrite = "keys:write",
    /// Those who may become customers.
    LeadsRead = "leads:read",
    /// Make and change them.
    LeadsWrite = "leads:write",
    /// Listings, event types, members, rules.
    ListingsRead = "listings:read",
    /// Make and change them.
    ListingsWrite = "listings:write",
    /// Alerts and figures.
    MonitoringRead = "monitoring:read",
    /// Set what is watched.
    MonitoringWrite = "monitoring:write",
    /// Offer times to a customer.
    OffersWrite = "offers:write",
    /// Payments.
    PaymentsRead = "payments:read",
    /// Take and return money.
    PaymentsWrite = "payments:write",
    /// Consents and their texts.
    PrivacyRead = "privacy:read",
    /// Publish texts, note consents.
    PrivacyWrite = "privacy:write",
    /// Connections to providers.
    ProvidersRead = "providers:read",
    /// Make and change them.
    ProvidersWrite = "providers:write",
    /// Endpoints that are told of events.
    WebhooksRead = "webhooks:read",
    /// Make and change them.
    WebhooksWrite = "webhooks:write",
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_told_apart() {
        let names: BTreeSet<_> = Scope::TENANT.iter().map(|scope| scope.as_str()).collect();
        assert_eq!(names.len(), Scope::TENANT.len());
        assert!(!names.contains(Scope::Operator.as_str()), "no tenant runs Berth");
    }
}
