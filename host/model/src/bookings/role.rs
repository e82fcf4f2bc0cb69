//! In whose name things happen to a booking.

/// In whose name a booking changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Whoever it was made for, by the link that they were sent.
    Customer,
    /// The business: a person or program with a key, or an operator for it.
    Tenant,
    /// The provider: what it answered or told.
    Provider,
    /// The engine itself: sweeps, rules, jobs.
    System,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 4] = [Self::Customer, Self::Tenant, Self::Provider, Self::System];

    /// The name in events.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Tenant => "tenant",
            Self::Provider => "provider",
            Self::System => "system",
        }
    }

    /// Whose name an actor of the audit log stands for: `key:<id>`, `customer`, `operator`, `job:<id>`, `provider:<plugin>`, `system`.
    #[must_use]
    pub fn of_actor(actor: &str) -> Self {
        let kind = actor.split_once(':').map_or(actor, |(kind, _)| kind);
        match kind {
            "customer" => Self::Customer,
            "provider" => Self::Provider,
            "system" | "job" => Self::System,
            _ => Self::Tenant,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Role;

    #[test]
    fn actors_of_the_audit_log_stand_for_roles() {
        for (actor, role) in [
            ("customer", Role::Customer),
            ("key:0198c0de-0000-7000-8000-000000000001", Role::Tenant),
            ("operator", Role::Tenant),
            ("provider:reference", Role::Provider),
            ("job:0198c0de-0000-7000-8000-000000000001", Role::System),
            ("system", Role::System),
        ] {
            assert_eq!(Role::of_actor(actor), role, "{actor}");
        }
    }
}
