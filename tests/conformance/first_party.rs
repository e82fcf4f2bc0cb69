//! Our own components pass all that applies to them.

use std::sync::Arc;

use berth_conformance::Provider;
use berth_simulators::{acme, calcom};

use crate::{
    recordings::{keep, recorded},
    world::{check, clocks, conforms, live, recording, setup},
};

const KEY: &str = "acme_made_up_key_1234";

#[tokio::test(flavor = "multi_thread")]
async fn the_template_passes_against_its_provider() {
    let (ours, clock) = clocks();
    let config = acme::Config { port: 0, api_key: KEY.to_owned(), clock };
    let acme = acme::Simulator::start(config).await.unwrap();
    let checked =
        check("template", live(setup("template"), &acme.url(), "api-key", KEY), Provider::Live, ours).await;
    conforms(&checked, 36);
    let text = recorded("template", &checked, KEY);
    keep("template", &text);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_template_passes_as_it_is() {
    let checked = check(
        "template",
        setup("template"),
        Provider::Recording(Arc::new(recording("template"))),
        clocks().0,
    )
    .await;
    conforms(&checked, 36);
}

#[tokio::test(flavor = "multi_thread")]
async fn cal_com_passes_against_the_simulator() {
    let (ours, clock) = clocks();
    let config = calcom::Config { clock, rate_limit: false, ..calcom::Config::default() };
    let key = config.api_key.clone();
    let simulator = calcom::Simulator::start(config).await.unwrap();
    let checked =
        check("calcom", live(setup("calcom"), &simulator.url(), "api-key", &key), Provider::Live, ours).await;
    conforms(&checked, 30);
    let text = recorded("calcom", &checked, &key);
    keep("calcom", &text);
}

#[tokio::test(flavor = "multi_thread")]
async fn cal_com_passes_with_its_recording() {
    let checked =
        check("calcom", setup("calcom"), Provider::Recording(Arc::new(recording("calcom"))), clocks().0)
            .await;
    conforms(&checked, 30);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reference_passes_without_a_network() {
    // It asks nobody, so an empty recording is enough.
    let nothing =
        berth_conformance::Recording { now: crate::world::now(), cases: std::collections::BTreeMap::new() };
    let checked =
        check("reference", setup("reference"), Provider::Recording(Arc::new(nothing)), clocks().0).await;
    conforms(&checked, 20);
}
