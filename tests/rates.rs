//! How often a provider is asked: two connections of one provider, with the real component and the provider's simulator.

use std::sync::Arc;

use berth_model::{
    bookings::booking::BookingStatus, catalog::event_type::EventTypeRecord, id::ConnectionId,
    mirror::sync::SyncPhase, time::Instant,
};
use berth_simulators::{calcom::Simulator, faults::Fault};
use berth_tests::{TestClock, World, calcom, component};
use serde_json::json;

/// Over all connections: 12 in any four minutes.
const REQUESTS: i64 = 12;
const SECONDS_EACH: i64 = 20;

/// The Cal.com component with a rate of the provider in its manifest, in place of a comment of the same length.
fn component_with_rate() -> Vec<u8> {
    let mut bytes = component("calcom");
    let old = b"# API keys may ask 120 times a minute; a little is left for people.";
    let rate = format!("[provider-rate-limit]\nrequests={REQUESTS}\nper-seconds={}", REQUESTS * SECONDS_EACH);
    let new = format!("{rate}\n#{}", "-".repeat(old.len() - rate.len() - 2));
    let places: Vec<usize> =
        (0..bytes.len() - old.len()).filter(|at| bytes[*at..].starts_with(old.as_slice())).collect();
    assert!(!places.is_empty(), "the manifest's comment");
    for at in places {
        bytes[at..at + old.len()].copy_from_slice(new.as_bytes());
    }
    bytes
}

struct Scene {
    world: World,
    clock: Arc<TestClock>,
    simulator: Simulator,
    connections: [ConnectionId; 2],
    event_type: EventTypeRecord,
}

impl Scene {
    /// Two connections; bookings are with the second. Nothing was sent lately.
    async fn new() -> Self {
        let clock = TestClock::start();
        let simulator = calcom(clock.clone(), 5).await;
        let url = simulator.url();
        let world = World::new(5, clock.clone(), &[url.trim_start_matches("http://")]).await;
        world.install(component_with_rate()).await;
        let settings = || json!({ "base_url": url });
        let first = world.connect("calcom", settings(), "cal_test_not_a_real_key").await;
        let second = world.connect("calcom", settings(), "cal_test_not_a_real_key").await;
        let event_type = world.offer(Some(second), Some("101")).await;
        while world.engine.jobs.run_due_jobs(10).await.unwrap() > 0 {}
        clock.advance_ms(REQUESTS * SECONDS_EACH * 1_000);
        Self { world, clock, simulator, connections: [first, second], event_type }
    }

    fn asked(&self) -> i64 {
        i64::try_from(self.simulator.requests().len()).unwrap()
    }

    async fn is_healthy(&self, connection: ConnectionId) -> bool {
        let (_, problem) =
            self.world.engine.connections.connection_health(&self.world.caller, connection).await.unwrap();
        if let Some(problem) = &problem {
            assert_eq!(problem.detail, "The provider is asked too often.");
        }
        problem.is_none()
    }

    async fn book(&self, start: &str) -> BookingStatus {
        let request = berth_tests::request(self.event_type.id, start.parse::<Instant>().unwrap());
        self.world.engine.bookings.book(&self.world.caller, request).await.unwrap().booking.status
    }
}

#[tokio::test]
async fn two_connections_together_do_not_exceed_their_providers_rate() {
    let scene = Scene::new().await;
    let length = REQUESTS * SECONDS_EACH;
    let (mut elapsed, mut sent, mut passed) = (0, Vec::new(), [0_i64; 2]);
    while elapsed < 3 * length {
        for (n, connection) in scene.connections.into_iter().enumerate() {
            let before = scene.asked();
            passed[n] += i64::from(scene.is_healthy(connection).await);
            sent.extend((before..scene.asked()).map(|_| elapsed));
        }
        let lately = sent.iter().filter(|at| **at > elapsed - length).count();
        assert!(i64::try_from(lately).unwrap() <= REQUESTS, "{sent:?}");
        scene.clock.advance_ms(5_000);
        elapsed += 5;
    }
    // Nothing of it is left unused but what is kept for what is more urgent, and neither connection goes without.
    let kept = REQUESTS / i64::from(berth_model::limits::EGRESS_RATE_RESERVE_PARTS);
    assert_eq!(i64::try_from(sent.len()).unwrap(), 3 * (REQUESTS - kept));
    assert!(passed.iter().all(|passed| *passed > 0), "{passed:?}");
}

#[tokio::test]
async fn everything_is_read_over_one_connection_and_a_customer_books_over_the_other() {
    let scene = Scene::new().await;
    let day = 86_400_000_000;
    let first = (scene.world.engine.now().micros() / day + 30) * day;
    for n in 0..2_000 {
        scene.simulator.book_out_of_band(101, first + n * 1_800_000_000).expect("free");
    }
    let before = scene.asked();
    scene.world.engine.mirror.start_sync(&scene.world.caller, scene.connections[0], true).await.unwrap();
    while scene.world.engine.jobs.run_due_jobs(1).await.unwrap() > 0 {}
    let reserve = REQUESTS / i64::from(berth_model::limits::EGRESS_RATE_RESERVE_PARTS);
    assert_eq!(
        scene.asked() - before,
        REQUESTS - reserve,
        "it has not read everything, and left the reserve"
    );
    assert_eq!(scene.book("2026-11-24T10:00:00Z").await, BookingStatus::Confirmed);

    // It goes on where it was, as it may ask again.
    for _ in 0..20 {
        scene.clock.advance_ms(REQUESTS * SECONDS_EACH * 1_000);
        while scene.world.engine.jobs.run_due_jobs(1).await.unwrap() > 0 {}
    }
    let status =
        scene.world.engine.mirror.sync_status(&scene.world.caller, scene.connections[0]).await.unwrap();
    assert_eq!((status.state.phase, status.state.error.as_deref()), (SyncPhase::Idle, None));
    assert!(status.state.items >= 2_000, "{:?}", status.state);
}

#[tokio::test]
async fn a_provider_that_says_wait_is_not_asked_over_that_connection_only() {
    let scene = Scene::new().await;
    let [first, second] = scene.connections;
    scene.simulator.script("GET", Fault::RateLimited { retry_after_seconds: Some(30) });
    assert!(!scene.is_healthy(first).await);
    let asked = scene.asked();
    assert!(!scene.is_healthy(first).await);
    assert_eq!(scene.asked(), asked, "it was not asked again");
    assert!(scene.is_healthy(second).await);
    scene.clock.advance_ms(29_000);
    assert!(!scene.is_healthy(first).await);
    scene.clock.advance_ms(1_000);
    assert!(scene.is_healthy(first).await);
}
