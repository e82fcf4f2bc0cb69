//! What people enter in Outlook takes the same time whether it is asked for or followed.

use berth_engine::{AvailabilityQuery, ProviderChoice};
use berth_model::{
    mirror::sync::SyncRules,
    outbound::provider::ExternalStatus,
    time::{Clock as _, Instant, Interval},
    zone::Zone,
};
use berth_simulators::outlook;
use berth_tests::World;
use serde_json::json;

use super::{HOUR_MICROS, Scene, installed};

const DAY_MICROS: i64 = 24 * HOUR_MICROS;

#[tokio::test]
async fn days_off_and_what_may_be_take_the_same_time_on_both_paths() {
    for tentative in [true, false] {
        let (world, simulator, receiver) = installed(11).await;
        let own = simulator.calendars()[0].id.clone();
        let midnight = (today(&world) + 3) * DAY_MICROS;
        let add = |title: &str, hour: i64, hours: i64| {
            let start = midnight + hour * HOUR_MICROS;
            simulator.add_event(&own, title, start, start + hours * HOUR_MICROS).unwrap()
        };
        let day_off = add("Day off", 0, 24);
        simulator.edit_event(&day_off, |event| {
            (event.all_day, event.zone) = (true, "Eastern Standard Time".to_owned());
            event.show_as = "oof".to_owned();
        });
        let maybe = add("Maybe", 34, 1);
        simulator.edit_event(&maybe, |event| event.show_as = "tentative".to_owned());
        let declined = add("No", 36, 1);
        simulator.edit_event(&declined, |event| event.response = "declined".to_owned());
        let free = add("Birthday", 38, 1);
        simulator.edit_event(&free, |event| event.show_as = "free".to_owned());

        let settings = json!({ "base_url": simulator.url(), "tentative_is_busy": tentative });
        let token = outlook::Config::default().access_token;
        let connection = world.connect_with("outlook", settings, "oauth", &token).await;
        let event_type = world.offer(Some(connection), Some("default")).await;
        let scene = Scene { world, simulator, connection, event_type, receiver };
        let (engine, caller) = (&scene.world.engine, &scene.world.caller);
        let rules = SyncRules { member: Some(scene.event_type.members[0]), ..SyncRules::default() };
        engine.mirror.set_sync_rules(caller, connection, rules).await.unwrap();
        engine.mirror.start_sync(caller, connection, true).await.unwrap();
        scene.settle().await;

        let at = |hour: i64| Instant::from_micros(midnight + hour * HOUR_MICROS);
        let mut followed = Vec::new();
        for (id, hour) in [(&day_off, 5), (&maybe, 34), (&declined, 36), (&free, 38)] {
            let mirrored = scene.world.store.mirrored(caller.tenant, connection, id).await.unwrap().unwrap();
            assert_eq!(mirrored.external.when.start(), at(hour), "New York is five hours behind");
            followed.push(mirrored.external.status != ExternalStatus::Cancelled);
        }
        assert_eq!(followed, [true, tentative, false, false]);
        // By what was followed alone, and with what the provider tells.
        for provider in [Some(ProviderChoice::BuiltIn), None] {
            let query = AvailabilityQuery {
                event_type: scene.event_type.id,
                within: Interval::new(at(29), at(48)).unwrap(),
                time_zone: Zone::UTC,
                length_minutes: None,
                member: None,
                provider,
                explain: false,
            };
            let offered = engine.availability.availability(caller, query).await.unwrap().slots;
            let open = |hour: i64| offered.iter().any(|slot| slot.when.start() == at(hour));
            assert_eq!([33, 34, 36, 38].map(open), [true, !tentative, true, true], "{tentative}");
        }
    }
}

/// Today, in days since 1970.
fn today(world: &World) -> i64 {
    world.clock.now().micros().div_euclid(DAY_MICROS)
}
