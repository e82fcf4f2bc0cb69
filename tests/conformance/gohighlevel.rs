//! HighLevel passes all that applies to it.

use std::sync::Arc;

use berth_conformance::{Provider, Setup};
use berth_simulators::gohighlevel;

use crate::{
    recordings::{keep, recorded},
    world::{check, clocks, conforms, live, recording, setup},
};

#[tokio::test(flavor = "multi_thread")]
async fn highlevel_passes_against_the_simulator() {
    let (ours, clock) = clocks();
    let config = gohighlevel::Config { clock, rate_limit: false, ..gohighlevel::Config::default() };
    let token = config.token.clone();
    let simulator = gohighlevel::Simulator::start(config).await.unwrap();
    let setup = live(setup("gohighlevel"), &simulator.url(), "api-key", &token);
    let checked = check("gohighlevel", setup, Provider::Live, ours).await;
    conforms(&checked, 36);
    let text = recorded("gohighlevel", &checked, &token);
    keep("gohighlevel", &text);
}

#[tokio::test(flavor = "multi_thread")]
async fn highlevel_passes_with_its_recording() {
    let recording = Provider::Recording(Arc::new(recording("gohighlevel")));
    let checked = check("gohighlevel", setup("gohighlevel"), recording, clocks().0).await;
    conforms(&checked, 36);
}

#[tokio::test(flavor = "multi_thread")]
async fn highlevel_is_tried_when_it_is_installed() {
    // As at the door: no set-up, and nobody plays the provider. The required setting takes its example.
    let checked = check("gohighlevel", Setup::default(), Provider::Nobody, clocks().0).await;
    conforms(&checked, 14);
}
