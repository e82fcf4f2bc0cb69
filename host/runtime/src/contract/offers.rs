//! What a component offers: `connection`, and those of the optional interfaces that it exports. Found out once per
//! version; a call then loads only the interface that it needs.

use berth_model::plugins::plugin::Capabilities;
use wasmtime::component::InstancePre;

use super::{
    bindings::exports::berth::provider::{
        availability, blocks, booking_edits, bookings, catalog, clients, connection, links, webhooks,
    },
    names::{self, Interface},
};

/// Looked-up exports of a component.
pub(crate) struct Offers {
    /// Never none: every component exports it. An option like the others, so that all are used in one way.
    pub(crate) connection: Option<connection::GuestIndices>,
    pub(crate) catalog: Option<catalog::GuestIndices>,
    pub(crate) availability: Option<availability::GuestIndices>,
    pub(crate) bookings: Option<bookings::GuestIndices>,
    pub(crate) links: Option<links::GuestIndices>,
    pub(crate) webhooks: Option<webhooks::GuestIndices>,
    pub(crate) clients: Option<clients::GuestIndices>,
    pub(crate) blocks: Option<blocks::GuestIndices>,
    pub(crate) booking_edits: Option<booking_edits::GuestIndices>,
}

/// One interface of the contract by its indices, so that the exports are looked up and tried in one way.
macro_rules! look_up {
    ($pre:ident, $problems:ident, $module:ident) => {
        if names::exports($pre.component(), Interface::named(stringify!($module))) {
            match $module::GuestIndices::new($pre) {
                Ok(found) => Some(found),
                Err(error) => {
                    $problems.push(names::incomplete(Interface::named(stringify!($module)), &error));
                    None
                }
            }
        } else {
            None
        }
    };
}

impl Offers {
    /// Look the exports up. All problems at once: interfaces that are missing or lack a function.
    pub(crate) fn find<T>(pre: &InstancePre<T>) -> Result<Self, Vec<String>> {
        let mut problems = Vec::new();
        let connection = look_up!(pre, problems, connection);
        let catalog = look_up!(pre, problems, catalog);
        let availability = look_up!(pre, problems, availability);
        let bookings = look_up!(pre, problems, bookings);
        let links = look_up!(pre, problems, links);
        let webhooks = look_up!(pre, problems, webhooks);
        let clients = look_up!(pre, problems, clients);
        let blocks = look_up!(pre, problems, blocks);
        let booking_edits = look_up!(pre, problems, booking_edits);
        if connection.is_none() && problems.is_empty() {
            problems.push(names::no_connection(&names::exported(pre.component())));
        }
        if problems.is_empty() {
            Ok(Self {
                connection,
                catalog,
                availability,
                bookings,
                links,
                webhooks,
                clients,
                blocks,
                booking_edits,
            })
        } else {
            Err(problems)
        }
    }

    /// The optional interfaces as flags.
    pub(crate) const fn capabilities(&self) -> Capabilities {
        Capabilities {
            catalog: self.catalog.is_some(),
            availability: self.availability.is_some(),
            bookings: self.bookings.is_some(),
            links: self.links.is_some(),
            webhooks: self.webhooks.is_some(),
            clients: self.clients.is_some(),
            blocks: self.blocks.is_some(),
            booking_edits: self.booking_edits.is_some(),
        }
    }

    /// Check the type of every offered function against the contract, on an instance.
    pub(crate) fn check_types(
        &self,
        mut store: impl wasmtime::AsContextMut,
        instance: &wasmtime::component::Instance,
    ) -> Vec<String> {
        let mut problems = Vec::new();
        let mut check = |name: &'static str, outcome: Option<wasmtime::Error>| {
            if let Some(error) = outcome {
                problems.push(names::wrong_type(Interface::named(name), &error));
            }
        };
        check("connection", self.connection.as_ref().and_then(|i| i.load(&mut store, instance).err()));
        check("catalog", self.catalog.as_ref().and_then(|i| i.load(&mut store, instance).err()));
        check("availability", self.availability.as_ref().and_then(|i| i.load(&mut store, instance).err()));
        check("bookings", self.bookings.as_ref().and_then(|i| i.load(&mut store, instance).err()));
        check("links", self.links.as_ref().and_then(|i| i.load(&mut store, instance).err()));
        check("webhooks", self.webhooks.as_ref().and_then(|i| i.load(&mut store, instance).err()));
        check("clients", self.clients.as_ref().and_then(|i| i.load(&mut store, instance).err()));
        check("blocks", self.blocks.as_ref().and_then(|i| i.load(&mut store, instance).err()));
        check("booking_edits", self.booking_edits.as_ref().and_then(|i| i.load(&mut store, instance).err()));
        problems
    }
}
