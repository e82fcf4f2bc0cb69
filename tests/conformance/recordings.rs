//! Recordings are kept in the repository, for everybody to read: no credential is in one.

use std::fs;

use berth_conformance::Checked;
use berth_model::plugins::manifest::Manifest;
use berth_simulators::{booksy, calcom, calendly, gohighlevel, google, outlook};
use berth_tests::{canary_secrets::CanarySecrets, radicale::LOGIN};

use crate::world::setup;

fn plugins() -> String {
    format!("{}/../plugins", env!("CARGO_MANIFEST_DIR"))
}

/// What the suite makes up in place of credentials.
fn plant_made_up(canaries: &mut CanarySecrets, plugin: &str) {
    let manifest = fs::read_to_string(format!("{}/{plugin}/plugin.toml", plugins())).unwrap();
    for name in Manifest::parse(&manifest).unwrap().credentials.keys() {
        canaries.plant(&format!("made-up-{name}-0123456789abcdef"));
    }
}

/// What was said, as it may be kept. This credential is not in it, nor any that the suite made up; nor in the report.
pub fn recorded(plugin: &str, checked: &Checked, credential: &str) -> String {
    let mut canaries = CanarySecrets::default();
    canaries.plant(credential);
    plant_made_up(&mut canaries, plugin);
    let text = serde_json::to_string_pretty(&checked.recording).unwrap();
    canaries.assert_absent("the recording", text.as_bytes());
    canaries.assert_absent("the report", serde_json::to_string(&checked.report).unwrap().as_bytes());
    text
}

/// With `BERTH_RECORD=1` the recordings beside the plugins are made anew.
pub fn keep(plugin: &str, text: &str) {
    if std::env::var_os("BERTH_RECORD").is_some() {
        fs::write(format!("{}/{plugin}/conformance.json", plugins()), format!("{text}\n")).unwrap();
    }
}

#[test]
fn no_recording_that_is_kept_holds_a_credential() {
    let mut kept = Vec::new();
    let mut canaries = CanarySecrets::default();
    for folder in fs::read_dir(plugins()).unwrap().map(|entry| entry.unwrap()) {
        let Ok(recording) = fs::read(folder.path().join("conformance.json")) else { continue };
        let name = folder.file_name().into_string().unwrap();
        setup(&name).live.credentials.values().for_each(|credential| canaries.plant(credential));
        plant_made_up(&mut canaries, &name);
        kept.push((name, recording));
    }
    // What the simulators take, against which the recordings are made.
    for credential in [
        calcom::Config::default().api_key,
        calendly::Config::default().api_key,
        gohighlevel::Config::default().token,
        google::Config::default().access_token,
        outlook::Config::default().access_token,
        booksy::Config::default().access_token,
        booksy::Config::default().client_secret,
        LOGIN.to_owned(),
    ] {
        canaries.plant(&credential);
    }
    assert!(kept.len() >= 8, "only {} recordings are there", kept.len());
    for (name, recording) in &kept {
        canaries.assert_absent(&format!("the recording of {name}"), recording);
    }
}
