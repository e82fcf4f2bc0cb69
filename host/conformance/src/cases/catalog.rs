//! The account, what can be booked, and when.

use std::collections::BTreeSet;

use berth_model::{
    outbound::provider::{BusyQuery, ExternalEventType, PageRequest, Providers as _},
    time::Interval,
    zone::Zone,
};

use crate::{
    finding::{Finding, Found},
    simulated_provider::Fault,
    subject::{Subject, call},
};

/// Pages that are followed.
const PAGES_MAX: usize = 50;

pub(super) async fn validates(subject: &Subject) -> Found {
    let observed = call!(subject, Fault::None, |p, cx| p.validate(cx));
    let account = observed.outcome.map_err(|error| Finding::fail(format!("validate: {error}")))?;
    if account.id.is_empty() || account.name.is_empty() {
        return Err(Finding::fail("the account has no id or no name"));
    }
    if account.time_zone.as_ref().is_some_and(|zone| zone.parse::<Zone>().is_err()) {
        return Err(Finding::fail(
            "the account's time-zone is no IANA zone: leave it out if the provider has another form",
        ));
    }
    let changing = observed.requests.iter().find(|r| matches!(r.method.as_str(), "PUT" | "PATCH" | "DELETE"));
    match changing {
        Some(request) => {
            Err(Finding::fail(format!("validate sends {} {}", request.method, request.url.path())))
        }
        None => Ok(Finding::pass()),
    }
}

async fn event_types(subject: &Subject, limit: u32) -> Result<Vec<ExternalEventType>, Finding> {
    let (mut found, mut token) = (Vec::new(), None);
    for _ in 0..PAGES_MAX {
        let page = PageRequest { token: token.take(), limit };
        let observed = call!(subject, Fault::None, |p, cx| p.list_event_types(cx, page));
        let page = observed.outcome.map_err(|error| Finding::fail(format!("list-event-types: {error}")))?;
        found.extend(page.items);
        match page.next {
            None => return Ok(found),
            next => token = next,
        }
    }
    Err(Finding::fail(format!("list-event-types has more than {PAGES_MAX} pages of {limit}")))
}

pub(super) async fn pages_to_the_end(subject: &Subject) -> Found {
    if !subject.capabilities.catalog {
        return Err(Finding::not_applicable("has no catalog"));
    }
    let all = event_types(subject, 50).await?;
    let one_by_one = event_types(subject, 1).await?;
    let ids = |list: &[ExternalEventType]| list.iter().map(|e| e.id.clone()).collect::<Vec<_>>();
    if ids(&all).iter().collect::<BTreeSet<_>>().len() != all.len() {
        return Err(Finding::fail("the same event type comes twice"));
    }
    if ids(&all) != ids(&one_by_one) {
        return Err(Finding::fail(
            "pages of one hold other event types, or another order, than one page of all",
        ));
    }
    match &subject.setup.event_type {
        Some(wanted) if all.iter().all(|e| e.id != *wanted) => {
            Err(Finding::fail(format!("the event type {wanted} of conformance.toml is not listed")))
        }
        _ if all.is_empty() => Err(Finding::inconclusive("the account has no event type")),
        _ => Ok(Finding::pass()),
    }
}

pub(super) async fn ends_a_paging_loop(subject: &Subject) -> Found {
    let mut tried = false;
    if subject.capabilities.catalog {
        tried = true;
        let page = PageRequest { token: None, limit: 1 };
        let observed = call!(subject, Fault::SameAgain, |p, cx| p.list_event_types(cx, page));
        ended("list-event-types", observed.outcome.err())?;
    }
    if subject.capabilities.bookings {
        tried = true;
        let observed = call!(subject, Fault::SameAgain, |p, cx| p.list_changes(cx, None, 1));
        ended("list-changes", observed.outcome.err())?;
    }
    if tried { Ok(Finding::pass()) } else { Err(Finding::not_applicable("lists nothing")) }
}

fn ended(function: &str, error: Option<berth_model::outbound::provider::CallError>) -> Result<(), Finding> {
    use berth_model::outbound::provider::CallError::{Exhausted, Trap};
    match error {
        Some(error @ (Exhausted { .. } | Trap { .. })) => Err(Finding::fail(format!(
            "{function} follows pages that repeat for ever: {error}; stop when a page brings nothing new"
        ))),
        _ => Ok(()),
    }
}

pub(super) async fn resolves_a_link(subject: &Subject) -> Found {
    let Some(url) = subject.setup.link.clone().filter(|_| subject.capabilities.catalog) else {
        return Err(Finding::not_applicable("conformance.toml names no link"));
    };
    let observed = call!(subject, Fault::None, |p, cx| p.resolve_link(cx, url));
    let event_type = observed.outcome.map_err(|error| Finding::fail(format!("resolve-link: {error}")))?;
    match &subject.setup.event_type {
        Some(wanted) if event_type.id != *wanted => {
            Err(Finding::fail(format!("the link leads to {}, not to {wanted}", event_type.id)))
        }
        _ => Ok(Finding::pass()),
    }
}

pub(super) async fn slots_are_in_order(subject: &Subject) -> Found {
    if subject.spans().await?.free_slots_days == 0 {
        return Err(Finding::not_applicable("tells no free slots"));
    }
    let from = subject.setup.from.unwrap_or_else(|| subject.now().plus_seconds(86_400));
    let slots = subject.slots(1).await?;
    if !slots.is_sorted_by_key(|slot| slot.when.start()) {
        return Err(Finding::fail("free slots are not ascending"));
    }
    if slots.iter().any(|slot| slot.when.start() < from || slot.when.end() <= slot.when.start()) {
        return Err(Finding::fail("a free slot is not wholly inside of what was asked, or has no length"));
    }
    Ok(Finding::pass())
}

pub(super) async fn busy_is_in_order(subject: &Subject) -> Found {
    let days = subject.spans().await?.busy_days;
    if days == 0 {
        return Err(Finding::not_applicable("tells no busy times"));
    }
    let from = subject.setup.from.unwrap_or_else(|| subject.now().plus_seconds(86_400));
    let until = from.plus_seconds(i64::from(days.min(7)) * 86_400);
    let within = Interval::new(from, until).map_err(|e| Finding::inconclusive(e.to_string()))?;
    let query = BusyQuery { within, calendars: Vec::new(), time_zone: "Europe/Lisbon".to_owned() };
    let observed = call!(subject, Fault::None, |p, cx| p.busy(cx, query));
    let busy = observed.outcome.map_err(|error| Finding::fail(format!("busy: {error}")))?;
    if busy.is_sorted_by_key(|b| b.when.start()) {
        Ok(Finding::pass())
    } else {
        Err(Finding::fail("busy times are not ascending"))
    }
}
