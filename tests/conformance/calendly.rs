//! Calendly passes all that applies to it.

use std::sync::Arc;

use berth_conformance::Provider;
use berth_simulators::calendly;

use crate::{
    recordings::{keep, recorded},
    world::{check, clocks, conforms, live, recording, setup},
};

#[tokio::test(flavor = "multi_thread")]
async fn calendly_passes_against_the_simulator() {
    let (ours, clock) = clocks();
    let config = calendly::Config { clock, rate_limit: false, ..calendly::Config::default() };
    let key = config.api_key.clone();
    let simulator = calendly::Simulator::start(config).await.unwrap();
    let setup = live(setup("calendly"), &simulator.url(), "api-key", &key);
    let checked = check("calendly", setup, Provider::Live, ours).await;
    conforms(&checked, 37);
    let text = recorded("calendly", &checked, &key);
    keep("calendly", &text);
}

#[tokio::test(flavor = "multi_thread")]
async fn calendly_passes_with_its_recording() {
    let recorded = Provider::Recording(Arc::new(recording("calendly")));
    conforms(&check("calendly", setup("calendly"), recorded, clocks().0).await, 37);
}
