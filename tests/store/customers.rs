//! Customers: each booking refers to one, and one person is one of them.

use std::collections::BTreeSet;

use berth_model::{
    customers::Customer,
    id::{CustomerId, MemberId, TenantId},
    limits,
    outbound::provider::{Attendee, ExternalBooking},
};
use berth_store::{
    Store, StoreError, VaultKeys,
    records::{BookingFilter, CustomerFilter, NewBooking},
};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};

use crate::{
    carry_over::migration,
    world::{NOON, Scene, World, at_once, external_booking, span},
};

pub(super) fn named(name: &str, email: Option<&str>, phone: Option<&str>) -> Attendee {
    let text = |text: Option<&str>| text.map(str::to_owned);
    let (email, phone) = (text(email), text(phone));
    Attendee { name: name.to_owned(), email, phone, time_zone: "Europe/Warsaw".to_owned(), language: None }
}

pub(super) fn booking_for(world: &World, scene: &Scene, hour: i64, attendee: Attendee) -> NewBooking {
    let mut new = world.booking(scene, span(hour * 60, hour * 60 + 30));
    new.booking.attendee = attendee;
    new
}

pub(super) async fn booked(world: &World, scene: &Scene, hour: i64, attendee: Attendee) -> CustomerId {
    let new = booking_for(world, scene, hour, attendee);
    let id = new.booking.id;
    let customer = world.store.create_booking(new, world.audit()).await.unwrap().unwrap();
    assert_eq!(world.store.booking(scene.tenant, id).await.unwrap().customer, Some(customer));
    customer
}

async fn all(world: &World, tenant: TenantId) -> Vec<Customer> {
    world.store.customers(tenant, CustomerFilter::default(), 1_000).await.unwrap().items
}

async fn maybe_same(world: &World, tenant: TenantId, customer: CustomerId) -> Vec<CustomerId> {
    let others = world.store.customer_and_maybe_same(tenant, customer).await.unwrap().maybe_same;
    others.into_iter().map(|other| other.customer.id).collect()
}

pub async fn one_person_is_one_customer(world: &World) {
    let scene = world.scene("quay").await;
    let (mail, number) = (Some("ada@example.com"), Some("+48600100200"));
    let ada = booked(world, &scene, 0, named("Ada Nowak", mail, None)).await;
    for (hour, again) in [
        (1, named("nowak, ADA", Some("Ada@Example.com"), None)),
        // A number that was not known, by which she is found from then on.
        (2, named("Ada Nowak", mail, number)),
        (3, named("Ada Nowak", None, Some("+48 600 100 200"))),
        (4, named("Ada Nowak", Some("ada@other.example"), number)),
        (5, named("Ada Nowak", Some("ada@other.example"), None)),
    ] {
        assert_eq!(booked(world, &scene, hour, again.clone()).await, ada, "{again:?}");
    }
    let customers = all(world, scene.tenant).await;
    assert_eq!(customers.len(), 1);
    assert_eq!(customers[0].name, "Ada Nowak", "as it was given first");
    assert_eq!((customers[0].email.as_deref(), customers[0].phone.as_deref()), (mail, number));
    assert_eq!(customers[0].revision, 2, "the number was learned");
    let filter = BookingFilter { customer: Some(ada), ..BookingFilter::default() };
    assert_eq!(world.store.list_bookings(scene.tenant, filter, 100).await.unwrap().len(), 6);
    assert!(maybe_same(world, scene.tenant, ada).await.is_empty());
    assert!(matches!(world.store.customer(scene.tenant, world.id()).await, Err(StoreError::NotFound(_))));

    // Another tenant's customers are others, and their MACs differ.
    let other = world.scene("pier").await;
    assert_ne!(booked(world, &other, 0, named("Ada Nowak", mail, number)).await, ada);
    assert!(matches!(world.store.customer(other.tenant, ada).await, Err(StoreError::NotFound(_))));
    let macs = "SELECT COUNT(*) FROM customer_keys a JOIN customer_keys b ON a.mac = b.mac AND a.tenant_id <> b.tenant_id";
    assert_eq!(number_of(world, macs).await, 0);
}

pub async fn a_shared_address_leaves_a_question(world: &World) {
    let scene = world.scene("quay").await;
    let family = Some("nowak@example.com");
    let ada = booked(world, &scene, 0, named("Ada Nowak", family, None)).await;
    let jan = booked(world, &scene, 1, named("Jan Nowak", family, None)).await;
    assert_ne!(ada, jan);
    assert_eq!(maybe_same(world, scene.tenant, ada).await, [jan]);
    assert_eq!(maybe_same(world, scene.tenant, jan).await, [ada]);
    // Each is found again by their name.
    assert_eq!(booked(world, &scene, 2, named("Jan Nowak", family, None)).await, jan);
    assert_eq!(booked(world, &scene, 3, named("Ada Nowak", family, Some("+48600100200"))).await, ada);
    // Their numbers tell them apart.
    assert_eq!(booked(world, &scene, 4, named("Jan Nowak", family, Some("+48600100201"))).await, jan);
    assert!(maybe_same(world, scene.tenant, ada).await.is_empty());
    // A child for whom Ada books with her own mailbox and number: neither is merged, and it is asked.
    let ida = booked(world, &scene, 7, named("Ida Nowak", family, Some("+48600100200"))).await;
    assert!(ida != ada && ida != jan);
    assert_eq!(maybe_same(world, scene.tenant, ada).await, [ida]);
    assert_eq!(maybe_same(world, scene.tenant, ida).await, [ada]);
    assert_eq!(booked(world, &scene, 8, named("Ida Nowak", family, Some("+48600100200"))).await, ida);
    // A name alone is nobody who is known.
    let nobody = booked(world, &scene, 5, named("Ada Nowak", None, None)).await;
    assert!(nobody != ada && booked(world, &scene, 6, named("Ada Nowak", None, None)).await != nobody);
}

pub async fn bookings_at_once_find_one_customer(world: &World) {
    let scene = world.scene("quay").await;
    let mut members: Vec<MemberId> = vec![scene.member];
    for _ in 0..7 {
        let member = world.member(scene.tenant);
        members.push(member.id);
        world.store.create_member(member, world.audit()).await.unwrap();
    }
    for round in 0..5 {
        let ada = named(
            "Ada Nowak",
            Some(&format!("ada{round}@example.com")),
            Some(&format!("+4860010020{round}")),
        );
        let bookings = members.iter().enumerate().map(|(i, member)| {
            let mut new = booking_for(world, &scene, round, ada.clone());
            new.booking.member = *member;
            // Each process has a store of its own.
            let store = if i % 2 == 0 { world.store.clone() } else { world.viewer.clone() };
            let audit = world.audit();
            async move { store.create_booking(new, audit).await.unwrap().unwrap() }
        });
        let customers: BTreeSet<CustomerId> = at_once(bookings).await.into_iter().collect();
        assert_eq!(customers.len(), 1, "round {round}");
        assert_eq!(all(world, scene.tenant).await.len(), usize::try_from(round).unwrap() + 1);
    }
}

pub async fn a_series_is_for_one_customer(world: &World) {
    let scene = world.scene("quay").await;
    for attendee in [named("Ada Nowak", Some("ada@example.com"), None), named("Jan", None, None)] {
        let from = if attendee.email.is_some() { 0 } else { 10 };
        let series: Vec<_> = (from..from + 4)
            .map(|hour| (booking_for(world, &scene, hour, attendee.clone()), world.audit()))
            .collect();
        let customers = world.store.create_bookings(series).await.unwrap();
        assert_eq!(customers.len(), 4);
        let one: BTreeSet<CustomerId> = customers.into_iter().map(Option::unwrap).collect();
        assert_eq!(one.len(), 1, "{attendee:?}");
    }
}

pub(super) fn mirrored(
    world: &World,
    scene: &Scene,
    id: &str,
    hour: i64,
    attendees: Vec<Attendee>,
) -> berth_model::mirror::sync::Mirrored {
    let when = span(hour * 60, hour * 60 + 30);
    let external = ExternalBooking { attendees, ..external_booking(id, when) };
    berth_model::mirror::sync::Mirrored {
        id: world.id(),
        tenant: scene.tenant,
        connection: scene.connection,
        booking: None,
        customer: None,
        member: None,
        external,
        padded: when,
        run: 1,
        last_synced_at: NOON,
    }
}

pub async fn bookings_of_others_are_for_customers_too(world: &World) {
    let scene = world.scene("quay").await;
    let ada = named("Ada Nowak", Some("ada@example.com"), None);
    let customer = booked(world, &scene, 0, ada.clone()).await;
    let of = async |id: &str| {
        world.store.mirrored(scene.tenant, scene.connection, id).await.unwrap().unwrap().customer
    };
    let put = async |new: berth_model::mirror::sync::Mirrored| world.store.put_mirrored(new).await.unwrap();

    put(mirrored(world, &scene, "a", 1, vec![named("Desk", None, None), ada.clone()])).await;
    assert_eq!(of("a").await, Some(customer), "who has an address");
    put(mirrored(world, &scene, "b", 2, vec![])).await;
    assert_eq!(of("b").await, None, "nobody is named");
    put(mirrored(world, &scene, "c", 3, vec![named("Jan", None, None)])).await;
    let jan = of("c").await.unwrap();
    put(mirrored(world, &scene, "c", 4, vec![named("Jan Nowak", None, None)])).await;
    assert_eq!(of("c").await, Some(jan), "a name alone tells nobody new");
    put(mirrored(world, &scene, "c", 4, vec![named("Eva", Some("eva@example.com"), None)])).await;
    let eva = of("c").await.unwrap();
    assert!(eva != jan && eva != customer, "it is somebody else's now");
    put(mirrored(world, &scene, "c", 4, vec![])).await;
    assert_eq!(of("c").await, None);

    // Ours is for whom ours is for, whatever the provider made of the name.
    let new = booking_for(world, &scene, 5, ada);
    let ours = new.booking.id;
    world.store.create_booking(new, world.audit()).await.unwrap();
    let mut counterpart =
        mirrored(world, &scene, "d", 5, vec![named("A. N.", Some("relay@example.com"), None)]);
    counterpart.booking = Some(ours);
    put(counterpart).await;
    assert_eq!(of("d").await, Some(customer));
    assert_eq!(all(world, scene.tenant).await.len(), 3);
}

pub(super) async fn execute(world: &World, statement: &str) {
    let statement = AssertSqlSafe(statement.to_owned());
    if world.store.engine() == "postgres" {
        PgConnection::connect(&world.url).await.unwrap().execute(statement).await.unwrap();
    } else {
        SqliteConnection::connect(&world.url).await.unwrap().execute(statement).await.unwrap();
    }
}

pub(super) async fn number_of(world: &World, statement: &str) -> i64 {
    let statement = AssertSqlSafe(statement.to_owned());
    if world.store.engine() == "postgres" {
        let mut conn = PgConnection::connect(&world.url).await.unwrap();
        sqlx::query_scalar(statement).fetch_one(&mut conn).await.unwrap()
    } else {
        let mut conn = SqliteConnection::connect(&world.url).await.unwrap();
        sqlx::query_scalar(statement).fetch_one(&mut conn).await.unwrap()
    }
}

pub async fn bookings_of_before_are_given_theirs(world: &World) {
    let (quay, pier) = (world.scene("quay").await, world.scene("pier").await);
    let people = [("Ada Nowak", "ada@example.com"), ("Jan Nowak", "jan@example.com")];
    let many = limits::CUSTOMERS_FILLED_AT_ONCE + 5;
    for n in 0..many {
        let (name, email) = people[usize::try_from(n % 2).unwrap()];
        booked(world, &quay, n, named(name, Some(email), None)).await;
    }
    booked(world, &pier, 0, named("Ada Nowak", Some("ada@example.com"), None)).await;
    let external = mirrored(world, &quay, "a", 1, vec![named("Ada Nowak", Some("ada@example.com"), None)]);
    world.store.put_mirrored(external).await.unwrap();
    world.store.put_mirrored(mirrored(world, &quay, "b", 1, vec![])).await.unwrap();
    // As the migration left them.
    execute(world, "UPDATE bookings SET customer_id = NULL").await;
    execute(world, "UPDATE external_bookings SET customer_id = NULL, unidentified = TRUE").await;
    execute(world, "DELETE FROM customer_keys").await;
    execute(world, "DELETE FROM customers").await;

    let mut tenants = Vec::new();
    let mut after = None;
    while let Some(tenant) = world.store.tenant_without_customers(after).await.unwrap() {
        tenants.push(tenant);
        after = Some(tenant);
    }
    let mut both = vec![quay.tenant, pier.tenant];
    both.sort_unstable();
    assert_eq!(tenants, both);
    assert_eq!(world.store.fill_customers(quay.tenant).await.unwrap(), limits::CUSTOMERS_FILLED_AT_ONCE);
    assert_eq!(world.store.fill_customers(quay.tenant).await.unwrap(), 5 + 2);
    assert_eq!(world.store.fill_customers(quay.tenant).await.unwrap(), 0);
    assert_eq!(world.store.tenant_without_customers(None).await.unwrap(), Some(pier.tenant));
    assert_eq!(world.store.fill_customers(pier.tenant).await.unwrap(), 1);
    assert_eq!(world.store.tenant_without_customers(None).await.unwrap(), None);

    let customers = all(world, quay.tenant).await;
    assert_eq!(customers.iter().map(|c| c.name.as_str()).collect::<BTreeSet<_>>().len(), 2);
    assert_eq!(customers.len(), 2);
    let ada = customers.iter().find(|c| c.name == "Ada Nowak").unwrap();
    let mirrored =
        async |id: &str| world.store.mirrored(quay.tenant, quay.connection, id).await.unwrap().unwrap();
    assert_eq!(mirrored("a").await.customer, Some(ada.id));
    assert_eq!(mirrored("b").await.customer, None);
    let filter = BookingFilter { customer: Some(ada.id), ..BookingFilter::default() };
    let bookings = world.store.list_bookings(quay.tenant, filter, 100).await.unwrap();
    assert_eq!(i64::try_from(bookings.len()).unwrap(), (many + 1) / 2);
    assert_eq!(ada.created_at, bookings.iter().map(|b| b.created_at).min().unwrap());
}

pub async fn what_finds_customers_survives_another_vault_key(world: &World) {
    let scene = world.scene("quay").await;
    let ada = named("Ada Nowak", Some("ada@example.com"), None);
    let customer = booked(world, &scene, 0, ada.clone()).await;

    // Without the key that sealed it, a booking is made all the same; whom it is for is made up for.
    let with = async |keys: Vec<(String, [u8; 32])>| {
        Store::open(&world.url, VaultKeys(keys), world.random.clone()).await.unwrap()
    };
    let lost = with(vec![("second".into(), [2; 32])]).await;
    let new = booking_for(world, &scene, 1, ada.clone());
    assert_eq!(lost.create_booking(new, world.audit()).await.unwrap(), None);
    assert!(matches!(lost.fill_customers(scene.tenant).await, Err(StoreError::Vault(_))));
    assert_eq!(lost.sealed_state().await.unwrap().tenants_closed, 1);
    lost.close().await;

    let rotated = with(vec![("second".into(), [2; 32]), ("first".into(), [1; 32])]).await;
    assert_eq!(rotated.sealed_state().await.unwrap().tenants_older, 1);
    rotated.reseal_credentials().await.unwrap();
    let state = rotated.sealed_state().await.unwrap();
    assert_eq!((state.tenants_older, state.tenants_closed), (0, 0));
    rotated.close().await;

    let second = with(vec![("second".into(), [2; 32])]).await;
    assert_eq!(second.fill_customers(scene.tenant).await.unwrap(), 1);
    let new = booking_for(world, &scene, 2, ada);
    assert_eq!(second.create_booking(new, world.audit()).await.unwrap(), Some(customer), "the same MACs");
    second.close().await;
    let filter = BookingFilter { customer: Some(customer), ..BookingFilter::default() };
    assert_eq!(world.store.list_bookings(scene.tenant, filter, 100).await.unwrap().len(), 3);
}

/// An address that a thousand people gave, such as a hotel's: each is found again by their name, though not all are looked at.
pub async fn an_address_of_many_finds_each(world: &World) {
    let scene = world.scene("quay").await;
    let guest = |n: i64| named(&format!("Guest {n}"), Some("desk@example.com"), None);
    let many = limits::CUSTOMER_CANDIDATES_MAX + 10;
    let mut customers = Vec::new();
    for n in 0..many {
        customers.push(booked(world, &scene, n, guest(n)).await);
    }
    assert_eq!(customers.iter().collect::<BTreeSet<_>>().len(), customers.len());
    for n in [0, many - 1] {
        assert_eq!(booked(world, &scene, many + n, guest(n)).await, customers[usize::try_from(n).unwrap()]);
    }
    let asked = maybe_same(world, scene.tenant, customers[0]).await.len();
    assert_eq!(i64::try_from(asked).unwrap(), limits::CUSTOMER_CANDIDATES_MAX);
}

/// Migration 0050 on a database that is in use: whoever may read bookings may read whom they are for, and bookings wait for theirs.
pub async fn a_database_of_before_goes_on(world: &World) {
    let postgres = world.store.engine() == "postgres";
    let folder = format!("{}/../migrations/{}", env!("CARGO_MANIFEST_DIR"), world.store.engine());
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().file_name().to_string_lossy().replace(".sql", ""))
        .filter(|name| name.as_str() <= "0050_customers")
        .collect();
    names.sort();
    assert_eq!(names.pop().as_deref(), Some("0050_customers"));
    // Some of them make tables anew, which others refer to.
    let first = if postgres { "" } else { "PRAGMA foreign_keys = OFF; PRAGMA legacy_alter_table = ON;" };
    let mut script = first.to_owned();
    script.extend(names.iter().map(|name| migration(world.store.engine(), name)));
    let id = |n: u128| {
        let id = uuid::Uuid::from_u128(n);
        if postgres { format!("'{id}'") } else { format!("x'{}'", id.simple()) }
    };
    let now = if postgres { "now()" } else { "0" };
    for (n, scopes) in [(1, r#"["availability:read"]"#), (2, r#"["bookings:read", "bookings:write"]"#)] {
        script += &format!(
            "INSERT INTO api_keys (tenant_id, id, name, prefix, hash, scopes, created_at) VALUES ({}, {}, 'k', 'p', {}, '{scopes}', {now});",
            id(0),
            id(n),
            if postgres { format!("'\\x0{n}'") } else { format!("x'0{n}'") }
        );
    }
    script += &migration(world.store.engine(), "0050_customers");
    let read = "SELECT CAST(scopes AS TEXT) FROM api_keys ORDER BY id";
    let scopes: Vec<String> = if postgres {
        let mut conn = PgConnection::connect(&world.url).await.unwrap();
        conn.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public").await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(script)).execute(&mut conn).await.unwrap();
        sqlx::query_scalar(read).fetch_all(&mut conn).await.unwrap()
    } else {
        let mut conn = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(script)).execute(&mut conn).await.unwrap();
        sqlx::query_scalar(read).fetch_all(&mut conn).await.unwrap()
    };
    let scopes: Vec<Vec<String>> = scopes.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    assert_eq!(
        scopes,
        [vec!["availability:read"], vec!["bookings:read", "bookings:write", "customers:read"]]
    );
}
