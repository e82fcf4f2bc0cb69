//! Two tenants with all providers while much goes wrong at once: nearly a third of all requests fails or loses its answer, messages are
//! lost, doubled and shuffled, people work in the providers' own calendars, processes end in the middle of their work, and every
//! provider's clock is wrong. Afterwards both sides agree, nothing of one tenant is at the other's providers, and no credential is seen
//! anywhere. A failing seed is printed: `BERTH_BOTH_SEED` replays it, and `BERTH_BOTH_OPERATIONS` asks for more or fewer operations.

#[path = "both_ways/booksy.rs"]
mod booksy;
#[path = "both_ways/calcom.rs"]
mod calcom;
#[path = "both_ways/caldav.rs"]
mod caldav;
#[path = "both_ways/calendly.rs"]
mod calendly;
#[path = "both_ways/gohighlevel.rs"]
mod gohighlevel;
#[path = "both_ways/google.rs"]
mod google;
#[path = "both_ways/oracle.rs"]
mod oracle;
#[path = "both_ways/outlook.rs"]
mod outlook;
#[path = "both_ways/run.rs"]
mod run;
#[path = "both_ways/scenario.rs"]
mod scenario;
#[path = "both_ways/sides.rs"]
mod sides;
#[path = "both_ways/table.rs"]
mod table;

use berth_tests::canary_secrets::Log;
use run::Run;
use scenario::Open;
use sides::Sides;
use table::Table;

const SEEDS: [u64; 2] = [21, 25];
const OPERATIONS: u32 = 1_000;
/// Providers of each tenant, and the microseconds by which their clocks are wrong. Two are in both.
const TENANTS: [&[(Open, i64)]; 2] = [
    &[
        (calcom::open, 75_000_000),
        (google::open, -75_000_000),
        (booksy::open, 40_000_000),
        (outlook::open, -150_000_000),
    ],
    &[
        (calendly::open, -40_000_000),
        (google::open, 240_000_000),
        (calcom::open, -240_000_000),
        (gohighlevel::open, 120_000_000),
        (caldav::open, 0),
    ],
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_sides_agree_for_two_tenants_with_all_providers() {
    let log = Log::begin();
    let one = std::env::var("BERTH_BOTH_SEED").ok().and_then(|seed| seed.parse().ok());
    let operations = std::env::var("BERTH_BOTH_OPERATIONS").ok().and_then(|n| n.parse().ok());
    for seed in one.map_or(SEEDS.to_vec(), |seed| vec![seed]) {
        println!("both ways: seed {seed} (replay with BERTH_BOTH_SEED={seed})");
        let mut run = Run::start(&TENANTS, seed).await;
        for _ in 0..operations.unwrap_or(OPERATIONS) {
            run.operation().await;
        }
        run.settle().await;
        run.both_sides_agree().await;
        run.tenants_are_apart().await;
        run.no_credential_is_seen(&log).await;
        run.much_happened();
    }
}

/// Operations under changing rules: enough for some of everything.
const RULED_OPERATIONS: u32 = 300;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_the_rules_say_everything_comes_to_rest() {
    let given = std::env::var("BERTH_BOTH_SEED").ok().and_then(|seed| seed.parse().ok());
    for seed in given.map_or_else(|| vec![41, rand::random::<u64>() >> 1], |seed| vec![seed]) {
        println!("under changing rules: seed {seed} (replay with BERTH_BOTH_SEED={seed})");
        let mut run = Run::start(&TENANTS, seed).await;
        for _ in 0..RULED_OPERATIONS {
            run.operation_under_changing_rules().await;
        }
        run.settle().await;
        run.no_conflict_goes_on().await;
        run.tenants_are_apart().await;
        println!("{:?}", run.counts);
    }
}

/// The same providers in two tenants, most of them with a second connection to the same account: of the same tenant, or of the other.
const SHARED: [&[(Open, i64)]; 2] = [
    &[(calcom::open, 75_000_000), (google::open, -75_000_000), (calendly::open, 40_000_000)],
    &[
        (booksy::open, -40_000_000),
        (gohighlevel::open, 120_000_000),
        (outlook::open, -150_000_000),
        (caldav::open, 0),
    ],
];
/// Operations of each seed: enough for some hundred changes on either side.
const SHARED_OPERATIONS: u32 = 500;
const SHARED_SEEDS: [u64; 2] = [61, 62];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_cancelled_that_nobody_cancelled() {
    let given = std::env::var("BERTH_BOTH_SEED").ok().and_then(|seed| seed.parse().ok());
    let fresh = [rand::random::<u64>() >> 1];
    let seeds = given.map_or_else(|| SHARED_SEEDS.into_iter().chain(fresh).collect(), |seed| vec![seed]);
    let operations = std::env::var("BERTH_BOTH_OPERATIONS").ok().and_then(|n| n.parse().ok());
    for seed in seeds {
        println!("several connections to one account: seed {seed} (replay with BERTH_BOTH_SEED={seed})");
        let mut sides = Sides::start(&SHARED, seed).await;
        for _ in 0..operations.unwrap_or(SHARED_OPERATIONS) {
            sides.operation().await;
        }
        sides.come_to_rest().await;
    }
}

/// Every provider for each of the four modes, each in a tenant of its own.
const ALL: &[(Open, i64)] = &[
    (calcom::open, 0),
    (google::open, 0),
    (booksy::open, 0),
    (outlook::open, 0),
    (calendly::open, 0),
    (gohighlevel::open, 0),
    (caldav::open, 0),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_table_of_the_modes_holds_for_every_provider() {
    let mut table = Table::start(&[ALL; 4]).await;
    table.is_so().await;
}
