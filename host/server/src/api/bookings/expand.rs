//! What else is shown of bookings that are listed: what their ids stand for, each thing read once for a page.

use std::collections::{BTreeMap, BTreeSet};

use berth_engine::{Caller, Outcome};
use berth_model::{
    id::{CustomerId, EventTypeId, ListingId, MemberId},
    problem::{Code, Problem},
    tenants::scope::Scope,
};
use serde_json::Value;

use super::view::{BookingView, Expanded};
use crate::{
    api::{
        catalog::{event_types::View as EventTypeView, listings, members},
        customers,
    },
    http::{app::App, auth::Authenticated, problem::wrong},
};

/// Each thing once, as it is shown. What is not there any more, or became part of another, is left out.
macro_rules! each {
    ($ids:expr, |$id:ident| $read:expr) => {{
        let ids: BTreeSet<_> = $ids.collect();
        let mut shown = BTreeMap::new();
        for $id in ids {
            match $read {
                Ok(view) => {
                    shown.insert($id, serde_json::to_value(view).unwrap_or_default());
                }
                Err(problem) if [Code::NotFound, Code::CustomerMerged].contains(&problem.code) => {}
                Err(problem) => return Err(problem),
            }
        }
        shown
    }};
}

/// What can be shown, and who may see it.
const PARTS: [(&str, Scope); 4] = [
    ("event_type", Scope::ListingsRead),
    ("member", Scope::ListingsRead),
    ("listing", Scope::ListingsRead),
    ("customer", Scope::CustomersRead),
];

/// What a booking refers to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ids {
    pub(super) event_type: Option<EventTypeId>,
    pub(super) member: Option<MemberId>,
    pub(super) listing: Option<ListingId>,
    pub(super) customer: Option<CustomerId>,
}

/// A booking that can be shown with what it refers to.
pub(super) trait Expandable {
    fn ids(&self) -> Ids;
    fn expand(&mut self, expanded: Expanded);
}

impl Expandable for BookingView {
    fn ids(&self) -> Ids {
        Ids {
            event_type: Some(self.event_type),
            member: Some(self.member),
            listing: Some(self.listing),
            customer: self.customer_id,
        }
    }

    fn expand(&mut self, expanded: Expanded) {
        self.expanded = Some(expanded);
    }
}

/// What is to be shown.
#[derive(Debug, Clone, Default)]
pub(super) struct Expand(BTreeSet<&'static str>);

impl Expand {
    /// What these names ask for, by a key that may read it.
    pub(super) fn named(names: Option<&str>, key: &Authenticated) -> Result<Self, Problem> {
        let mut expand = Self::default();
        for name in names.into_iter().flat_map(|names| names.split(',')).map(str::trim) {
            let Some((part, scope)) = PARTS.into_iter().find(|(part, _)| *part == name) else {
                let all = PARTS.map(|(part, _)| part).join(", ");
                return Err(wrong("expand", format!("{name:?} is not known here; of: {all}")));
            };
            key.check(scope)?;
            expand.0.insert(part);
        }
        Ok(expand)
    }

    /// Show it.
    pub(super) async fn fill(self, app: &App, caller: &Caller, items: &mut [impl Expandable]) -> Outcome<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        let [event_type, member, listing, customer] = PARTS.map(|(part, _)| self.0.contains(part));
        let catalog = &app.engine().catalog;
        let all: Vec<Ids> = items.iter().map(Expandable::ids).collect();
        let ids = |wanted: bool| all.iter().filter(move |_| wanted);
        let event_types =
            each!(ids(event_type).filter_map(|b| b.event_type), |id| event_type_of(app, caller, id).await);
        let members = each!(ids(member).filter_map(|b| b.member), |id| {
            catalog.member(caller, id).await.map(members::View::from)
        });
        let listings = each!(ids(listing).filter_map(|b| b.listing), |id| {
            catalog.listing(caller, id).await.map(listings::View::from)
        });
        let customers = each!(ids(customer).filter_map(|b| b.customer), |id| {
            app.engine().customers.customer(caller, id).await.map(customers::View::from)
        });
        for (item, of) in items.iter_mut().zip(&all) {
            let shown =
                |wanted: bool, found: Option<&Value>| wanted.then(|| found.cloned().unwrap_or_default());
            item.expand(Expanded {
                event_type: shown(event_type, of.event_type.and_then(|id| event_types.get(&id))),
                member: shown(member, of.member.and_then(|id| members.get(&id))),
                listing: shown(listing, of.listing.and_then(|id| listings.get(&id))),
                customer: shown(customer, of.customer.and_then(|id| customers.get(&id))),
            });
        }
        Ok(())
    }
}

async fn event_type_of(app: &App, caller: &Caller, id: EventTypeId) -> Outcome<EventTypeView> {
    let record = app.engine().catalog.event_type(caller, id).await?;
    let counterpart = app.engine().catalog.counterparts_of(caller, std::slice::from_ref(&record)).await?;
    Ok(EventTypeView::of(record, counterpart.into_iter().next().flatten()))
}
