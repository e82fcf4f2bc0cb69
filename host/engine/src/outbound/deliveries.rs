//! The lower floor of outbound, which connections and the mirror use. What stands at a provider is asked in `external.rs`; what a try came to is
//! written down in `settle.rs`.

use std::sync::Arc;

use berth_model::outbound::provider::Providers;

use crate::{base::Base, connections::call_context::CallContexts, jobs::queue::Queue};

/// What stands at a provider for a booking of ours, and what came of bringing it there.
pub(crate) struct Deliveries {
    pub(crate) base: Base,
    pub(crate) contexts: Arc<CallContexts>,
    pub(crate) providers: Arc<dyn Providers>,
    pub(crate) queue: Arc<Queue>,
}
