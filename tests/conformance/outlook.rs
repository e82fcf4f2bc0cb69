//! The Outlook provider passes against its simulator, and with what was recorded of that.

use std::sync::Arc;

use berth_conformance::Provider;
use berth_simulators::outlook;

use crate::{
    recordings::{keep, recorded},
    world::{check, clocks, conforms, live, recording, setup},
};

#[tokio::test(flavor = "multi_thread")]
async fn it_passes_against_the_simulator() {
    let (ours, clock) = clocks();
    let simulator =
        outlook::Simulator::start(outlook::Config { clock, ..outlook::Config::default() }).await.unwrap();
    let token = outlook::Config::default().access_token;
    let setup = live(setup("outlook"), &simulator.url(), "oauth", &token);
    let checked = check("outlook", setup, Provider::Live, ours).await;
    conforms(&checked, 35);
    let text = recorded("outlook", &checked, &token);
    // Links as the service writes them, so that a recording does not change with the simulator's port.
    let text = text.replace(&simulator.url(), "https://graph.microsoft.com");
    keep("outlook", &text);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_passes_with_its_recording() {
    let recorded = Provider::Recording(Arc::new(recording("outlook")));
    conforms(&check("outlook", setup("outlook"), recorded, clocks().0).await, 35);
}
