//! The use cases of Berth: book, cancel, reschedule, availability, connections, webhooks, plugins, jobs.
//!
//! Knows no HTTP, no SQL text and no WebAssembly: it asks the store and, through the `Providers` port, the providers. Every
//! refusal is a [`Problem`], ready for the caller.
#![forbid(unsafe_code)]

mod availability;
mod bookings;
mod calendars;
mod catalog;
mod computing;
mod connections;
mod customers;
mod events;
mod fault;
mod inbound;
mod jobs;
mod mirror;
mod outbound;
mod plugins;
mod privacy;
mod tenants;

use std::sync::{Arc, atomic::AtomicU64};

use berth_model::{
    id::{AuditEntryId, Id, TenantId},
    limits,
    outbound::provider::{Providers, TokenEndpoint},
    plugins::plugin::PluginHost,
    problem::Problem,
    random::Random,
    time::{Clock, Instant},
    validate,
};
use berth_store::{
    Store,
    records::{Audit, IdempotencyKey},
};

pub use availability::holidays::{HolidayImport, ImportedHolidays};
pub use availability::rules::PatternPreview;
pub use availability::{AvailabilityAnswer, AvailabilityQuery, Degraded, OfferedSlot, RejectedSlot};
pub use bookings::change::CancelBooking;
pub use bookings::create::{BookOutcome, BookRequest, HoldClaim};
pub use bookings::holds::HoldRequest;
pub use bookings::manage::{ManageLink, Managed};
pub use bookings::reschedule::RescheduleBooking;
pub use bookings::series::{RefusedOccurrence, SeriesOutcome, SeriesRequest};
pub use calendars::connected::{CalendarPatch, NewCalendar};
pub use catalog::event_types::{DuplicateEventType, EventTypePatch, NewEventType};
pub use catalog::listings::{ListingPatch, NewListing};
pub use catalog::members::{MemberPatch, NewMember};
pub use catalog::standing::Counterpart;
pub use computing::beside;
pub use connections::disconnect::{ConnectionDeletion, Ends};
pub use connections::oauth::{NewOAuthClient, OAuthAnswer, OAuthReturn, OAuthStarted};
pub use connections::routing::ProviderChoice;
pub use connections::same_account::SameAccount;
pub use connections::{ConnectionPatch, NewConnection};
pub use events::{EventQuery, EventWait};
pub use jobs::operations::{JobState, Operation, ProviderSync, ProviderSyncState};
pub use mirror::{Difference, Reconciliation, SyncStatus};
pub use plugins::InstalledPlugin;
pub use plugins::grants::{GrantChange, Losing};
pub use plugins::installations::InstallationRoom;
pub use privacy::{ConsentEvidence, ConsentTextDraft, GiveConsent, WithdrawConsent};
pub use tenants::keys::{NewKey, OPERATOR_SCOPE, TENANT_SCOPES, may_come_from};
pub use tenants::{NewTenant, TenantPatch};

/// Put the fields of a patch that are there in place of the record's.
macro_rules! apply {
    ($to:ident, $from:ident, $($field:ident),* $(,)?) => { $(if let Some(value) = $from.$field { $to.$field = value; })* };
}
use apply;

/// The result of a use case.
pub type Outcome<T> = Result<T, Problem>;

/// Who asks.
#[derive(Debug, Clone)]
pub struct Caller {
    /// For which tenant.
    pub tenant: TenantId,
    /// `key:<id>`, `customer`, `operator`, `job:<id>`, `provider:<plugin>` or `system`.
    pub actor: String,
    /// The request or job.
    pub request_id: String,
    /// The Idempotency-Key that this request reserved, if it came with one.
    pub idempotency_key: Option<IdempotencyKey>,
}

/// What an engine is made of.
pub struct EngineParts {
    /// The database.
    pub store: Store,
    /// The provider components.
    pub providers: Arc<dyn Providers>,
    /// Token endpoints of providers.
    pub token_endpoint: Arc<dyn TokenEndpoint>,
    /// The same components, as an operator manages them.
    pub plugins: Arc<dyn PluginHost>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness for ids, keys and jitter.
    pub random: Arc<dyn Random>,
    /// Where providers reach this engine (`https://booking.example`); none: webhooks are not subscribed to.
    pub public_url: Option<String>,
}

/// The engine. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    parts: EngineParts,
    /// Tokens that renew themselves.
    tokens: Arc<connections::oauth::Tokens>,
    /// Who works on jobs.
    queues: Arc<jobs::workers::Queues>,
    /// Wakes what something stopped that works again.
    recovery: Arc<connections::recovery::Recovery>,
    /// What keeps a provider from being asked that does not answer.
    breakers: Arc<connections::breaker::ConnectionBreakers>,
    /// Webhooks that were refused and not counted in the database yet.
    refusals: inbound::refusals::Refusals,
    /// Threads for what needs a core for long.
    computing: computing::Computing,
    /// What providers said a moment ago.
    cache: connections::cache::ProviderCache,
    /// Members whose calendars somebody was asked to look at.
    looked: calendars::looks::Looked,
    /// With which data of zones ([`berth_model::zone::generation`]) bookings to come were looked through last.
    clocks_looked: AtomicU64,
    /// Who waits for events.
    event_waits: Arc<events::waiting::Waits>,
    /// Plugin generation that was loaded last.
    generation: std::sync::atomic::AtomicI64,
    /// Active plugins that could not be loaded.
    reload: std::sync::Mutex<plugins::Reload>,
    /// Room for components that are on their way in.
    installing: Arc<tokio::sync::Semaphore>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("store", &self.inner.parts.store).finish_non_exhaustive()
    }
}

impl Engine {
    /// An engine of these parts. Does nothing by itself: see `run_due_jobs` and `work`.
    #[must_use]
    pub fn new(mut parts: EngineParts) -> Self {
        let bare = parts.providers;
        let tokens = connections::oauth::Tokens::new(
            parts.store.clone(),
            bare.clone(),
            parts.token_endpoint.clone(),
            parts.clock.clone(),
        );
        let queues = Arc::new(jobs::workers::Queues::new());
        let recovery = Arc::new(connections::recovery::Recovery {
            store: parts.store.clone(),
            clock: parts.clock.clone(),
            queues: queues.clone(),
        });
        let breakers = Arc::new(connections::breaker::ConnectionBreakers::new(recovery.clone()));
        parts.providers = Arc::new(connections::oauth::Authorising {
            inner: bare,
            tokens: tokens.clone(),
            breakers: breakers.clone(),
            store: parts.store.clone(),
        });
        Self {
            inner: Arc::new(Inner {
                parts,
                tokens,
                queues,
                recovery,
                breakers,
                refusals: inbound::refusals::Refusals::default(),
                computing: computing::Computing::of_this_machine(),
                cache: connections::cache::ProviderCache::new(),
                looked: calendars::looks::new_looked(),
                clocks_looked: AtomicU64::default(),
                event_waits: Arc::default(),
                generation: std::sync::atomic::AtomicI64::new(-1),
                reload: std::sync::Mutex::default(),
                installing: Arc::new(tokio::sync::Semaphore::new(limits::INSTALLATIONS_CONCURRENT_MAX)),
            }),
        }
    }

    /// The database, for health checks.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.inner.parts.store
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.inner.parts.clock.now()
    }

    pub(crate) fn providers(&self) -> &dyn Providers {
        &*self.inner.parts.providers
    }

    pub(crate) fn tokens(&self) -> &connections::oauth::Tokens {
        &self.inner.tokens
    }

    pub(crate) fn computing(&self) -> &computing::Computing {
        &self.inner.computing
    }

    pub(crate) fn plugin_host(&self) -> &dyn PluginHost {
        &*self.inner.parts.plugins
    }

    pub(crate) fn random(&self) -> &dyn Random {
        &*self.inner.parts.random
    }

    pub(crate) fn new_id<T>(&self) -> Id<T> {
        Id::new(self.now(), self.random())
    }

    /// The head of an audit row for what this caller does now.
    pub(crate) fn audit(&self, caller: &Caller) -> Audit {
        self.audit_by(&caller.actor, &caller.request_id)
    }

    pub(crate) fn audit_by(&self, actor: &str, request_id: &str) -> Audit {
        Audit {
            id: AuditEntryId::new(self.now(), self.random()),
            at: self.now(),
            actor: actor.to_owned(),
            request_id: request_id.to_owned(),
        }
    }
}
