//! Taking over what a provider has by one call: its event types become event types of a listing, its clients become customers. A page of the
//! provider's at a time, so that one call is short however much there is; nothing is deleted, and done twice it changes nothing.

use std::collections::BTreeSet;

use berth_model::{
    catalog::event_type::{Confirmation, EventTypeCounterpart, EventTypePolicy, EventTypeRecord},
    connections::connection::ConnectionRecord,
    customers::{Customer, profile},
    hex::to_hex,
    id::{ConnectionId, ListingId, MemberId},
    limits,
    mirror::{
        imports::{EventTypePlan, ImportAction, Imported, plan_of},
        sync::{ItemKind, MirroredItem},
    },
    outbound::provider::{CallError, ExternalClient, ExternalEventType, PageRequest},
    problem::{Code, FieldError, Problem},
};
use ring::digest::{SHA256, digest};
use serde::Serialize;
use uuid::Uuid;

use super::kept::EVENT_TYPES_MAX;
use crate::{Caller, Outcome, mirror::Mirror, validate::Fields};

/// Bytes of a digest that tell one preview from another.
const DIGEST_BYTES: usize = 16;

/// What is to be taken over.
#[derive(Debug, Clone)]
pub struct ImportRequest {
    /// In this order.
    pub what: Vec<Imported>,
    /// Is it done, or only shown?
    pub apply: bool,
    /// Whose event types they become; none: the connection's listing, or the only one.
    pub listing: Option<ListingId>,
    /// Who can be booked for what is made; empty: the member whom the rules name, or the only one.
    pub members: Vec<MemberId>,
    /// What a preview of the same page showed; refused if it is otherwise by now.
    pub digest: Option<String>,
    /// Where the last page ended: which of `what`, and the provider's own token.
    pub after: Option<(usize, Option<String>)>,
}

/// What becomes of one thing.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ImportedItem {
    pub what: Imported,
    pub external_id: String,
    pub title: String,
    pub action: ImportAction,
    /// Why it is refused.
    pub reason: Option<String>,
    /// What it is here: an event type or a customer; none while it is to be made.
    pub id: Option<Uuid>,
}

/// What becomes of a page.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ImportReport {
    pub items: Vec<ImportedItem>,
    /// Of what was to be done.
    pub digest: String,
    /// Where the next page begins; none: this was the last.
    pub next: Option<(usize, Option<String>)>,
}

/// Where event types go.
struct Target {
    listing: ListingId,
    members: Vec<MemberId>,
}

impl ImportedItem {
    fn of(what: Imported, external_id: &str, title: &str, action: ImportAction, id: Option<Uuid>) -> Self {
        let (external_id, title) = (external_id.to_owned(), title.to_owned());
        Self { what, external_id, title, action, reason: None, id }
    }

    fn refuse(&mut self, problem: &Problem) {
        self.action = ImportAction::Refused;
        let errors: Vec<String> =
            problem.errors.iter().map(|e| format!("{} {}", e.field, e.message)).collect();
        self.reason = Some(if errors.is_empty() { problem.detail.clone() } else { errors.join("; ") });
    }
}

fn digest_of(items: &[ImportedItem]) -> String {
    let text = serde_json::to_vec(items).unwrap_or_default();
    to_hex(digest(&SHA256, &text).as_ref().get(..DIGEST_BYTES).unwrap_or_default())
}

impl Mirror {
    /// Show what taking over a page of a provider's things would do, or do it.
    pub async fn import_page(
        &self,
        caller: &Caller,
        connection: ConnectionId,
        request: ImportRequest,
    ) -> Outcome<ImportReport> {
        let connection = self.connections.usable_connection(caller, connection).await?;
        let (at, token) = request.after.clone().unwrap_or_default();
        let Some(what) = request.what.get(at).copied() else {
            return Err(Problem::parameter(FieldError::new("cursor", "is not one of this import")));
        };
        self.check_importable(&connection, &request.what)?;
        let context = self.contexts.call_context(&connection, None, &caller.request_id).await?;
        let page = PageRequest { token, limit: limits::PAGE_ITEMS_MAX };
        let (items, digest, next) = match what {
            Imported::EventTypes => {
                let page = self.providers.list_event_types(&context, page).await?;
                let (items, digest) =
                    self.import_event_types(caller, &connection, &request, &page.items).await?;
                (items, digest, page.next)
            }
            Imported::Clients => {
                let page = self.providers.list_clients(&context, page).await?;
                let (items, digest) = self.import_clients(caller, &connection, &request, &page.items).await?;
                (items, digest, page.next)
            }
        };
        let after = at.saturating_add(1);
        let next = match next {
            Some(token) => Some((at, Some(token))),
            None => (after < request.what.len()).then_some((after, None)),
        };
        Ok(ImportReport { items, digest, next })
    }

    fn check_importable(&self, connection: &ConnectionRecord, what: &[Imported]) -> Outcome<()> {
        let can = self.providers.capabilities(&connection.plugin);
        for one in what {
            let (offered, name) = match one {
                Imported::EventTypes => (can.is_some_and(|can| can.catalog), "catalog"),
                Imported::Clients => (can.is_some_and(|can| can.clients), "clients"),
            };
            if !offered {
                return Err(CallError::NotOffered(name).into());
            }
        }
        Ok(())
    }

    fn unchanged_since(request: &ImportRequest, digest: &str) -> Outcome<()> {
        match &request.digest {
            Some(shown) if request.apply && shown != digest => Err(Problem::new(
                Code::ImportChanged,
                "Something changed since the preview: nothing of this page was done.",
            )),
            _ => Ok(()),
        }
    }

    async fn import_event_types(
        &self,
        caller: &Caller,
        connection: &ConnectionRecord,
        request: &ImportRequest,
        found: &[ExternalEventType],
    ) -> Outcome<(Vec<ImportedItem>, String)> {
        let target = self.target(caller, connection, request).await?;
        let all =
            self.base.store().list_event_types(caller.tenant, None, true, None, EVENT_TYPES_MAX).await?;
        let of_listing: Vec<&EventTypeRecord> = all.iter().filter(|e| e.listing == target.listing).collect();
        let mut taken: BTreeSet<String> = of_listing.iter().map(|e| e.slug.clone()).collect();
        let mut items = Vec::with_capacity(found.len());
        let mut records = Vec::with_capacity(found.len());
        for external in found {
            let plan = plan_of(external, connection.id, &of_listing, &all, &mut taken);
            let (action, record, refused) = match plan {
                EventTypePlan::Create(slug) => {
                    let record = self.made_from(caller, connection, &target, external, slug);
                    (ImportAction::Create, Some((record, true)), None)
                }
                EventTypePlan::Link(known) => {
                    (ImportAction::Link, Some((tied(known, connection.id, external), false)), None)
                }
                EventTypePlan::Update(known) => {
                    let record = EventTypeRecord {
                        title: external.title.clone(),
                        length_minutes: external.length_minutes,
                        ..known.clone()
                    };
                    (ImportAction::Update, Some((record, false)), None)
                }
                EventTypePlan::Unchanged(known) => {
                    let mut item = ImportedItem::of(
                        Imported::EventTypes,
                        &external.id,
                        &external.title,
                        ImportAction::Unchanged,
                        Some(known.id.uuid()),
                    );
                    item.reason = None;
                    items.push(item);
                    records.push(None);
                    continue;
                }
                EventTypePlan::Refused(why) => (ImportAction::Refused, None, Some(why)),
            };
            let known = record.as_ref().filter(|(_, is_new)| !is_new).map(|(record, _)| record.id.uuid());
            let mut item =
                ImportedItem::of(Imported::EventTypes, &external.id, &external.title, action, known);
            item.reason = refused.map(str::to_owned);
            if let Some((record, _)) = &record
                && let Err(problem) = record.check()
            {
                item.refuse(&problem);
            }
            records.push(record.filter(|_| item.action != ImportAction::Refused));
            items.push(item);
        }
        let digest = digest_of(&items);
        Self::unchanged_since(request, &digest)?;
        if request.apply {
            self.catalog.keep_event_types(connection, found).await?;
            for (item, record) in items.iter_mut().zip(records) {
                let Some((record, is_new)) = record else { continue };
                match self.catalog.put_found(caller, record, is_new).await {
                    Ok(saved) => item.id = Some(saved.id.uuid()),
                    Err(problem) => item.refuse(&problem),
                }
            }
        }
        Ok((items, digest))
    }

    /// The listing and the members of what is made.
    async fn target(
        &self,
        caller: &Caller,
        connection: &ConnectionRecord,
        request: &ImportRequest,
    ) -> Outcome<Target> {
        let (store, tenant) = (self.base.store(), caller.tenant);
        let mut errors = Vec::new();
        let listing = if let Some(id) = request.listing.or(connection.listing) {
            match store.listing(tenant, id).await {
                Ok(listing) => Some(listing.id),
                Err(berth_store::StoreError::NotFound(_)) => {
                    errors.push(FieldError::new("/listing_id", "there is no such listing"));
                    None
                }
                Err(error) => return Err(error.into()),
            }
        } else if let [only] = store.list_listings(tenant, false, None, 2).await?.as_slice() {
            Some(only.id)
        } else {
            errors.push(FieldError::new("/listing_id", "is needed: the connection is for no one listing"));
            None
        };
        if let (Some(only), Some(listing)) = (connection.listing, listing)
            && only != listing
        {
            errors.push(FieldError::new("/listing_id", "is another one than the connection is for"));
        }
        let mut members = request.members.clone();
        if members.is_empty() {
            let rules = store.sync_state(tenant, connection.id).await?.rules;
            members.extend(rules.member);
        }
        if members.is_empty() {
            let all = store.list_members(tenant, None, 3).await?;
            let active: Vec<MemberId> = all.iter().filter(|m| m.active).map(|m| m.id).collect();
            match active.as_slice() {
                [only] => members.push(*only),
                _ => errors
                    .push(FieldError::new("/member_ids", "is needed: who can be booked for what is made")),
            }
        }
        for (i, member) in request.members.iter().enumerate().take(limits::EVENT_TYPE_MEMBERS_MAX) {
            if store.member(tenant, *member).await.is_err() {
                errors.push(FieldError::new(format!("/member_ids/{i}"), "there is no such member"));
            }
        }
        match listing {
            Some(listing) if errors.is_empty() => Ok(Target { listing, members }),
            _ => Err(Problem::invalid(errors)),
        }
    }

    /// An event type as its provider has it.
    fn made_from(
        &self,
        caller: &Caller,
        connection: &ConnectionRecord,
        target: &Target,
        external: &ExternalEventType,
        slug: String,
    ) -> EventTypeRecord {
        let now = self.base.now();
        let confirmation =
            if external.needs_confirmation { Confirmation::Manual } else { Confirmation::default() };
        let record = EventTypeRecord {
            id: self.base.new_id(),
            tenant: caller.tenant,
            listing: target.listing,
            slug,
            title: external.title.clone(),
            description: external.description.clone().unwrap_or_default(),
            length_minutes: external.length_minutes,
            slot_interval_minutes: None,
            buffer_before_minutes: external.buffer_before_minutes,
            buffer_after_minutes: external.buffer_after_minutes,
            minimum_notice_minutes: external.minimum_notice_minutes,
            booking_window_days: limits::IMPORTED_WINDOW_DAYS,
            members: target.members.clone(),
            policy: EventTypePolicy {
                seats: external.seats.max(1),
                price: external.price.clone(),
                confirmation,
                ..EventTypePolicy::default()
            },
            external_id: None,
            external: Vec::new(),
            active: true,
            archived_at: None,
            revision: 1,
            created_at: now,
            updated_at: now,
        };
        tied(&record, connection.id, external)
    }

    async fn import_clients(
        &self,
        caller: &Caller,
        connection: &ConnectionRecord,
        request: &ImportRequest,
        found: &[ExternalClient],
    ) -> Outcome<(Vec<ImportedItem>, String)> {
        let mut items = Vec::with_capacity(found.len());
        let mut customers = Vec::with_capacity(found.len());
        for client in found {
            let customer = self.customer_from(caller, client);
            let mut fields = Fields::default();
            profile::check(&mut fields, &customer);
            let unnamed = customer.name.trim().is_empty();
            if unnamed || (customer.email.is_none() && customer.phone.is_none()) {
                fields.bad("person", "has no name, or no address by which they would be known again");
            }
            let mut item = ImportedItem::of(
                Imported::Clients,
                &client.id,
                &client.person.name,
                ImportAction::Create,
                None,
            );
            match fields.finish() {
                Err(problem) => item.refuse(&problem),
                Ok(()) => {
                    if let Some(known) = self.base.store().known_customer(&customer).await? {
                        let kept = self.is_kept(connection, &client.id).await?;
                        item.action = if kept { ImportAction::Unchanged } else { ImportAction::Link };
                        item.id = Some(known.uuid());
                    }
                }
            }
            customers.push(customer);
            items.push(item);
        }
        let digest = digest_of(&items);
        Self::unchanged_since(request, &digest)?;
        if !request.apply {
            return Ok((items, digest));
        }
        for (item, customer) in items.iter_mut().zip(customers) {
            if item.action != ImportAction::Create {
                continue;
            }
            let id = customer.id;
            match self.base.store().create_customer(customer, self.base.audit(caller)).await {
                // Somebody else made them a moment ago, or they are twice on this page.
                Ok(known) => item.id = Some(known.unwrap_or(id).uuid()),
                Err(error) => item.refuse(&error.into()),
            }
        }
        // From now on they are known as "at the provider": what is refused there is not.
        let run = self.base.store().sync_state(caller.tenant, connection.id).await?.run;
        let item = |client: &ExternalClient| MirroredItem {
            external_id: client.id.clone(),
            title: client.person.name.clone(),
            payload: serde_json::to_value(client).unwrap_or_default(),
            last_synced_at: self.base.now(),
        };
        let kept = found.iter().map(item).collect();
        self.base
            .store()
            .put_mirrored_items(caller.tenant, connection.id, ItemKind::Client, kept, run)
            .await?;
        Ok((items, digest))
    }

    /// Is a client in the mirror already?
    async fn is_kept(&self, connection: &ConnectionRecord, id: &str) -> Outcome<bool> {
        let store = self.base.store();
        Ok(store.mirrored_item(connection.tenant, connection.id, ItemKind::Client, id).await?.is_some())
    }

    /// A client as a customer.
    fn customer_from(&self, caller: &Caller, client: &ExternalClient) -> Customer {
        let (person, now) = (&client.person, self.base.now());
        Customer {
            id: self.base.new_id(),
            tenant: caller.tenant,
            name: person.name.clone(),
            email: person.email.clone(),
            phone: person.phone.clone(),
            language: person.language.clone(),
            notes: None,
            tags: Vec::new(),
            blocked: None,
            revision: 1,
            created_at: now,
            last_seen_at: now,
        }
    }
}

/// An event type that stands for this one over the connection.
fn tied(known: &EventTypeRecord, over: ConnectionId, external: &ExternalEventType) -> EventTypeRecord {
    let mut record = known.clone();
    let mut all = record.external.clone();
    all.retain(|entry| entry.connection_id != over);
    all.push(EventTypeCounterpart { connection_id: over, external_id: external.id.clone() });
    record.external = all;
    record
}
