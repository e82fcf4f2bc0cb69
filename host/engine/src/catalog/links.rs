//! Links to one event type wherever it is booked: made by its provider, where that makes links, and else one of ours; and what stands behind a
//! public link of a provider.

use berth_model::{
    catalog::{
        event_type::EventTypeRecord,
        private_link::{LinkThere, PrivateLink},
    },
    connections::connection::ConnectionRecord,
    hex::to_hex,
    id::{ConnectionId, EventTypeId},
    limits,
    outbound::provider::{CallError, ExternalEventType, LinkRequest, ProviderError},
    problem::{FieldError, Problem},
    text::is_https_address,
};
use ring::digest::{SHA256, digest};

use super::private_links::NewPrivateLink;
use crate::{Caller, Outcome, ProviderChoice, catalog::Catalog};

/// Event types here that are looked through for those that stand for one of a provider's.
const EVENT_TYPES_MAX: u32 = 1_000;
/// Bytes of a digest that tell one request from another.
const KEY_BYTES: usize = 16;

/// What stands behind a public link of a provider.
#[derive(Debug)]
pub struct ResolvedLink {
    /// The event type there.
    pub external: ExternalEventType,
    /// Those here that stand for it.
    pub event_types: Vec<EventTypeId>,
}

impl Catalog {
    /// Make a link to an event type where it is booked: the provider's own, if that makes links and has a counterpart of it; else one of ours,
    /// unless the provider was asked for by name.
    pub async fn create_link(
        &self,
        caller: &Caller,
        new: NewPrivateLink,
        choice: Option<ProviderChoice>,
    ) -> Outcome<PrivateLink> {
        let chosen = choice.is_some();
        let ctx = self.contexts.booking_context(caller, new.event_type, choice).await?;
        let Some(connection) = ctx.connection.clone() else {
            return self.create_private_link(caller, new).await;
        };
        ctx.check_open()?;
        let makes_links = self.providers.capabilities(&connection.plugin).is_some_and(|can| can.links);
        let there = ctx.event_type.external_over(connection.id).map(str::to_owned);
        match there {
            Some(there) if makes_links => self.create_link_there(caller, new, &connection, there).await,
            _ if !chosen => self.create_private_link(caller, new).await,
            Some(_) => Err(Problem::from(CallError::NotOffered("links"))
                .with_hint("Give \"provider\": \"builtin\" for a link of ours.")),
            None => {
                let why = "has no counterpart over this connection (external)";
                Err(Problem::invalid(vec![FieldError::new("/connection_id", why)]))
            }
        }
    }

    async fn create_link_there(
        &self,
        caller: &Caller,
        new: NewPrivateLink,
        connection: &ConnectionRecord,
        there: String,
    ) -> Outcome<PrivateLink> {
        let now = self.base.now();
        let mut errors = Vec::new();
        if !new.single_use {
            errors
                .push(FieldError::new("/single_use", "must be true: links at providers are for one booking"));
        }
        if new.expires_at.is_some() {
            errors.push(FieldError::new(
                "/expires_at",
                "must be absent: the provider says how long its links are good",
            ));
        }
        let mut link = PrivateLink {
            id: self.base.new_id(),
            tenant: caller.tenant,
            event_type: new.event_type,
            name: new.name,
            single_use: true,
            uses: 0,
            last_used_at: None,
            expires_at: None,
            there: None,
            created_at: now,
        };
        if let Err(problem) = link.check(now) {
            errors.extend(problem.errors);
        }
        if !errors.is_empty() {
            return Err(Problem::invalid(errors));
        }
        // The same for a repeat of the same request, so that it makes no second one there.
        let own = || link.id.to_string();
        let idempotency_key =
            caller.idempotency_key.as_ref().map_or_else(own, |key| key_of(caller, &key.key));
        let request = LinkRequest { idempotency_key, event_type: there, max_bookings: 1 };
        let context = self.contexts.call_context(connection, None, &caller.request_id).await?;
        let made = self.providers.create_booking_link(&context, request).await?;
        link.expires_at = made.expires_at;
        link.there = Some(LinkThere { connection: connection.id, url: made.url });
        self.base.store().create_private_link(link.clone(), self.base.audit(caller)).await?;
        Ok(link)
    }

    /// The event type behind a public link of the provider, and those here that stand for it. An answer is kept for as long as the provider's
    /// list of event types is.
    pub async fn resolve_link(
        &self,
        caller: &Caller,
        connection: ConnectionId,
        url: String,
    ) -> Outcome<ResolvedLink> {
        let bad = |why: String| Problem::invalid(vec![FieldError::new("/url", why)]);
        let most = limits::LINK_BYTES_MAX;
        if !is_https_address(&url, most) {
            return Err(bad(format!("must be a whole https address of at most {most} bytes")));
        }
        let connection = self.connections.usable_connection(caller, connection).await?;
        let manifest = self.providers.manifest(&connection.plugin);
        let seconds = manifest.map_or(0, |manifest| manifest.cache.catalog_seconds);
        let key = (connection.id, url.clone());
        let external = if let Some(external) = self.cache.link(&key, seconds, self.base.now()) {
            external
        } else {
            let context = self.contexts.call_context(&connection, None, &caller.request_id).await?;
            let external = self.providers.resolve_link(&context, url).await.map_err(|error| {
                let unknown =
                    matches!(error, CallError::Provider(ProviderError::NotFound | ProviderError::Invalid(_)));
                if unknown {
                    return bad(format!("leads to no event type of this account at {}", connection.plugin));
                }
                Problem::from(error)
            })?;
            self.cache.put_link(key, external.clone(), self.base.now());
            external
        };
        let all =
            self.base.store().list_event_types(caller.tenant, None, false, None, EVENT_TYPES_MAX).await?;
        let stands = |e: &&EventTypeRecord| e.external_over(connection.id) == Some(external.id.as_str());
        let event_types = all.iter().filter(stands).map(|e| e.id).collect();
        Ok(ResolvedLink { external, event_types })
    }
}

/// A key for a provider, made from a caller's: theirs may be longer than a provider's may be, and of other letters.
fn key_of(caller: &Caller, key: &str) -> String {
    let whole = digest(&SHA256, format!("link {} {key}", caller.tenant).as_bytes());
    to_hex(whole.as_ref().get(..KEY_BYTES).unwrap_or_default())
}
