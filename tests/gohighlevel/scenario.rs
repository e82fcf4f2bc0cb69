//! What the tests share: the component connected to a simulator of its own.

use std::sync::Arc;

use berth_model::{
    bookings::booking::Booking,
    catalog::event_type::EventTypeRecord,
    id::{ConnectionId, ProviderCallId},
    outbound::provider::{Asked, CallContext, WebhookRequest},
    problem::Code,
    time::{Clock, Instant},
};
use berth_simulators::{
    front::Delivery,
    gohighlevel::{Calendar, Config, Simulator},
    hours::Hours,
};
use berth_tests::{TestClock, World, component};
use serde_json::{Value, json};

/// A practice that has connected its sub-account.
pub struct Scenario {
    pub world: World,
    pub simulator: Simulator,
    pub connection: ConnectionId,
    pub event_type: EventTypeRecord,
}

impl Scenario {
    /// A sub-account that is open round the clock in Warsaw, connected, with this calendar on offer.
    pub async fn open(calendar: &str, more_settings: Value) -> Self {
        let clock = TestClock::start();
        let ticks = clock.clone();
        let calendar_of = |id: &str, auto_confirm| Calendar {
            id: id.to_owned(),
            slug: id.to_owned(),
            name: "Consultation".to_owned(),
            length_minutes: 30,
            auto_confirm,
        };
        let config = Config {
            clock: Arc::new(move || ticks.now().micros()),
            rate_limit: false,
            calendars: vec![calendar_of("cal_1", true), calendar_of("cal_2", false)],
            hours: Hours {
                time_zone: chrono_tz::Europe::Warsaw,
                opens_minute: 0,
                closes_minute: 24 * 60,
                weekends: true,
            },
            ..Config::default()
        };
        let token = config.token.clone();
        let simulator = Simulator::start(config).await.unwrap();
        let url = simulator.url();
        let world = World::new(7, clock, &[url.trim_start_matches("http://")]).await;
        world.install(component("gohighlevel")).await;
        let mut settings = json!({ "base_url": url, "location_id": "loc_1",
            "webhook_public_key": simulator.webhook_public_key(),
            "legacy_webhook_public_key": simulator.legacy_webhook_public_key() });
        settings.as_object_mut().unwrap().extend(more_settings.as_object().unwrap().clone());
        let connection = world.connect("gohighlevel", settings, &token).await;
        let event_type = world.offer(Some(connection), Some(calendar)).await;
        Self { world, simulator, connection, event_type }
    }

    /// Ada books, or is refused.
    pub async fn try_to_book(&self, start: Instant) -> Result<Booking, Code> {
        let request = berth_tests::request(self.event_type.id, start);
        let booked = self.world.engine.bookings.book(&self.world.caller, request).await;
        booked.map(|outcome| outcome.booking).map_err(|problem| problem.code)
    }

    pub async fn book(&self, start: &str) -> Booking {
        self.try_to_book(at(start)).await.unwrap()
    }

    pub async fn now(&self, booking: &Booking) -> Booking {
        self.world.engine.bookings.booking(&self.world.caller, booking.id).await.unwrap()
    }

    /// For a call of the component by itself, as Berth makes them.
    pub async fn call(&self) -> CallContext {
        let (store, tenant) = (&self.world.store, self.world.caller.tenant);
        let record = store.connection(tenant, self.connection).await.unwrap();
        let credentials = store.connection_credentials(tenant, self.connection).await.unwrap();
        let host = self.simulator.url().trim_start_matches("http://").to_owned();
        CallContext {
            tenant,
            listing: None,
            connection: self.connection,
            plugin: record.plugin,
            call: ProviderCallId::from_uuid(uuid::Uuid::from_u128(1)),
            request_id: "test".to_owned(),
            settings: Arc::new(record.settings),
            credentials: Arc::new(credentials),
            granted_hosts: Arc::new([host].into()),
            asked: Asked::default(),
            in_background: false,
            despite_state: false,
        }
    }

    /// Let an hour pass, and do what is due.
    pub async fn later(&self) {
        self.world.clock.advance_ms(3_600_000);
        while self.world.engine.jobs.run_due_jobs(16).await.unwrap() > 0 {}
    }

    /// Messages that the simulator has for us.
    pub fn messages(&self) -> Vec<Delivery> {
        self.simulator.take_deliveries()
    }

    fn request(&self, message: &Delivery) -> WebhookRequest {
        WebhookRequest {
            method: "POST".to_owned(),
            headers: message.headers.clone(),
            query: String::new(),
            body: message.body.clone(),
            received_at: self.world.clock.now(),
            subscription: None,
        }
    }

    /// Deliver a message to the connection, and act on it. The code of the refusal if it is refused.
    pub async fn deliver(&self, message: &Delivery) -> Result<(), Code> {
        let (plugin, request) = ("gohighlevel".parse().unwrap(), self.request(message));
        let received =
            self.world.engine.inbound.receive_webhook(&plugin, self.connection, request, None, "test").await;
        self.acted_on(received.map(drop).map_err(|problem| problem.code)).await
    }

    /// The same to the one address of the app.
    pub async fn deliver_to_app(&self, message: &Delivery) -> Result<(), Code> {
        let (plugin, request) = ("gohighlevel".parse().unwrap(), self.request(message));
        let received =
            self.world.engine.inbound.receive_account_webhook(&plugin, request, None, "test").await;
        self.acted_on(received.map(drop).map_err(|problem| problem.code)).await
    }

    async fn acted_on(&self, received: Result<(), Code>) -> Result<(), Code> {
        received?;
        while self.world.engine.jobs.run_due_jobs(16).await.unwrap() > 0 {}
        Ok(())
    }
}

pub fn at(text: &str) -> Instant {
    text.parse().unwrap()
}
