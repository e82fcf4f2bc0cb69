use std::sync::atomic::AtomicI64;

use berth_model::id::Id;
use proptest::prelude::*;

use super::*;

/// A clock that stands still until it is moved.
#[derive(Default)]
struct Hands(AtomicI64);
impl Clock for Hands {
    fn now(&self) -> Instant {
        Instant::from_seconds(1_767_607_200).plus_micros(self.0.load(Ordering::Relaxed))
    }
}
impl Hands {
    fn set(&self, seconds: i64) {
        self.0.store(seconds * 1_000_000, Ordering::Relaxed);
    }
}

const SECOND: Duration = Duration::from_secs(1);

fn connection(n: u128) -> ConnectionId {
    Id::from_uuid(uuid::Uuid::from_u128(n))
}

fn manifest(rates: &str) -> Manifest {
    let text = format!("id = \"acme\"\nversion = \"1.0.0\"\ncontract = \"0.1\"\nname = \"Acme\"\n{rates}");
    Manifest::parse(&text).unwrap()
}

struct World {
    hands: Arc<Hands>,
    rates: Rates,
    manifest: Manifest,
}

impl World {
    fn new(rates: &str) -> Self {
        Self::keeping(10, rates)
    }
    fn keeping(kept: usize, rates: &str) -> Self {
        let hands = Arc::new(Hands::default());
        let limits = EgressLimits { rate_limiters: kept, ..EgressLimits::default() };
        Self { rates: Rates::new(hands.clone(), &limits), hands, manifest: manifest(rates) }
    }
    fn turn(&self, n: u128) -> Turn<'_> {
        Turn { connection: connection(n), manifest: &self.manifest, is_bulk: false }
    }
    fn bulk(&self, n: u128) -> Turn<'_> {
        Turn { is_bulk: true, ..self.turn(n) }
    }
    fn take(&self, turn: Turn<'_>) -> Result<(), Wait> {
        self.rates.try_enter(turn)
    }
    /// How many pass at once.
    fn passing(&self, turn: Turn<'_>) -> usize {
        (0..1_000).take_while(|_| self.take(turn).is_ok()).count()
    }
}

fn token(seconds: u64) -> Result<(), Wait> {
    Err(Wait::Token(SECOND * u32::try_from(seconds).unwrap()))
}

const TWO_PER_MINUTE: &str = "rate-limit = { requests = 2, per-seconds = 60 }";

#[test]
fn a_connection_has_its_rate() {
    let world = World::new(TWO_PER_MINUTE);
    let take = |n| world.take(world.turn(n));
    assert_eq!((take(1), take(1)), (Ok(()), Ok(())));
    assert_eq!(take(1), token(30));
    assert_eq!(take(2), Ok(()), "another connection is not slowed");
    world.hands.set(30);
    assert_eq!(take(1), Ok(()));
    assert_eq!(take(1), token(30));
}

#[test]
fn connections_share_the_rate_of_their_provider() {
    let world = World::new(
        "rate-limit = { requests = 2, per-seconds = 60 }\nprovider-rate-limit = { requests = 3, per-seconds = 30 }",
    );
    let take = |n| world.take(world.turn(n));
    assert_eq!((take(1), take(2), take(1)), (Ok(()), Ok(()), Ok(())));
    assert_eq!(take(2), token(10), "the provider's");
    assert_eq!(take(1), token(30), "the longer of both");
    // The refusals took nothing from connection 2: one of its two is left.
    world.hands.set(10);
    assert_eq!((take(2), take(2)), (Ok(()), token(20)));
    let other = manifest("provider-rate-limit = { requests = 1, per-seconds = 60 }");
    let other = Manifest { id: "other".parse().unwrap(), ..other };
    assert_eq!(world.take(Turn { manifest: &other, ..world.turn(9) }), Ok(()), "another provider");
}

#[test]
fn what_is_read_in_bulk_leaves_a_reserve() {
    let world = World::new("provider-rate-limit = { requests = 8, per-seconds = 80 }");
    assert_eq!(world.passing(world.bulk(1)), 6);
    assert_eq!(world.take(world.bulk(2)), token(10), "neither over another connection");
    assert_eq!(world.passing(world.turn(2)), 2, "somebody waits for these");
    assert_eq!(world.take(world.bulk(1)), token(30), "the reserve is filled first");
    let tiny = World::new("rate-limit = { requests = 3, per-seconds = 3 }");
    assert_eq!(tiny.passing(tiny.bulk(1)), 3, "too few to keep any");
}

#[test]
fn a_provider_that_says_wait_is_not_asked_over_that_connection() {
    let world = World::new("");
    let take = |n| world.take(world.turn(n));
    world.rates.pause(connection(1), Some(20_000));
    world.rates.pause(connection(1), None);
    assert_eq!(take(1), Err(Wait::Pause(20 * SECOND)), "the longer counts");
    assert_eq!(take(2), Ok(()), "nobody else is stopped");
    world.hands.set(20);
    assert_eq!(take(1), Ok(()));
    world.rates.pause(connection(1), None);
    assert_eq!(take(1), Err(Wait::Pause(SECOND)));
    world.rates.pause(connection(1), Some(u64::MAX));
    let longest = Duration::from_millis(limits::EGRESS_PAUSE_MS_MAX);
    assert_eq!(take(1), Err(Wait::Pause(longest)), "bounded");
    world.hands.set(-3_600);
    assert_eq!(take(1), Ok(()), "a clock set back does not prolong it");
}

#[test]
fn a_clock_set_back_does_not_lock_a_connection() {
    let world = World::new(TWO_PER_MINUTE);
    assert_eq!(world.passing(world.turn(1)), 2);
    world.hands.set(-3_600);
    assert_eq!(world.take(world.turn(1)), token(30));
    world.hands.set(-3_570);
    assert_eq!(world.take(world.turn(1)), Ok(()));
}

#[test]
fn buckets_are_bounded_and_the_least_used_goes() {
    let world = World::keeping(2, TWO_PER_MINUTE);
    for n in [1, 2, 1, 3] {
        assert_eq!(world.take(world.turn(n)), Ok(()));
    }
    let table = world.rates.table();
    let has = |n| table.kept.contains_key(&Whose::Connection(connection(n)));
    assert_eq!((has(1), has(2), has(3)), (true, false, true));
}

#[tokio::test]
async fn a_wait_that_is_too_long_is_refused_at_once() {
    let world = World::new(TWO_PER_MINUTE);
    let enter = || world.rates.enter(world.turn(1), Duration::from_secs(29));
    assert_eq!((enter().await, enter().await), (Ok(()), Ok(())));
    assert_eq!(enter().await, Err(Duration::from_secs(30)));
}

#[tokio::test]
async fn a_pause_is_not_waited_for() {
    let world = World::new("");
    world.rates.pause(connection(1), None);
    assert_eq!(world.rates.enter(world.turn(1), 60 * SECOND).await, Err(SECOND));
}

#[tokio::test]
async fn a_short_wait_is_waited() {
    let world = World::new("rate-limit = { requests = 100, per-seconds = 1 }");
    assert_eq!(world.passing(world.turn(1)), 100);
    let waiting = world.rates.enter(world.turn(1), Duration::from_secs(1));
    // Polled after it has been refused and waits.
    let passing = async { world.hands.0.store(10_000, Ordering::Relaxed) };
    let (entered, ()) = tokio::join!(biased; waiting, passing);
    assert_eq!(entered, Ok(()));
    assert_eq!(world.take(world.turn(1)), Err(Wait::Token(Duration::from_millis(10))));
}

#[test]
fn all_parts_of_a_rate_are_never_more_than_the_whole() {
    for requests in [1_u32, 2, 7, 60, 600] {
        for replicas in 0..=20_u32 {
            let whole = RateLimit { requests, per_seconds: 60 };
            let part = part(whole, replicas);
            assert!(part.requests >= 1);
            let (n, all) = (u64::from(replicas.max(1)), u64::from(requests));
            let together = n * u64::from(part.requests) * 60;
            assert!(together <= all * u64::from(part.per_seconds), "{whole:?} among {replicas}: {part:?}");
        }
    }
}

#[test]
fn both_rates_are_shared_with_the_other_replicas() {
    let world = World::new("rate-limit = { requests = 6, per-seconds = 60 }");
    world.rates.share_with(3);
    assert_eq!(world.passing(world.turn(1)), 2);
    let world = World::new("provider-rate-limit = { requests = 6, per-seconds = 60 }");
    world.rates.share_with(3);
    assert_eq!((world.passing(world.turn(1)), world.passing(world.turn(2))), (2, 0));
}

#[test]
fn a_change_of_replicas_gives_no_second_helping() {
    let world = World::new("rate-limit = { requests = 6, per-seconds = 60 }");
    assert_eq!(world.passing(world.turn(1)), 6);
    for replicas in [3, 1, 2, 1] {
        world.rates.share_with(replicas);
        assert_eq!(world.passing(world.turn(1)), 0);
    }
    world.hands.set(10);
    assert_eq!(world.passing(world.turn(1)), 1);
}

proptest! {
    /// Whatever is asked, when and over which connection: no bucket gives more than it held and what came since, and a wait that was
    /// named is long enough and not a microsecond too long.
    #[test]
    fn never_more_than_the_rates_allow(
        own in (1_u32..6, 1_u32..30),
        shared in (1_u32..10, 1_u32..30),
        asked in prop::collection::vec((0_i64..4_000_000, 0_u128..3, any::<bool>()), 1..200),
    ) {
        let world = World::new(&format!(
            "rate-limit = {{ requests = {}, per-seconds = {} }}\nprovider-rate-limit = {{ requests = {}, per-seconds = {} }}",
            own.0, own.1, shared.0, shared.1
        ));
        let mut now = 0;
        let mut passed: Vec<(i64, u128)> = Vec::new();
        for (later, n, is_bulk) in asked {
            now += later;
            world.hands.0.store(now, Ordering::Relaxed);
            let turn = Turn { is_bulk, ..world.turn(n) };
            match world.take(turn) {
                Ok(()) => passed.push((now, n)),
                Err(Wait::Pause(_)) => prop_assert!(false, "nobody paused it"),
                Err(Wait::Token(wait)) => {
                    let wait = i64::try_from(wait.as_micros()).unwrap();
                    if wait > 1_000 {
                        world.hands.0.store(now + wait - 1, Ordering::Relaxed);
                        prop_assert!(world.take(turn).is_err(), "it named too long a wait");
                    }
                    now += wait;
                    world.hands.0.store(now, Ordering::Relaxed);
                    prop_assert_eq!(world.take(turn), Ok(()));
                    passed.push((now, n));
                }
            }
        }
        let within = |rate: (u32, u32), times: &[i64]| {
            (0..times.len()).all(|first| {
                times[first..].iter().enumerate().all(|(more, until)| {
                    let came = (until - times[first]) * i64::from(rate.0) / (i64::from(rate.1) * 1_000_000);
                    i64::try_from(more).unwrap() < i64::from(rate.0) + came
                })
            })
        };
        let all: Vec<i64> = passed.iter().map(|(at, _)| *at).collect();
        prop_assert!(within(shared, &all), "the provider's");
        for n in 0..3 {
            let times: Vec<i64> = passed.iter().filter(|(_, of)| *of == n).map(|(at, _)| *at).collect();
            prop_assert!(within(own, &times), "the connection's");
        }
    }
}
