//! The audit log, page by page.

use berth_store::records::AuditFilter;

use crate::world::World;

pub async fn few_that_match_are_found_among_many(world: &World) {
    let (tenant, other) = (world.tenant("quay"), world.tenant("pier"));
    for tenant in [&tenant, &other] {
        world.store.create_tenant(tenant.clone(), world.audit()).await.unwrap();
    }
    let mut made = Vec::new();
    for n in 0..12 {
        let actor = if n % 5 == 0 { "key:ana" } else { "key:ben" };
        let listing = world.listing(tenant.id, &format!("listing-{n}"));
        let audit = world.audit_by(actor);
        if actor == "key:ana" {
            made.push(audit.id);
        }
        world.store.create_listing(listing, audit).await.unwrap();
        world
            .store
            .create_listing(world.listing(other.id, &format!("listing-{n}")), world.audit_by("key:ana"))
            .await
            .unwrap();
    }
    made.sort();
    made.reverse();

    // Three rows are looked at a time, of which one at most matches: it is found all the same, once, and the end is known.
    let filter = AuditFilter { actor: Some("key:ana".to_owned()), ..AuditFilter::default() };
    let (mut found, mut before, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = world.store.audit_page(tenant.id, filter.clone(), before, (2, 3)).await.unwrap();
        assert!(page.entries.iter().all(|entry| entry.audit.actor == "key:ana"));
        found.extend(page.entries.into_iter().map(|entry| entry.audit.id));
        pages += 1;
        assert!(pages < 20, "it does not end");
        let Some(next) = page.next else { break };
        assert!(before.is_none_or(|before| next < before), "it goes back");
        before = Some(next);
    }
    assert_eq!(found, made);

    // All of a tenant's, and of nobody else's.
    let all = world.store.audit_page(tenant.id, AuditFilter::default(), None, (100, 1_000)).await.unwrap();
    let listings = all.entries.iter().filter(|entry| entry.action == "listing.created").count();
    assert_eq!((listings, all.next), (12, None));
}
