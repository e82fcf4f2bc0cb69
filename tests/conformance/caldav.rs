//! The CalDAV component against a real server, Radicale, and against its recording.

use std::{collections::BTreeSet, sync::Arc};

use berth_conformance::{Live, Provider, Setup};
use berth_tests::radicale::{LOGIN, Radicale};

use crate::{
    recordings::{keep, recorded},
    world::{check, clocks, conforms, recording, setup},
};

/// The set-up, but with this server. The path stays: it is where ids that are no paths lead.
fn live(mut setup: Setup, radicale: &Radicale) -> Setup {
    setup.live = Live {
        settings: [("base_url".to_owned(), format!("{}/eve/", radicale.url()).into())].into_iter().collect(),
        credentials: [("login".to_owned(), LOGIN.to_owned())].into_iter().collect(),
        insecure_hosts: BTreeSet::from([radicale.host().to_owned()]),
    };
    setup
}

#[tokio::test(flavor = "multi_thread")]
async fn caldav_passes_against_radicale() {
    let Some(radicale) = Radicale::start("CalDAV against a real server").await else { return };
    let checked = check("caldav", live(setup("caldav"), &radicale), Provider::Live, clocks().0).await;
    conforms(&checked, 30);
    let text = recorded("caldav", &checked, LOGIN);
    keep("caldav", &text);
}

#[tokio::test(flavor = "multi_thread")]
async fn caldav_passes_with_its_recording() {
    let recorded = Provider::Recording(Arc::new(recording("caldav")));
    conforms(&check("caldav", setup("caldav"), recorded, clocks().0).await, 30);
}
