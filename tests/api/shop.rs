//! Tenants with a provider's component and its simulator.

use std::sync::Arc;

use berth_model::{id::ConnectionId, time::Clock as _};
use berth_simulators::{calcom::Simulator, faults::Rates, outlook};
use berth_tests::{TestClock, World, component};
use serde_json::{Value, json};

use crate::{Answer, Api, booking};

pub(crate) struct Shop {
    pub(crate) api: Api,
    pub(crate) provider: Simulator,
    pub(crate) connection: String,
    pub(crate) event_type: Value,
    pub(crate) listing: String,
}

impl Shop {
    pub(crate) async fn new(seed: u64) -> Self {
        let (world, provider, connection, event_type) = berth_tests::with_calcom(seed).await;
        let listing = format!("/api/listings/{}", event_type.listing);
        let api = Api::over(world).await;
        let connection = format!("/api/booking-providers/{connection}");
        Self { api, provider, connection, event_type: json!(event_type.id), listing }
    }

    pub(crate) async fn sent(&self, method: &str, path: &str, body: Value) -> Answer {
        self.api.send(method, path, Some(&self.api.key), &[], body).await
    }

    pub(crate) async fn book(&self, start: &str) -> Value {
        self.api.ok("POST", "/api/booking", booking(&self.event_type, start)).await
    }

    /// The provider answers nothing but errors.
    pub(crate) fn break_provider(&self) {
        self.provider.set_rates(Rates { server_error: 1.0, ..Rates::default() });
    }

    pub(crate) async fn work(&self) {
        for _ in 0..10 {
            self.api.world.clock.advance_ms(60_000);
            self.api.world.engine.jobs.run_due_jobs(20).await.unwrap();
        }
    }
}

pub(crate) fn of(booking: &Value) -> String {
    format!("/api/booking/{}", booking["id"].as_str().unwrap())
}

/// A tenant with the component for Outlook and its simulator, which sends browsers back to the world's address.
pub(crate) async fn with_outlook() -> (Api, outlook::Simulator) {
    let clock = TestClock::start();
    let shown = clock.clone();
    let client = outlook::Client {
        redirect_uris: vec!["http://127.0.0.1:9/api/oauth/callback".to_owned()],
        ..outlook::Client::default()
    };
    let ticks: berth_simulators::Clock = Arc::new(move || shown.now().micros());
    let config = outlook::Config { seed: 5, client, clock: ticks, ..outlook::Config::default() };
    let simulator = outlook::Simulator::start(config).await.unwrap();
    let reached = simulator.url();
    let world = World::new(5, clock, &[reached.trim_start_matches("http://")]).await;
    world.install(component("outlook")).await;
    (Api::over(world).await, simulator)
}

/// A connection to it with a token that is good.
pub(crate) async fn connect_outlook(api: &Api, simulator: &outlook::Simulator) -> ConnectionId {
    let settings = json!({ "base_url": simulator.url() });
    api.world.connect_with("outlook", settings, "oauth", &outlook::Config::default().access_token).await
}
