//! Customers who are changed by hand, looked for, made one and taken apart: nothing is lost, nothing is there twice.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use berth_model::{
    customers::{Blocked, Customer, search::patterns},
    id::{BookingId, CustomerId, TenantId},
    limits,
    outbound::provider::Attendee,
};
use berth_store::{
    StoreError,
    records::{
        BookingFilter, CustomerFilter, CustomerPage, CustomerSort, CustomerSplit, CustomerWords, NewConsent,
        NewConsentText,
    },
};

use crate::{
    customers::{booked, booking_for, execute, mirrored, named, number_of},
    world::{NOON, Scene, World, at_once},
};

async fn get(world: &World, tenant: TenantId, id: CustomerId) -> Customer {
    world.store.customer(tenant, id).await.unwrap()
}

fn words(text: &str) -> Option<CustomerWords> {
    Some(CustomerWords { key: None, patterns: patterns(text) })
}

async fn found(world: &World, tenant: TenantId, filter: CustomerFilter) -> Vec<String> {
    let page = world.store.customers(tenant, filter, 200).await.unwrap();
    assert_eq!(page.next, None);
    page.items.into_iter().map(|customer| customer.name).collect()
}

pub async fn customers_are_looked_for_by_parts(world: &World) {
    let scene = world.scene("quay").await;
    let tenant = scene.tenant;
    for (hour, (name, email, phone)) in [
        ("Łukasz Żółć", Some("l.zolc@example.com"), Some("+48600100200")),
        ("ada nowak", Some("ada@example.com"), None),
        ("Zoe 100% Ng", None, Some("+48600100201")),
        ("🙂", Some("smile@other.example"), None),
    ]
    .into_iter()
    .enumerate()
    {
        booked(world, &scene, i64::try_from(hour).unwrap(), named(name, email, phone)).await;
    }
    let by = async |text: &str| {
        let filter =
            CustomerFilter { words: words(text), sort: CustomerSort::Name, ..CustomerFilter::default() };
        found(world, tenant, filter).await
    };
    assert_eq!(by("lukasz").await, ["Łukasz Żółć"]);
    assert_eq!(by("ŻÓŁ").await, ["Łukasz Żółć"]);
    assert_eq!(by("600100").await, ["Łukasz Żółć", "Zoe 100% Ng"]);
    assert_eq!(by("@example").await, ["ada nowak", "Łukasz Żółć"]);
    assert_eq!(by("now ada").await, ["ada nowak"]);
    assert_eq!(by("🙂").await, ["🙂"]);
    assert_eq!(by("%").await, Vec::<String>::new(), "a sign of a pattern is itself");
    assert_eq!(by("l_zolc@").await, Vec::<String>::new());
    assert_eq!(by("").await.len(), 4);

    // Names are sorted without case and accents; whoever was seen last comes first there.
    let sorted =
        async |sort| found(world, tenant, CustomerFilter { sort, ..CustomerFilter::default() }).await;
    assert_eq!(sorted(CustomerSort::Name).await, ["ada nowak", "Łukasz Żółć", "Zoe 100% Ng", "🙂"]);
    let mut seen = sorted(CustomerSort::Age).await;
    seen.reverse();
    assert_eq!(sorted(CustomerSort::LastSeen).await, seen);

    // Page by page, in each order, everybody once.
    for sort in [CustomerSort::Age, CustomerSort::Name, CustomerSort::LastSeen] {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let filter = CustomerFilter { sort, after, ..CustomerFilter::default() };
            let page: CustomerPage = world.store.customers(tenant, filter, 1).await.unwrap();
            all.extend(page.items.into_iter().map(|customer| customer.name));
            let Some(next) = page.next else { break };
            after = Some(next);
        }
        assert_eq!(all, sorted(sort).await, "{sort:?}");
    }
    assert!(
        by("nowak").await.len() == 1
            && found(world, world.scene("pier").await.tenant, CustomerFilter::default()).await.is_empty()
    );

    // As the migration left them: found again once it is made up for.
    execute(world, "UPDATE customers SET name_key = '', search = NULL").await;
    assert_eq!(world.store.tenant_without_customers(None).await.unwrap(), Some(tenant));
    assert_eq!(world.store.fill_customers(tenant).await.unwrap(), 4);
    assert_eq!(world.store.tenant_without_customers(None).await.unwrap(), None);
    assert_eq!(by("lukasz").await, ["Łukasz Żółć"]);
    assert_eq!(sorted(CustomerSort::Name).await.first().unwrap(), "ada nowak");
}

pub async fn what_is_changed_by_hand_finds_them(world: &World) {
    let scene = world.scene("quay").await;
    let (mail, number) = (Some("ada@example.com"), Some("+48600100200"));
    let ada = booked(world, &scene, 0, named("Ada Nowak", mail, number)).await;
    let old = get(world, scene.tenant, ada).await;
    let mut new = old.clone();
    new.email = Some("ada@other.example".to_owned());
    new.tags = vec!["a".to_owned(), "b".to_owned()];
    new.blocked = Some(Blocked { at: NOON, reason: "no shows".to_owned() });
    let updated = world.store.update_customer(old.clone(), new.clone(), world.audit()).await.unwrap();
    assert_eq!(updated, Customer { revision: 2, ..new.clone() });
    assert_eq!(get(world, scene.tenant, ada).await, updated);
    // Nothing new is no change; what was read before is stale.
    let again = world.store.update_customer(updated.clone(), updated.clone(), world.audit()).await.unwrap();
    assert_eq!(again.revision, 2);
    assert!(matches!(world.store.update_customer(old, new, world.audit()).await, Err(StoreError::Stale)));

    // Blocked, by any of their addresses; the tenant's own word counts more.
    let blocked = async |hour, attendee: Attendee| {
        let result =
            world.store.create_booking(booking_for(world, &scene, hour, attendee), world.audit()).await;
        matches!(result, Err(StoreError::Blocked))
    };
    assert!(blocked(1, named("Ada Nowak", Some("ada@other.example"), None)).await);
    assert!(blocked(1, named("Ada Nowak", None, number)).await);
    let mut new = booking_for(world, &scene, 1, named("Ada Nowak", None, number));
    new.allow_blocked = true;
    assert_eq!(world.store.create_booking(new, world.audit()).await.unwrap(), Some(ada));
    // By the address of before alone they are somebody else.
    let other = booked(world, &scene, 2, named("Ada Nowak", mail, None)).await;
    assert_ne!(other, ada);
    let tagged = CustomerFilter { tag: Some("b".to_owned()), ..CustomerFilter::default() };
    assert_eq!(world.store.customers(scene.tenant, tagged, 9).await.unwrap().items.len(), 1);
    for (blocked, who) in [(true, ada), (false, other)] {
        let filter = CustomerFilter { blocked: Some(blocked), ..CustomerFilter::default() };
        let page = world.store.customers(scene.tenant, filter, 9).await.unwrap();
        assert_eq!(page.items.iter().map(|c| c.id).collect::<Vec<_>>(), [who]);
    }
    // By hand nobody is made twice.
    let mut again = get(world, scene.tenant, ada).await;
    again.id = world.id();
    assert_eq!(world.store.create_customer(again.clone(), world.audit()).await.unwrap(), Some(ada));
    again.phone = None;
    again.email = Some("new@example.com".to_owned());
    assert_eq!(world.store.create_customer(again.clone(), world.audit()).await.unwrap(), None);
    assert_eq!(get(world, scene.tenant, again.id).await.tags, ["a", "b"]);
}

async fn says(
    world: &World,
    scene: &Scene,
    customer: CustomerId,
    text: berth_model::id::ConsentTextId,
    given: bool,
) {
    let consent = NewConsent {
        id: world.id(),
        tenant: scene.tenant,
        customer,
        purpose: "marketing".to_owned(),
        given,
        text: given.then_some(text),
        source: "form".to_owned(),
        ip_truncated: None,
        user_agent: None,
        expires_at: None,
    };
    world.store.say_consent(consent, None, world.audit()).await.unwrap();
}

pub async fn one_becomes_part_of_another(world: &World) {
    let scene = world.scene("quay").await;
    let tenant = scene.tenant;
    let family = Some("nowak@example.com");
    let ada = booked(world, &scene, 0, named("Ada Nowak", family, None)).await;
    let jan = booked(world, &scene, 1, named("Jan Nowak", family, Some("+48600100201"))).await;
    let third = booked(world, &scene, 2, named("Ida Nowak", family, None)).await;
    world
        .store
        .put_mirrored(mirrored(world, &scene, "x", 3, vec![named("Jan Nowak", family, None)]))
        .await
        .unwrap();
    let text = NewConsentText {
        id: world.id(),
        tenant,
        purpose: "marketing".to_owned(),
        language: "en".to_owned(),
        text: "t".to_owned(),
        sha256: [0; 32],
    };
    let (text, _) = world.store.publish_consent_text(text, world.audit()).await.unwrap();
    // Said by turns: the last word of both is the withdrawal.
    for (who, given) in [(ada, true), (jan, true), (ada, true), (jan, false)] {
        says(world, &scene, who, text.id, given).await;
    }
    let old = get(world, tenant, jan).await;
    let blocked = Some(Blocked { at: NOON, reason: "r".to_owned() });
    let new = Customer { tags: vec!["t".to_owned()], notes: Some("n".to_owned()), blocked, ..old.clone() };
    world.store.update_customer(old, new, world.audit()).await.unwrap();
    world.store.part_customers(tenant, jan, third, world.audit()).await.unwrap();

    assert!(world.store.merge_customers(tenant, ada, jan, world.audit()).await.unwrap());
    assert!(!world.store.merge_customers(tenant, ada, jan, world.audit()).await.unwrap(), "done before");
    let whole = get(world, tenant, ada).await;
    assert_eq!((whole.name.as_str(), whole.phone.as_deref()), ("Ada Nowak", Some("+48600100201")));
    assert_eq!((whole.tags, whole.notes.as_deref()), (vec!["t".to_owned()], Some("n")));
    assert!(whole.blocked.is_some(), "who is blocked stays so");
    let gone = world.store.customer(tenant, jan).await;
    assert!(matches!(gone, Err(StoreError::Merged { customer, into }) if customer == jan && into == ada));
    assert!(matches!(world.store.current_consents(tenant, jan).await, Err(StoreError::Merged { .. })));
    let history = world.store.customer_history(tenant, ada, None, 10).await.unwrap();
    assert_eq!(history.iter().map(|visit| visit.external).collect::<Vec<_>>(), [true, false, false]);
    let consents = world.store.consent_history(tenant, ada, None, 10).await.unwrap();
    assert_eq!(
        consents.iter().map(|c| (c.ordinal, c.given)).collect::<Vec<_>>(),
        [(1, true), (2, true), (3, true), (4, false)]
    );
    // Who is not the one is not the other, and the other is not asked about.
    let asked = world.store.customer_and_maybe_same(tenant, ada).await.unwrap().maybe_same;
    assert!(asked.is_empty(), "{asked:?}");
    // Whoever comes by the old name is the survivor, who may not book.
    let jan_again = booking_for(world, &scene, 5, named("Jan Nowak", family, None));
    let again = world.store.create_booking(jan_again.clone(), world.audit()).await;
    assert!(matches!(again, Err(StoreError::Blocked)), "{again:?}");

    // Onwards: what is part of a part is part of the whole.
    assert!(world.store.merge_customers(tenant, third, ada, world.audit()).await.unwrap());
    for old in [ada, jan] {
        assert!(
            matches!(world.store.customer(tenant, old).await, Err(StoreError::Merged { into, .. }) if into == third)
        );
    }
    for pair in [(ada, third), (third, jan)] {
        let again = world.store.merge_customers(tenant, pair.0, pair.1, world.audit()).await;
        assert_eq!(matches!(again, Ok(false)), pair.0 == third, "{again:?}");
    }
    let (stranger, pier) = (world.id(), world.scene("pier").await);
    for (tenant, into, other) in
        [(tenant, third, stranger), (tenant, stranger, third), (pier.tenant, third, ada)]
    {
        let refused = world.store.merge_customers(tenant, into, other, world.audit()).await;
        assert!(matches!(refused, Err(StoreError::NotFound(_))), "{refused:?}");
    }
    let events = "SELECT COUNT(*) FROM events WHERE kind = 'customer.merged'";
    assert_eq!(number_of(world, events).await, 2);
}

pub async fn what_was_merged_is_taken_apart(world: &World) {
    let scene = world.scene("quay").await;
    let tenant = scene.tenant;
    let family = Some("nowak@example.com");
    let ada = booked(world, &scene, 0, named("Ada Nowak", family, Some("+48600100200"))).await;
    let jan = booked(world, &scene, 1, named("Jan Nowak", family, Some("+48600100201"))).await;
    world.store.merge_customers(tenant, ada, jan, world.audit()).await.unwrap();
    let history = world.store.customer_history(tenant, ada, None, 10).await.unwrap();
    let of_jan = BookingId::from_uuid(history[0].id);
    let new = world.id();
    let what = CustomerSplit { bookings: vec![of_jan], ..CustomerSplit::default() };
    world.store.split_customer(tenant, ada, new, what.clone(), world.audit()).await.unwrap();
    let apart = get(world, tenant, new).await;
    assert_eq!((apart.name.as_str(), apart.phone.as_deref()), ("Jan Nowak", Some("+48600100201")));
    // Each is found by their own; nobody asks whether they are one.
    assert_eq!(booked(world, &scene, 2, named("Jan Nowak", family, None)).await, new);
    assert_eq!(booked(world, &scene, 3, named("Jan Nowak", None, Some("+48600100201"))).await, new);
    assert_eq!(booked(world, &scene, 4, named("Ada Nowak", family, None)).await, ada);
    assert!(world.store.customer_and_maybe_same(tenant, ada).await.unwrap().maybe_same.is_empty());
    // What is not theirs any more cannot be taken twice.
    let again = world.store.split_customer(tenant, ada, world.id(), what, world.audit()).await;
    assert!(matches!(again, Err(StoreError::NotFound(_))), "{again:?}");
    let counts = world.store.customer_counts(tenant, new, NOON.plus_minutes(90)).await.unwrap();
    assert_eq!(
        (counts.bookings, counts.last_at, counts.next_at),
        (3, Some(NOON.plus_minutes(60)), Some(NOON.plus_minutes(120)))
    );
}

/// Merged and taken apart in any order: each booking is somebody's, once, and everybody whose it is is there.
pub async fn nothing_is_lost_and_nothing_is_there_twice(world: &World) {
    let scene = world.scene("quay").await;
    let tenant = scene.tenant;
    let mut whose: BTreeMap<BookingId, CustomerId> = BTreeMap::new();
    for n in 0..12 {
        let email = format!("p{}@example.com", n % 6);
        let new = booking_for(world, &scene, n, named(&format!("Person {}", n % 6), Some(&email), None));
        let id = new.booking.id;
        whose.insert(id, world.store.create_booking(new, world.audit()).await.unwrap().unwrap());
    }
    let mut gone: BTreeMap<CustomerId, CustomerId> = BTreeMap::new();
    for _ in 0..60 {
        let mut bytes = [0; 3];
        world.random.fill(&mut bytes);
        let live: Vec<CustomerId> = whose.values().copied().collect::<BTreeSet<_>>().into_iter().collect();
        let pick = |n: u8| live[usize::from(n) % live.len()];
        let (one, other) = (pick(bytes[0]), pick(bytes[1]));
        if bytes[2] % 2 == 0 && one != other {
            world.store.merge_customers(tenant, one, other, world.audit()).await.unwrap();
            whose.values_mut().filter(|of| **of == other).for_each(|of| *of = one);
            gone.values_mut().filter(|of| **of == other).for_each(|of| *of = one);
            gone.insert(other, one);
        } else {
            let theirs: Vec<BookingId> =
                whose.iter().filter(|(_, of)| **of == one).map(|(id, _)| *id).collect();
            let bookings: Vec<BookingId> = theirs.into_iter().take(1 + usize::from(bytes[2]) % 3).collect();
            let new = world.id();
            let what = CustomerSplit { bookings: bookings.clone(), ..CustomerSplit::default() };
            world.store.split_customer(tenant, one, new, what, world.audit()).await.unwrap();
            for id in bookings {
                whose.insert(id, new);
            }
        }
        for (id, of) in &whose {
            assert_eq!(world.store.booking(tenant, *id).await.unwrap().customer, Some(*of));
        }
        for of in whose.values().collect::<BTreeSet<_>>() {
            get(world, tenant, *of).await;
        }
        for (part, whole) in &gone {
            let asked = world.store.customer(tenant, *part).await;
            assert!(matches!(asked, Err(StoreError::Merged { into, .. }) if into == *whole));
        }
    }
    let lost = "SELECT COUNT(*) FROM customer_keys k JOIN customers c ON c.tenant_id = k.tenant_id AND c.id = k.customer_id
        WHERE c.merged_into IS NOT NULL";
    assert_eq!(number_of(world, lost).await, 0, "what became part of somebody finds nobody");
}

type Work = std::pin::Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send>>;

/// Two at once in opposite directions, while others book for both: one is part of the other, and no booking stays behind.
pub async fn merges_crosswise_end_well(world: &World) {
    let scene = world.scene("quay").await;
    let tenant = scene.tenant;
    for round in 0..5_i64 {
        let family = format!("f{round}@example.com");
        let person = |name: &str| named(name, Some(&family), None);
        let ada = booked(world, &scene, 10 * round, person("Ada Nowak")).await;
        let jan = booked(world, &scene, 10 * round + 1, person("Jan Nowak")).await;
        let merge = |into, other| {
            let (store, audit) = (world.viewer.clone(), world.audit());
            async move { store.merge_customers(tenant, into, other, audit).await.map(|_| ()) }
        };
        let book = |hour, name: &str| {
            let new = booking_for(world, &scene, 10 * round + hour, person(name));
            let (store, audit) = (world.store.clone(), world.audit());
            async move { store.create_booking(new, audit).await.map(|_| ()) }
        };
        let all: Vec<Work> = vec![
            Box::pin(merge(ada, jan)),
            Box::pin(book(2, "Jan Nowak")),
            Box::pin(merge(jan, ada)),
            Box::pin(book(3, "Ada Nowak")),
        ];
        let ended = tokio::time::timeout(Duration::from_mins(1), at_once(all.into_iter())).await.unwrap();
        let refused: Vec<_> = ended.iter().filter(|result| result.is_err()).collect();
        assert_eq!(refused.len(), 1, "{ended:?}");
        assert!(matches!(refused[0], Err(StoreError::Merged { .. })), "{ended:?}");
        let mut there = Vec::new();
        for id in [ada, jan] {
            there.extend(world.store.customer(tenant, id).await.ok().map(|customer| customer.id));
        }
        assert_eq!(there.len(), 1);
        let filter = BookingFilter { customer: Some(there[0]), ..BookingFilter::default() };
        assert_eq!(world.store.list_bookings(tenant, filter, 100).await.unwrap().len(), 4, "round {round}");
    }
}

/// A tenant with as many customers as one page looks at, and some more: a search ends, goes on, and finds whoever is last.
pub async fn a_search_of_many_is_bounded(world: &World) {
    let scene = world.scene("quay").await;
    let many = limits::CUSTOMERS_LOOKED_AT_MAX + 10;
    let tenant = scene.tenant.uuid();
    let (tenant, id, now) = if world.store.engine() == "postgres" {
        (format!("'{tenant}'"), "('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid", "now()")
    } else {
        (format!("x'{}'", tenant.simple()), "unhex('000000000000700080' || printf('%014d', n))", "0")
    };
    execute(
        world,
        &format!(
            "INSERT INTO customers (tenant_id, id, name, email, revision, created_at, last_seen_at, name_key, search)
            WITH RECURSIVE all_of_them(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM all_of_them WHERE n < {many})
            SELECT {tenant}, {id}, 'Person ' || n, 'p' || n || '@example.com', 1, {now}, {now}, 'person ' || n,
                'person ' || n || CAST(' ' AS TEXT) || 'p' || n || '@example.com' FROM all_of_them"
        ),
    )
    .await;
    execute(world, "ANALYZE").await;
    let mut slowest = Duration::ZERO;
    for (sort, text) in [
        (CustomerSort::Age, "p100010@example"),
        (CustomerSort::Name, "p99999@example"),
        (CustomerSort::LastSeen, "p1@example"),
        (CustomerSort::Name, "nobody"),
    ] {
        let (mut names, mut pages, mut after) = (Vec::new(), 0, None);
        loop {
            let filter = CustomerFilter { words: words(text), sort, after, ..CustomerFilter::default() };
            let started = std::time::Instant::now();
            let page = world.store.customers(scene.tenant, filter, 50).await.unwrap();
            slowest = slowest.max(started.elapsed());
            names.extend(page.items.into_iter().map(|customer| customer.name));
            pages += 1;
            let Some(next) = page.next else { break };
            after = Some(next);
        }
        assert_eq!(pages, 2, "{text}");
        assert_eq!(names.len(), usize::from(text != "nobody"), "{text}");
    }
    eprintln!("{}: the slowest page of a search of {many}: {slowest:?}", world.store.engine());
}
