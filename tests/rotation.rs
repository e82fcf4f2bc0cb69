//! A webhook secret is rotated at a real component's provider while people book on both sides: no message is lost, no booking refused.

use berth_engine::Outcome;
use berth_model::{
    bookings::booking::{Booking, BookingStatus},
    id::{ConnectionId, EventTypeId},
    limits,
    outbound::provider::{WebhookReply, WebhookRequest},
    problem::Code,
    time::{Clock as _, Instant},
};
use berth_simulators::{calcom, calcom::Delivery, faults::Fault};
use berth_tests::{World, with_calcom};

struct Studio {
    world: World,
    simulator: calcom::Simulator,
    connection: ConnectionId,
    event_type: EventTypeId,
}

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

impl Studio {
    async fn book(&self, start: &str) -> Booking {
        let request = berth_tests::request(self.event_type, at(start));
        let outcome = self.world.engine.bookings.book(&self.world.caller, request).await.unwrap();
        assert_eq!((outcome.pending, outcome.booking.status), (false, BookingStatus::Confirmed));
        outcome.booking
    }

    async fn now(&self, booking: &Booking) -> Booking {
        self.world.engine.bookings.booking(&self.world.caller, booking.id).await.unwrap()
    }

    async fn receive(&self, delivery: Delivery) -> Outcome<WebhookReply> {
        let request = WebhookRequest {
            method: "POST".to_owned(),
            headers: delivery.headers,
            query: delivery.url.split_once('?').map(|(_, query)| query.to_owned()).unwrap_or_default(),
            body: delivery.body,
            received_at: self.world.clock.now(),
            subscription: None,
        };
        let plugin = "calcom".parse().unwrap();
        self.world.engine.inbound.receive_webhook(&plugin, self.connection, request, None, "test").await
    }

    async fn jobs(&self) {
        while self.world.engine.jobs.run_due_jobs(16).await.unwrap() > 0 {}
    }

    async fn rotate(&self) {
        let engine = &self.world.engine;
        engine
            .connections
            .rotate_webhook_secret(&self.world.caller, self.connection, None, None)
            .await
            .unwrap();
    }

    /// Cancelled in the provider's own calendar; the messages about it.
    fn cancelled_there(&self, booking: &Booking) -> Vec<Delivery> {
        self.simulator.take_deliveries();
        self.simulator.cancel_out_of_band(booking.external_id.as_ref().unwrap(), "ill").unwrap();
        let told = self.simulator.take_deliveries();
        assert!(!told.is_empty());
        told
    }
}

/// By which addresses messages came.
fn addresses(told: &[Delivery]) -> Vec<u32> {
    let of = |delivery: &Delivery| delivery.url.split_once("?v=").map_or(0, |(_, v)| v.parse().unwrap());
    told.iter().map(of).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_signed_with_either_secret_count_during_a_rotation() {
    let (world, simulator, connection, event_type) = with_calcom(31).await;
    let studio = Studio { world, simulator, connection, event_type: event_type.id };
    let mut bookings = Vec::new();
    for hour in 9..13 {
        bookings.push(studio.book(&format!("2026-11-24T{hour:02}:00:00Z")).await);
    }
    let [before, between, after, last] = <[Booking; 4]>::try_from(bookings).unwrap();

    // On its way when the secret is rotated, which the provider does not hear of at first.
    let on_its_way = studio.cancelled_there(&before);
    studio.simulator.script("POST /v2/webhooks", Fault::ServerError);
    let (booked, ()) = tokio::join!(studio.book("2026-11-24T15:00:00Z"), studio.rotate());
    let meanwhile = studio.cancelled_there(&between);
    assert_eq!((addresses(&on_its_way), addresses(&meanwhile)), (vec![0], vec![0]), "still the old one");
    for delivery in on_its_way.into_iter().chain(meanwhile.clone()) {
        studio.receive(delivery).await.unwrap();
    }
    studio.jobs().await;
    for booking in [&before, &between] {
        assert_eq!(studio.now(booking).await.status, BookingStatus::Cancelled);
    }

    // The new one is made, and the old one cannot be ended yet: both tell.
    studio.world.clock.advance_ms(61_000);
    studio.simulator.script("DELETE /v2/webhooks", Fault::DropBefore);
    studio.world.engine.connections.keep_subscriptions().await.unwrap();
    let twice = studio.cancelled_there(&after);
    assert_eq!(addresses(&twice), [0, 1]);
    for delivery in twice {
        studio.receive(delivery).await.unwrap();
    }
    studio.jobs().await;
    assert_eq!(studio.now(&after).await.status, BookingStatus::Cancelled);

    // In the end there is the new one alone.
    studio.world.clock.advance_ms(121_000);
    studio.world.engine.connections.keep_subscriptions().await.unwrap();
    let once = studio.cancelled_there(&last);
    assert_eq!(addresses(&once), [1]);
    for delivery in once {
        studio.receive(delivery).await.unwrap();
    }
    studio.jobs().await;
    assert_eq!(studio.now(&last).await.status, BookingStatus::Cancelled);
    let connection =
        studio.world.engine.connections.connection(&studio.world.caller, studio.connection).await.unwrap();
    assert!(connection.subscription.is_some() && connection.subscription_detail.is_none());

    // What the old one signed is refused when its time is over, and what was booked meanwhile is there.
    studio.world.clock.advance_ms(limits::WEBHOOK_SECRET_OVERLAP_SECONDS * 1_000);
    for delivery in meanwhile {
        assert_eq!(studio.receive(delivery).await.unwrap_err().code, Code::WebhookRefused);
    }
    let refusals =
        studio.world.engine.inbound.webhook_refusals(&studio.world.caller, studio.connection).await.unwrap();
    assert_eq!((refusals[0].reason.as_str(), refusals[0].refused), ("mismatch", 1));
    assert_eq!(studio.now(&booked).await.status, BookingStatus::Confirmed);
    assert_eq!(studio.simulator.active_by_reference(&booked.id.to_string()).len(), 1);
}
