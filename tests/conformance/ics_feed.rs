//! The component for published calendars passes against a web server, and with what was recorded of that.

use std::sync::Arc;

use berth_conformance::Provider;
use berth_simulators::published::Publisher;

use crate::{
    recordings::{keep, recorded},
    world::{check, clocks, conforms, live, recording, setup},
};

/// Half an hour every day, and a day off.
const LINES: &str = "BEGIN:VEVENT\r\nUID:1\r\nDTSTART;TZID=Europe/Warsaw:20291201T110000\r\nDURATION:PT30M\r\nRRULE:FREQ=DAILY\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:2\r\nDTSTART;VALUE=DATE:20300110\r\nEND:VEVENT\r\n";
/// What is asked of a component that only reads.
const CASES: usize = 15;

#[tokio::test(flavor = "multi_thread")]
async fn it_passes_against_a_publisher() {
    let publisher = Publisher::start(LINES).await.unwrap();
    let setup = live(setup("ics-feed"), &publisher.url(), "address", &publisher.address());
    let checked = check("ics-feed", setup, Provider::Live, clocks().0).await;
    conforms(&checked, CASES);
    let text = recorded("ics-feed", &checked, &publisher.address());
    assert!(!text.contains("private-made-up"), "the address is in the recording");
    keep("ics-feed", &text);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_passes_with_its_recording() {
    let recorded = Provider::Recording(Arc::new(recording("ics-feed")));
    conforms(&check("ics-feed", setup("ics-feed"), recorded, clocks().0).await, CASES);
}
