//! Booksy: bookings that keep their id, idempotency keys, clients.

use std::sync::Arc;

use berth_conformance::Provider;
use berth_simulators::booksy;

use crate::{
    recordings::{keep, recorded},
    world::{check, clocks, conforms, live, recording, setup},
};

#[tokio::test(flavor = "multi_thread")]
async fn it_passes_against_the_simulator() {
    let (ours, clock) = clocks();
    let config = booksy::Config { clock, rate_limit: false, ..booksy::Config::default() };
    let token = config.access_token.clone();
    let simulator = booksy::Simulator::start(config).await.unwrap();
    let setup = live(setup("booksy"), &simulator.url(), "client", &token);
    let checked = check("booksy", setup, Provider::Live, ours).await;
    conforms(&checked, 38);
    let text = recorded("booksy", &checked, &token);
    keep("booksy", &text);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_passes_with_its_recording() {
    let recorded = Provider::Recording(Arc::new(recording("booksy")));
    conforms(&check("booksy", setup("booksy"), recorded, clocks().0).await, 38);
}
