//! The provider's customers, and links for one customer.

use std::collections::BTreeSet;

use berth_model::outbound::provider::{CallError, LinkRequest, PageRequest, ProviderError, Providers as _};

use crate::{
    finding::{Finding, Found},
    simulated_provider::Fault,
    subject::{Subject, call},
};

/// Pages that are followed.
const PAGES_MAX: usize = 50;

pub(super) async fn lists_clients(subject: &Subject) -> Found {
    if !subject.capabilities.clients {
        return Err(Finding::not_applicable("has no clients"));
    }
    let (mut ids, mut token) = (BTreeSet::new(), None);
    for _ in 0..PAGES_MAX {
        let page = PageRequest { token: token.take(), limit: 20 };
        let observed = call!(subject, Fault::None, |p, cx| p.list_clients(cx, page));
        let page = observed.outcome.map_err(|error| Finding::fail(format!("list-clients: {error}")))?;
        for client in page.items {
            if !ids.insert(client.id) {
                return Err(Finding::fail("the same client comes twice"));
            }
        }
        match page.next {
            None => return Ok(Finding::pass()),
            next => token = next,
        }
    }
    Err(Finding::fail(format!("list-clients has more than {PAGES_MAX} pages")))
}

pub(super) async fn makes_links(subject: &Subject) -> Found {
    if !subject.capabilities.links {
        return Err(Finding::not_applicable("makes no links"));
    }
    let request = LinkRequest {
        idempotency_key: subject.name("link"),
        event_type: subject.event_type()?,
        max_bookings: 1,
    };
    let observed = call!(subject, Fault::None, |p, cx| p.create_booking_link(cx, request));
    match observed.outcome {
        Ok(link) if link.url.starts_with("https://") => Ok(Finding::pass()),
        Ok(link) => Err(Finding::fail(format!("the link {:?} is not https", link.url))),
        Err(CallError::Provider(ProviderError::Unsupported { .. })) => {
            Err(Finding::not_applicable("makes no links"))
        }
        Err(error) => Err(Finding::fail(format!("create-booking-link: {error}"))),
    }
}
