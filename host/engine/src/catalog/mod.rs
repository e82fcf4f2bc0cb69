//! What can be booked: listings, event types and members, and what providers have of them.

pub(crate) mod at_provider;
pub(crate) mod counterparts;
pub(crate) mod event_types;
pub(crate) mod joining;
pub(crate) mod links;
pub(crate) mod listings;
pub(crate) mod members;
pub(crate) mod offered;
pub(crate) mod private_links;
pub(crate) mod standing;
pub(crate) mod uses;

use std::sync::Arc;

use berth_model::outbound::provider::Providers;

use crate::{
    base::Base,
    connections::{Connections, cache::ProviderCache, call_context::CallContexts},
};

/// What is on offer and by whom: listings, event types, members; and what providers list.
pub struct Catalog {
    pub(crate) base: Base,
    pub(crate) cache: Arc<ProviderCache>,
    pub(crate) connections: Arc<Connections>,
    pub(crate) contexts: Arc<CallContexts>,
    pub(crate) providers: Arc<dyn Providers>,
}
