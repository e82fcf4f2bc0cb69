//! The cases, by what they need. Ids are for ever: a case that goes leaves a gap.

mod blocks;
mod bookings;
mod catalog;
mod changes;
mod description;
mod functions;
mod nonsense;
mod people;
mod refusals;
mod webhooks;

use std::{future::Future, pin::Pin};

use crate::{finding::Finding, subject::Subject};

type Run = for<'a> fn(&'a Subject) -> Pin<Box<dyn Future<Output = Finding> + Send + 'a>>;

/// A numbered case.
pub(crate) struct Case {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    /// The rule of the contract that it shows.
    pub(crate) rule: &'static str,
    pub(crate) needs_provider: bool,
    pub(crate) run: Run,
}

macro_rules! cases {
    ($($id:literal $needs:ident $module:ident :: $name:ident $title:literal $rule:literal;)*) => {
        /// Every case, in order.
        pub(crate) const CASES: &[Case] = &[$(Case {
            id: $id,
            title: $title,
            rule: $rule,
            needs_provider: cases!(@provider $needs),
            run: |subject| Box::pin(async move {
                cases!(@found $needs $module::$name(subject)).unwrap_or_else(|finding| finding)
            }),
        }),*];
    };
    (@provider provider) => { true };
    (@provider $other:ident) => { false };
    // What is found without a call.
    (@found manifest $call:expr) => { $call };
    (@found $other:ident $call:expr) => { $call.await };
}

cases! {
    "C001" manifest description::is_described
        "says what it is" "world: Berth finds out what a provider can do from what it exports; people read the manifest.";
    "C002" manifest description::asks_for_no_secret
        "asks for no secret in its settings" "imports.credentials: no function returns one; settings are readable.";
    "C003" manifest description::verifies_what_it_handles
        "declares how its webhooks are verified" "webhooks: Berth checks the signature over the raw bytes as the manifest says.";
    "C004" alone description::spans_are_pure
        "declares its query spans without a request" "availability.spans: pure, no request is made.";
    "C005" alone nonsense::asks_its_hosts_only
        "sends requests to the manifest's hosts only" "world: hosts of the manifest are the only way out.";
    "C006" alone nonsense::sends_no_credential
        "leaves credentials to the host" "imports.credentials: Berth attaches them after the request left the component.";
    "C010" alone refusals::unauthorised
        "understands 401" "provider-error.unauthorised: HTTP 401.";
    "C011" alone refusals::forbidden
        "understands 403" "provider-error.forbidden: HTTP 403.";
    "C012" alone refusals::not_found
        "understands 404" "provider-error.not-found: HTTP 404, 410.";
    "C013" alone refusals::rate_limited
        "hands on how long to wait, and asks no more" "provider-error.rate-limited: milliseconds to wait, where the provider says so.";
    "C014" alone refusals::rate_limited_without_a_time
        "understands 429 without a time" "provider-error.rate-limited: none where the provider does not say.";
    "C015" alone refusals::server_error
        "takes a 5xx for no answer" "provider-error.unavailable: HTTP 5xx; for a change: it may or may not have happened.";
    "C016" alone refusals::unreachable
        "takes a broken connection for no answer" "provider-error.unavailable: network, timeout.";
    "C020" alone nonsense::survives_malformed_answers
        "survives malformed answers" "types.provider-error: everything that can go wrong is an error, never a trap.";
    "C021" alone nonsense::malformed_is_not_definite
        "never takes a malformed answer for a refusal" "bookings: conflict and invalid are definite, unavailable is not.";
    "C022" alone webhooks::survives_unknown_messages
        "survives messages of an unknown shape" "webhooks.handle: no events for messages that do not matter.";
    "C101" provider catalog::validates
        "validates the account and changes nothing" "connection.validate: one cheap read; must change nothing.";
    "C102" provider catalog::pages_to_the_end
        "lists event types to the end, in a stable order" "catalog.list-event-types: page by page, in a stable order.";
    "C103" provider catalog::ends_a_paging_loop
        "ends when pages never do" "a call ends by itself whatever the provider answers.";
    "C104" provider catalog::resolves_a_link
        "resolves a public link" "catalog.resolve-link: the event type behind a public booking link.";
    "C105" provider catalog::slots_are_in_order
        "tells free slots in order and inside" "availability.free-slots: ascending; slots lie wholly inside.";
    "C106" provider catalog::busy_is_in_order
        "tells busy times in order" "availability.busy: ascending.";
    "C110" provider bookings::creates
        "creates a booking that is found again" "bookings.create, get, find-by-reference.";
    "C111" provider bookings::creates_once
        "makes one booking of two tries" "bookings: the key stays the same over all retries; no number of retries ever makes two.";
    "C112" provider bookings::creates_once_when_unsure
        "finds the booking whose answer was lost" "bookings: else Berth calls find-by-reference before it tries again.";
    "C113" provider bookings::creates_after_a_failure
        "creates after a failed try" "provider-error.unavailable: try again.";
    "C114" provider bookings::says_when_a_slot_is_taken
        "says when a slot is taken" "bookings.create: conflict(slot-taken) is definite: nothing was made.";
    "C115" provider bookings::keeps_instants_over_a_clock_change
        "keeps instants over a change of clocks" "types.instant: zones never change an instant.";
    "C120" provider changes::cancels_twice
        "cancels, and cancels again" "bookings.cancel: cancelling a cancelled booking succeeds and returns it.";
    "C121" provider changes::cancels_when_unsure
        "cancels after an answer was lost" "provider-error.unavailable: for a change: it may or may not have happened.";
    "C122" provider changes::knows_what_does_not_exist
        "knows what does not exist" "provider-error.not-found.";
    "C130" provider changes::reschedules
        "moves a booking" "bookings.reschedule: the answer may have a new id.";
    "C131" provider changes::reschedules_or_leaves
        "moves whole or not at all" "bookings.reschedule: either the booking has the new time, or nothing changed.";
    "C132" provider changes::reschedules_once_when_unsure
        "has one booking after a move whose answer was lost" "bookings: no number of retries ever makes two.";
    "C140" provider changes::lists_changes
        "misses no change" "bookings.list-changes: no change may be missed.";
    "C141" provider changes::pages_changes
        "lists changes page by page" "bookings.list-changes: more: ask again at once with cursor.";
    "C142" provider changes::says_when_a_cursor_expired
        "says when a cursor is too old" "provider-error.cursor-expired: start over with none.";
    "C150" provider webhooks::reads_the_same_twice
        "reads a message twice with the same result" "webhooks.handle: must give the same result for the same message.";
    "C151" provider webhooks::subscribes_once
        "subscribes once, and ends it twice" "webhooks.subscribe: if one with this callback exists, return it.";
    "C160" provider people::lists_clients
        "lists clients to the end" "clients.list-clients: page by page, in a stable order.";
    "C161" provider people::makes_links
        "makes booking links" "links.create-booking-link.";
    "C170" provider blocks::closes_a_time
        "closes a time, and opens it again" "blocks.create-block, remove-block: nobody books a closed time; one that is gone is open.";
    "C171" provider blocks::closes_once
        "closes a time once in two tries" "blocks.block-request.idempotency-key: the same for every try of this block.";
    "C172" provider blocks::finds_what_it_closed
        "finds the block whose answer was lost" "blocks.find-blocks: every block that carries the reference; asked before a second try.";
}

#[cfg(test)]
mod tests {
    use super::CASES;

    #[test]
    fn ids_are_unique_and_ascend() {
        assert!(CASES.windows(2).all(|pair| pair[0].id < pair[1].id));
    }
}
