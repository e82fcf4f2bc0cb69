//! A component that is wrong on purpose fails the right case for each misdeed, and no other.

use std::sync::Arc;

use berth_conformance::{Bench, Options, Provider, Setup};
use berth_model::plugins::conformance::Verdict;
use berth_runtime::Runtime;
use berth_simulators::acme;
use berth_tests::component;
use tokio::{sync::Semaphore, task::JoinSet};

use crate::world::{clocks, host, live, setup};

const KEY: &str = "acme_made_up_key_1234";
/// Runs of the suite at the same time.
const AT_ONCE: usize = 4;

/// What it does wrong, and which cases show it.
const MISDEEDS: &[(&str, &[&str])] = &[
    ("", &[]),
    ("asks_in_spans", &["C004"]),
    ("asks_foreign_hosts", &["C005"]),
    ("sends_its_own_key", &["C006"]),
    ("forgets_who_it_is", &["C010"]),
    ("swaps_refusals", &["C011"]),
    ("knows_everything", &["C012", "C122"]),
    ("forgets_the_wait", &["C013"]),
    ("sees_no_limit", &["C014"]),
    ("blames_the_vendor", &["C015", "C016"]),
    ("traps", &["C020"]),
    ("takes_nonsense_for_a_refusal", &["C021"]),
    ("traps_on_messages", &["C022"]),
    ("has_no_account", &["C101"]),
    ("forgets_the_page", &["C102"]),
    ("pages_for_ever", &["C103"]),
    ("resolves_wrongly", &["C104"]),
    ("tells_slots_backwards", &["C105"]),
    ("tells_busy_backwards", &["C106"]),
    ("forgets_the_reference", &["C110", "C111", "C112", "C113", "C140"]),
    ("makes_two", &["C111", "C113", "C114", "C115", "C131", "C140", "C141"]),
    ("is_sure_of_nothing", &["C015", "C016", "C021", "C112", "C113"]),
    ("finds_what_is_not_there", &["C113", "C114"]),
    ("takes_taken_for_invalid", &["C114"]),
    ("is_an_hour_late", &["C115"]),
    ("cancels_once", &["C120", "C121"]),
    ("gives_cancelling_up", &["C015", "C016", "C021", "C121"]),
    ("does_not_move", &["C130", "C131", "C132"]),
    ("cancels_what_it_cannot_move", &["C131"]),
    ("gives_moving_up", &["C015", "C016", "C021", "C132"]),
    ("hides_cancellations", &["C140"]),
    ("ends_early", &["C141"]),
    ("takes_old_cursors", &["C142"]),
    ("reads_differently", &["C150"]),
    ("subscribes_again", &["C151"]),
    ("lists_clients_twice", &["C160"]),
    ("makes_plain_links", &["C161"]),
    ("opens_at_once", &["C170", "C171"]),
    ("closes_twice", &["C171"]),
    ("forgets_what_it_closed", &["C171", "C172"]),
];

async fn failures(
    host: &Runtime,
    bytes: Vec<u8>,
    setup: Setup,
    provider: Provider,
    clock: Arc<berth_conformance::SetClock>,
) -> Vec<String> {
    let options = Options { setup, provider, only: Vec::new(), clock };
    let checked = berth_conformance::check(Bench::Beside(host), bytes, options, |_| {}).await.unwrap();
    let open =
        checked.report.cases.iter().filter(|c| matches!(c.verdict, Verdict::Fail | Verdict::Inconclusive));
    open.map(|case| format!("{} {} ({})", case.id, case.verdict, case.detail)).collect()
}

/// What is wrong with the suite's findings about one misdeed.
async fn judged(host: &Runtime, misdeed: &str, expected: &[&str]) -> Option<String> {
    let (ours, clock) = clocks();
    let config = acme::Config { port: 0, api_key: KEY.to_owned(), clock };
    let acme = acme::Simulator::start(config).await.unwrap();
    let mut setup = live(setup("template"), &acme.url(), "api-key", KEY);
    setup.link = Some("https://acme.example/book/svc_1".to_owned());
    setup.calendar = Some("ada".to_owned());
    setup.expired_cursor = Some("expired".to_owned());
    setup.settings.insert("misdeed".to_owned(), misdeed.into());
    let found = failures(host, component("wrong"), setup, Provider::Live, ours).await;
    let ids: Vec<&str> = found.iter().filter_map(|line| line.split(' ').next()).collect();
    (ids != expected).then(|| format!("{misdeed:?} must fail {expected:?}:\n  {}", found.join("\n  ")))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_misdeed_fails_its_case() {
    let (host, turns) = (Arc::new(host()), Arc::new(Semaphore::new(AT_ONCE)));
    let mut tasks = JoinSet::new();
    for (misdeed, expected) in MISDEEDS {
        let (host, turns) = (Arc::clone(&host), Arc::clone(&turns));
        tasks.spawn(async move {
            let _turn = turns.acquire().await.unwrap();
            judged(&host, misdeed, expected).await
        });
    }
    let wrong: Vec<String> = tasks.join_all().await.into_iter().flatten().collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The component with another text in its manifest, filled up with spaces.
fn with_manifest(from: &str, to: &str) -> Vec<u8> {
    let mut bytes = component("wrong");
    let to = format!("{to:<width$}", width = from.len());
    assert_eq!(to.len(), from.len());
    // It is in the section, and may be in the data as well.
    let places: Vec<usize> =
        (0..bytes.len() - from.len()).filter(|at| bytes[*at..].starts_with(from.as_bytes())).collect();
    assert!(!places.is_empty(), "{from} is not in the manifest");
    for at in places {
        bytes[at..at + from.len()].copy_from_slice(to.as_bytes());
    }
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_manifest_fails_its_case() {
    let host = host();
    let webhook =
        "[webhook]\nscheme = \"hmac-sha256\"\nheader = \"x-acme-signature\"\nsecret = \"webhook-secret\"";
    for (from, to, case) in [
        ("description = \"Wrong on purpose.\"", "description = \"\"", "C001"),
        ("properties.misdeed]", "properties.api_key]", "C002"),
        (webhook, "", "C003"),
    ] {
        let bytes = with_manifest(from, to);
        let found = failures(&host, bytes, Setup::default(), Provider::Nobody, clocks().0).await;
        assert!(matches!(found.as_slice(), [one] if one.starts_with(case)), "{case}: {found:?}");
    }
}
