//! Holidays that come from a calendar.

use berth_model::{
    calendars::ics::Origin,
    scheduling::rule::{Holiday, Rule, RuleOwner, RuleRecord},
};
use berth_store::{StoreError, records::HolidayImport};

use super::world::{NOON, World};

pub async fn an_import_is_decided_over_what_is_there(world: &World) {
    let scene = world.scene("quay").await;
    let origin = |sequence| Origin { uid: "a@x".to_owned(), sequence, modified: Some(NOON) };
    let holiday = |date: &str, origin: Option<Origin>| RuleRecord {
        id: world.id(),
        tenant: scene.tenant,
        owner: Some(RuleOwner::Listing(scene.listing)),
        rule: Rule::Holiday(Holiday { name: date.to_owned(), date: date.parse().unwrap(), last_date: None }),
        origin,
        revision: 1,
        created_at: NOON,
        updated_at: NOON,
    };
    let (first, second) = (holiday("2026-12-25", Some(origin(0))), holiday("2026-12-26", None));
    let import = HolidayImport {
        tenant: scene.tenant,
        listing: scene.listing,
        seen: Vec::new(),
        make: vec![(first.clone(), world.audit()), (second.clone(), world.audit())],
        renew: Vec::new(),
        remove: Vec::new(),
    };
    // Two at once: one has to look again.
    let again = HolidayImport { make: vec![(holiday("2026-12-25", None), world.audit())], ..import.clone() };
    let both = tokio::join!(world.store.import_holidays(import), world.store.import_holidays(again.clone()));
    let (won, lost) = if both.0.is_ok() { (both.0, both.1) } else { (both.1, both.0) };
    assert!(won.is_ok() && matches!(lost, Err(StoreError::Stale)), "{lost:?}");
    let there = world.store.holidays_of(scene.tenant, scene.listing).await.unwrap();
    let seen: Vec<_> = there.iter().map(|rule| (rule.id, rule.revision)).collect();
    for rule in there.iter().filter(|rule| rule.id == first.id) {
        assert_eq!(rule.origin, Some(origin(0)));
    }
    let third = holiday("2026-12-27", Some(origin(0)));
    let change = HolidayImport {
        seen: seen.clone(),
        make: vec![(third.clone(), world.audit())],
        renew: Vec::new(),
        remove: seen.iter().map(|(id, _)| (*id, world.audit())).collect(),
        ..again.clone()
    };
    world.store.import_holidays(change.clone()).await.unwrap();
    assert!(matches!(world.store.import_holidays(change).await, Err(StoreError::Stale)));
    let renew = HolidayImport {
        seen: vec![(third.id, 1)],
        make: Vec::new(),
        renew: vec![(third.id, origin(3))],
        remove: Vec::new(),
        ..again.clone()
    };
    world.store.import_holidays(renew).await.unwrap();
    let there = world.store.holidays_of(scene.tenant, scene.listing).await.unwrap();
    assert_eq!(there, [RuleRecord { origin: Some(origin(3)), ..third }]);
    let elsewhere = HolidayImport { listing: world.id(), seen: Vec::new(), ..again };
    assert!(matches!(world.store.import_holidays(elsewhere).await, Err(StoreError::NotFound(_))));
}
