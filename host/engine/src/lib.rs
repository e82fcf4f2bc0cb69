//! The use cases of Berth: book, cancel, reschedule, availability, connections, webhooks, plugins, jobs.
//!
//! Knows no HTTP, no SQL text and no WebAssembly: it asks the store and, through the `Providers` port, the providers. Every
//! refusal is a [`Problem`], ready for the caller.
#![forbid(unsafe_code)]

mod availability;
mod base;
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
mod networks;
mod outbound;
mod plugins;
mod privacy;
mod tenants;

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicI64, AtomicU64},
};

use berth_model::{
    id::TenantId,
    limits,
    outbound::provider::{Providers, TokenEndpoint},
    plugins::plugin::PluginHost,
    problem::Problem,
    random::Random,
    time::{Clock, Instant},
    validate,
};
use berth_store::{Store, records::IdempotencyKey};
use tokio::sync::Semaphore;

use self::{
    base::Base,
    calendars::writer::new_looked,
    connections::{
        breaker::ConnectionBreakers,
        cache::ProviderCache,
        call_context::CallContexts,
        names::ProviderNames,
        oauth::{Authorising, Tokens},
        recovery::Recovery,
    },
    events::waiting::Waits,
    inbound::{refusals::Refusals, trials::Trials},
    jobs::{queue::Queue, workers::Queues},
    mirror::{conflicts::Conflicts, external_bookings::ExternalBookings},
    outbound::{Outbound, deliveries::Deliveries},
    plugins::Reload,
};

pub use availability::Availability;
pub use availability::busy::{BusyAnswer, BusyOf, TakenTime};
pub use availability::holidays::{HolidayImport, ImportedHolidays};
pub use availability::rules::{PatternPreview, PatternSlots, PreviewOf};
pub use availability::{
    AvailabilityAnswer, AvailabilityQuery, Degraded, NamedSchedule, OfferedSlot, RejectedSlot,
};
pub use bookings::Bookings;
pub use bookings::bulk::{BulkPreview, BulkReport, BulkRequest, BulkSelection, Foreseen};
pub use bookings::change::CancelBooking;
pub use bookings::create::{BookOutcome, BookRequest, HoldClaim};
pub use bookings::edit::{EditBooking, ReassignBooking};
pub use bookings::holds::HoldRequest;
pub use bookings::manage::{ManageLink, Managed};
pub use bookings::reschedule::RescheduleBooking;
pub use bookings::series::{RefusedOccurrence, SeriesOutcome, SeriesRequest};
pub use calendars::Calendars;
pub use calendars::connected::{CalendarPatch, NewCalendar};
pub use calendars::integrate::{CalendarOwner, NewIntegration};
pub use calendars::writer::CalendarWriter;
pub use catalog::Catalog;
pub use catalog::event_types::{DuplicateEventType, EventTypePatch, NewEventType};
pub use catalog::joining::{JoinTeam, Joined, ShareGiven};
pub use catalog::listings::{ListingPatch, NewListing};
pub use catalog::members::{MemberPatch, NewMember};
pub use catalog::offered::Offered;
pub use catalog::standing::Counterpart;
pub use catalog::{links::ResolvedLink, private_links::NewPrivateLink};
pub use computing::Computing;
pub use computing::beside;
pub use connections::Connections;
pub use connections::available::AvailableProvider;
pub use connections::disconnect::{ConnectionDeletion, Ends};
pub use connections::given::SortedGiven;
pub use connections::oauth::{NewOAuthClient, OAuthAnswer, OAuthReturn, OAuthStarted};
pub use connections::routing::ProviderChoice;
pub use connections::same_account::SameAccount;
pub use connections::{ConnectionPatch, NewConnection};
pub use customers::{CustomerPatch, CustomerQuery, Customers, NewCustomer, WholeCustomer};
pub use events::Events;
pub use events::{EventQuery, EventWait};
pub use inbound::Inbound;
pub use jobs::Jobs;
pub use jobs::operations::{JobState, Operation, ProviderSync, ProviderSyncState};
pub use mirror::Mirror;
pub use mirror::{
    AdoptRequest, Difference, ImportReport, ImportRequest, ImportedItem, Listed, Reconciliation, SyncStatus,
    TheirBooking,
};
pub use networks::one_sender;
pub use plugins::InstalledPlugin;
pub use plugins::Plugins;
pub use plugins::grants::{GrantChange, Losing};
pub use plugins::installations::InstallationRoom;
pub use privacy::Privacy;
pub use privacy::{ConsentEvidence, ConsentTextDraft, GiveConsent, WithdrawConsent};
pub use tenants::Tenants;
pub use tenants::keys::{NewKey, OPERATOR_SCOPE, TENANT_SCOPES, may_come_from};
pub use tenants::removal::TenantRemoval;
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

/// The engine: a struct for each domain, each with what it may use. Cheap to clone. Does nothing by itself: see `jobs`.
#[derive(Clone)]
pub struct Engine {
    base: Base,
    /// Bookings: made, held, changed, repeated.
    pub bookings: Arc<Bookings>,
    /// When something can be booked, and who takes it.
    pub availability: Arc<Availability>,
    /// What is on offer and by whom: listings, event types, members; and what providers list.
    pub catalog: Arc<Catalog>,
    /// Whom bookings are for.
    pub customers: Arc<Customers>,
    /// Tenants and their keys.
    pub tenants: Arc<Tenants>,
    /// Suspending a tenant, and removing one with all it has.
    pub tenant_removal: Arc<TenantRemoval>,
    /// Connections to providers: made, tried, consented to, paused, ended.
    pub connections: Arc<Connections>,
    /// Members' own calendars as they are connected and looked at, and the feeds and invitations that show bookings in others.
    pub calendars: Arc<Calendars>,
    /// What is written into members' own calendars, and what has somebody look at them: entries of bookings, closings of times.
    pub calendar_writer: Arc<CalendarWriter>,
    /// What providers send.
    pub inbound: Arc<Inbound>,
    /// Both sides of a connection, compared and brought together.
    pub mirror: Arc<Mirror>,
    /// Working on jobs, and how they are seen.
    pub jobs: Arc<Jobs>,
    /// What happened, as others are told of it.
    pub events: Arc<Events>,
    /// What customers consented to.
    pub privacy: Arc<Privacy>,
    /// Provider components: installed, granted, activated, rolled back.
    pub plugins: Arc<Plugins>,
    /// Threads for what needs a core for long.
    pub computing: Arc<Computing>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("store", self.store()).finish_non_exhaustive()
    }
}

/// A domain of these parts. What is not among them it cannot call.
macro_rules! compose {
    ($domain:ident: $($part:ident),*) => { Arc::new($domain { $($part: $part.clone()),* }) };
}

impl Engine {
    /// An engine of these parts. What a domain may use is below it here, so that none calls itself by way of others.
    #[must_use]
    pub fn new(parts: EngineParts) -> Self {
        let EngineParts { store, token_endpoint, plugins: plugin_host, clock, random, public_url, .. } =
            parts;
        let base = Base::new(store.clone(), clock.clone(), random);
        let workers = Arc::new(Queues::new());
        let recovery =
            Arc::new(Recovery { store: store.clone(), clock: clock.clone(), queues: workers.clone() });
        let breakers = Arc::new(ConnectionBreakers::new(recovery.clone()));
        let tokens = Tokens::new(store.clone(), parts.providers.clone(), token_endpoint, clock);
        let providers: Arc<dyn Providers> = Arc::new(Authorising {
            inner: parts.providers,
            tokens: tokens.clone(),
            breakers: breakers.clone(),
            store,
        });
        let cache = Arc::new(ProviderCache::new());
        let computing = Arc::new(Computing::of_this_machine());
        let looked = new_looked();

        let queue = compose!(Queue: base, recovery, workers);
        let names = Arc::new(ProviderNames::default());
        let contexts = compose!(CallContexts: base, names);
        let conflicts = compose!(Conflicts: base, queue);
        let deliveries = compose!(Deliveries: base, contexts, providers, queue);
        let tenants = compose!(Tenants: base);
        let connections = compose!(Connections:
            base, breakers, cache, contexts, deliveries, names, providers, public_url, queue, recovery,
            tenants, tokens);
        let calendar_writer = compose!(CalendarWriter: base, cache, contexts, looked, providers, queue);
        let external_bookings = compose!(ExternalBookings:
            base, calendar_writer, conflicts, contexts, deliveries, providers);
        let catalog = compose!(Catalog: base, cache, connections, contexts, providers);
        let availability = compose!(Availability:
            base, cache, calendar_writer, catalog, computing, contexts, providers);
        let outbound = compose!(Outbound:
            base, cache, calendar_writer, conflicts, contexts, deliveries, external_bookings, providers,
            queue, recovery);
        let clocks_looked = Arc::new(AtomicU64::default());
        let bookings = compose!(Bookings:
            base, availability, cache, calendar_writer, catalog, clocks_looked, contexts, outbound,
            public_url, queue);
        let calendars = compose!(Calendars:
            base, availability, cache, calendar_writer, catalog, computing, conflicts, connections, contexts,
            providers, public_url, queue, tenants);
        let refusals = Arc::new(Refusals::default());
        let trials = Arc::new(Trials::default());
        let inbound = compose!(Inbound:
            base, cache, calendar_writer, conflicts, connections, contexts, deliveries, external_bookings,
            providers, queue, refusals, trials);
        let mirror = compose!(Mirror:
            base, bookings, cache, calendar_writer, catalog, computing, conflicts, connections, contexts,
            deliveries, external_bookings, inbound, outbound, providers, queue);
        let jobs =
            compose!(Jobs: base, bookings, calendar_writer, calendars, inbound, mirror, outbound, queue);
        let tenant_removal = compose!(TenantRemoval: base, connections, queue, recovery, tenants);
        let generation = Arc::new(AtomicI64::new(-1));
        let installing = Arc::new(Semaphore::new(limits::INSTALLATIONS_CONCURRENT_MAX));
        let reload = Arc::new(Mutex::new(Reload::default()));
        let plugins = compose!(Plugins:
            base, generation, installing, names, plugin_host, providers, recovery, reload);
        let customers = compose!(Customers: base);
        let event_waits = Arc::new(Waits::default());
        let events = compose!(Events: base, event_waits);
        let privacy = compose!(Privacy: base);
        Self {
            base,
            bookings,
            availability,
            catalog,
            customers,
            tenants,
            tenant_removal,
            connections,
            calendars,
            calendar_writer,
            inbound,
            mirror,
            jobs,
            events,
            privacy,
            plugins,
            computing,
        }
    }

    /// The database, for health checks.
    #[must_use]
    pub fn store(&self) -> &Store {
        self.base.store()
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.base.now()
    }
}
