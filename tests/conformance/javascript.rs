//! The provider in JavaScript, which knows nothing but the contract, passes as ours do.
//!
//! The test command builds it when npm is there; else it is skipped, and said.

use std::sync::Arc;

use berth_conformance::Provider;
use berth_simulators::acme;

use crate::{
    recordings::{keep, recorded},
    world::{check, clocks, conforms, live, recording, setup},
};

const KEY: &str = "acme_made_up_key_1234";

/// Is the component there?
fn built() -> bool {
    let there = berth_tests::find_component("acme-js").is_file();
    if !there {
        println!("SKIPPED: the provider in JavaScript: it is not built (cargo xtask components says why)");
    }
    there
}

#[tokio::test(flavor = "multi_thread")]
async fn it_passes_against_its_provider() {
    if !built() {
        return;
    }
    let (ours, clock) = clocks();
    let acme =
        acme::Simulator::start(acme::Config { port: 0, api_key: KEY.to_owned(), clock }).await.unwrap();
    let checked =
        check("acme-js", live(setup("acme-js"), &acme.url(), "api-key", KEY), Provider::Live, ours).await;
    conforms(&checked, 36);
    let text = recorded("acme-js", &checked, KEY);
    keep("acme-js", &text);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_passes_with_its_recording() {
    if !built() {
        return;
    }
    let recorded = Provider::Recording(Arc::new(recording("acme-js")));
    conforms(&check("acme-js", setup("acme-js"), recorded, clocks().0).await, 36);
}
