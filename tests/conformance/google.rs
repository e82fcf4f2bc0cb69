//! Google Calendar: busy times in place of slots, ids of our own, sync tokens, push channels.

use std::sync::Arc;

use berth_conformance::Provider;
use berth_simulators::google;

use crate::{
    recordings::{keep, recorded},
    world::{check, clocks, conforms, live, recording, setup},
};

const PLUGIN: &str = "google-calendar";

#[tokio::test(flavor = "multi_thread")]
async fn it_passes_against_the_simulator() {
    let (ours, clock) = clocks();
    let config = google::Config { clock, ..google::Config::default() };
    let token = config.access_token.clone();
    let simulator = google::Simulator::start(config).await.unwrap();
    let mut setup = live(setup(PLUGIN), &simulator.url(), "oauth", &token);
    setup.live.settings.insert("base_url".to_owned(), simulator.api_url().into());
    let checked = check(PLUGIN, setup, Provider::Live, ours).await;
    conforms(&checked, 32);
    let text = recorded(PLUGIN, &checked, &token);
    keep(PLUGIN, &text);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_passes_with_its_recording() {
    let recorded = Provider::Recording(Arc::new(recording(PLUGIN)));
    conforms(&check(PLUGIN, setup(PLUGIN), recorded, clocks().0).await, 32);
}
