//! Words that were given up for the field's own, and must not come back (`host/adr/0039-the-fields-words.md`).

use super::{files, names_of};

/// Words, where they are not said any more (a path begins so), and what is said instead. Names in the database, in HTTP and in stored rows
/// stay as they were, and are other words than these: `booking_twins`, `own_twin`, `abilities`, `turns`, `untold_bookings`.
const GONE: &[(&[&str], &str, &str)] = &[
    (&["twin", "twins", "Twin", "Twins", "TwinState", "TwinKnown", "OwnTwin", "NoTwin"], "", "counterpart"),
    (&["foreign_news", "foreign_gone", "import_foreign"], "", "external"),
    (&["Abilities"], "", "Capabilities"),
    (&["Later"], "host/model/src/outbound", "BoxFuture"),
    (
        &["Cue", "StagedRequest", "StagedAnswer", "Backstage"],
        "",
        "Intercept, InterceptedRequest, InterceptedAnswer, Control",
    ),
    (&["Played", "Player"], "host", "Observed, SimulatedProvider"),
    (&["LogBook", "logbook", "Underway", "Spent"], "host", "GuestLog, CallRecorder, Exceeded"),
    (&["HoldOver", "ConsentOver"], "", "HoldExpired, ConsentExpired, InvalidGrant"),
    (&["Scene", "SceneRecords", "SceneNow", "scene"], "host", "BookingContext, BookingSetup, CurrentSetup"),
    (
        &["Wanted", "Sought", "Choice", "Told", "External"],
        "host/engine/src/availability",
        "SlotSearch, SearchRange, Assignment, RawAvailability, ProviderAvailability",
    ),
    (&["Remembered", "remembered"], "host/store/src/methods/availability", "cached"),
    (&["forget_availability", "forget_of"], "", "invalidate"),
    (&["exchanged", "Exchanged"], "", "rotated, replaced"),
    (&["reseal"], "host/server", "vault rotate"),
    (
        &["tell_provider", "made_before", "booking_made_before", "series_made_before"],
        "",
        "dispatch_now, replayed",
    ),
    (&["NotTold", "settle_untold"], "", "NotDelivered, settle_undelivered"),
    (&["Retell", "retell", "bury", "ring_the_bell", "bell"], "host", "Redeliver, dead letter, wake_workers"),
    (&["Allowance", "allowance", "allowances"], "host", "MemberLimit, limits"),
    (&["Turns"], "", "RoundRobinShare"),
    (&["Turn"], "host/runtime/src/egress", "PermitRequest"),
    (&["TakenPlace", "TakenOf", "TakenBy"], "host", "SeenOccupancy, OccupancyQuery, BusyKind"),
    (
        &["Planted", "FrontDoor", "front_door", "Mortal", "mortal_engine", "Practice"],
        "tests",
        "CanarySecrets, HttpStub, crashing",
    ),
    (&["met", "shaped"], "host/store/src/queries", "expect_affected, from_json"),
];

/// Names of files that are not used any more, by the folder beneath which they are not.
const FILES_GONE: &[(&str, &str)] = &[
    ("host/store/src", "twins.rs"),
    ("host/store/src", "remembered.rs"),
    ("host/store/src", "life.rs"),
    ("host/store/src", "places.rs"),
    ("host/store/src", "taken.rs"),
    ("host/store/src", "allowances.rs"),
    ("host/store/src", "told.rs"),
    ("host/model/src", "later.rs"),
    ("host/model/src/bookings", "told.rs"),
    ("host/model/src/bookings", "place.rs"),
    ("host/runtime/src", "stage.rs"),
    ("host/runtime/src", "logbook.rs"),
    ("host/runtime/src", "spent.rs"),
    ("host/runtime/src", "observe.rs"),
    ("host/conformance/src", "stage.rs"),
    ("host/engine/src", "choice.rs"),
    ("host/engine/src", "foreign.rs"),
    ("host/engine/src", "telling.rs"),
    ("host/engine/src", "doors.rs"),
    ("host/engine/src", "repeats.rs"),
    ("host/server/src", "reseal.rs"),
    ("tests", "judge.rs"),
    ("tests", "practice.rs"),
    ("tests", "chance.rs"),
    ("tests", "planted.rs"),
    ("tests", "front_door.rs"),
];

fn is_part_of_a_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// What is said again in a text: the word, and the one to use.
fn said_again(path: &str, text: &str) -> Vec<String> {
    let here = GONE.iter().filter(|(_, folder, _)| path.starts_with(folder));
    let rules: Vec<_> =
        here.flat_map(|(words, _, instead)| words.iter().map(move |w| (*w, *instead))).collect();
    let mut found: Vec<String> = text
        .split(|c| !is_part_of_a_name(c))
        .filter_map(|name| rules.iter().find(|(word, _)| *word == name))
        .map(|(word, instead)| format!("{path} says {word}; say {instead}"))
        .collect();
    found.dedup();
    found
}

/// In code, in what is said of it, and in texts for people.
#[test]
fn words_that_were_given_up_do_not_come_back() {
    let mut found = Vec::new();
    for folder in ["host", "plugins", "tests"] {
        for (file, text) in files(folder, ".rs") {
            let path = file.strip_prefix(super::root()).unwrap().to_string_lossy().into_owned();
            if path != "tests/tidy/words.rs" {
                found.extend(said_again(&path, &text));
            }
        }
    }
    for file in ["host/ARCHITECTURE.md", "plugins/README.md", "README.md", "host/GLOSSARY.md"] {
        found.extend(said_again(file, &std::fs::read_to_string(super::root().join(file)).unwrap()));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn files_are_not_called_by_words_that_were_given_up() {
    for (folder, name) in FILES_GONE {
        let found: Vec<String> =
            names_of(folder, ".rs").into_iter().filter(|file| file.ends_with(&format!("/{name}"))).collect();
        assert!(found.is_empty(), "{found:?} is called by a word that was given up");
    }
}

#[test]
fn a_word_that_comes_back_is_found() {
    let told =
        said_again("host/engine/src/a.rs", "let a_twin = 1; // the twin of a booking\nenum TwinState {}");
    assert_eq!(
        told,
        [
            "host/engine/src/a.rs says twin; say counterpart",
            "host/engine/src/a.rs says TwinState; say counterpart"
        ]
    );
    assert!(said_again("host/store/src/a.rs", "SELECT own_twin FROM booking_twins").is_empty());
    assert!(said_again("tests/a.rs", "let scene = Scene::new();").is_empty());
}
