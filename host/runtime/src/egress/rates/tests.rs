use std::sync::atomic::{AtomicI64, Ordering};

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
    fn permit(&self, n: u128) -> PermitRequest<'_> {
        PermitRequest { connection: connection(n), manifest: &self.manifest, urgency: Urgency::Booking }
    }
    fn bulk(&self, n: u128) -> PermitRequest<'_> {
        PermitRequest { urgency: Urgency::Bulk, ..self.permit(n) }
    }
    fn take(&self, permit: PermitRequest<'_>) -> Result<(), Wait> {
        self.rates.try_enter(permit)
    }
    /// How many pass at once.
    fn passing(&self, permit: PermitRequest<'_>) -> usize {
        (0..1_000).take_while(|_| self.take(permit).is_ok()).count()
    }
}

fn turn_in(seconds: u64) -> Result<(), Wait> {
    Err(Wait::Rate(SECOND * u32::try_from(seconds).unwrap()))
}

const TWO_PER_MINUTE: &str = "rate-limit = { requests = 2, per-seconds = 60 }";

#[test]
fn a_connection_has_its_rate() {
    let world = World::new(TWO_PER_MINUTE);
    let take = |n| world.take(world.permit(n));
    assert_eq!((take(1), take(1)), (Ok(()), Ok(())));
    assert_eq!(take(1), turn_in(60));
    assert_eq!(take(2), Ok(()), "another connection is not slowed");
    world.hands.set(59);
    assert_eq!(take(1), turn_in(1), "two in any minute");
    world.hands.set(60);
    assert_eq!((take(1), take(1)), (Ok(()), Ok(())));
    assert_eq!(take(1), turn_in(60));
}

#[test]
fn connections_share_the_rate_of_their_provider() {
    let world = World::new(
        "rate-limit = { requests = 2, per-seconds = 60 }\nprovider-rate-limit = { requests = 3, per-seconds = 30 }",
    );
    let take = |n| world.take(world.permit(n));
    assert_eq!((take(1), take(2), take(1)), (Ok(()), Ok(()), Ok(())));
    assert_eq!(take(2), turn_in(30), "the provider's");
    assert_eq!(take(1), turn_in(60), "the longer of both");
    // The refusals took nothing from connection 2: one of its two is left.
    world.hands.set(30);
    assert_eq!((take(2), take(2)), (Ok(()), turn_in(30)));
    let other = manifest("provider-rate-limit = { requests = 1, per-seconds = 60 }");
    let other = Manifest { id: "other".parse().unwrap(), ..other };
    assert_eq!(world.take(PermitRequest { manifest: &other, ..world.permit(9) }), Ok(()), "another provider");
}

#[test]
fn what_is_read_in_bulk_leaves_a_reserve() {
    let world = World::new("provider-rate-limit = { requests = 8, per-seconds = 80 }");
    assert_eq!(world.passing(world.bulk(1)), 6);
    assert_eq!(world.take(world.bulk(2)), turn_in(80), "neither over another connection");
    world.hands.set(10);
    assert_eq!(world.passing(world.permit(2)), 2, "somebody waits for these");
    world.hands.set(80);
    assert_eq!(world.passing(world.bulk(1)), 4, "what was more urgent counts as well");
    let tiny = World::new("rate-limit = { requests = 2, per-seconds = 3 }");
    assert_eq!(tiny.passing(tiny.bulk(1)), 1, "of two one is kept");
    let single = World::new("rate-limit = { requests = 1, per-seconds = 3 }");
    assert_eq!(single.passing(single.bulk(1)), 1, "of one none can be");
}

/// A booking waited a minute behind health checks.
#[test]
fn each_urgency_leaves_a_part_to_what_is_more_urgent() {
    let world = World::new("rate-limit = { requests = 110, per-seconds = 60 }");
    let of = |urgency| PermitRequest { urgency, ..world.permit(1) };
    let passed: Vec<usize> = [Urgency::Bulk, Urgency::Upkeep, Urgency::Availability, Urgency::Booking]
        .into_iter()
        .map(|urgency| world.passing(of(urgency)))
        .collect();
    assert_eq!(passed, [83, 6, 7, 14]);
    assert_eq!(world.take(of(Urgency::Booking)), turn_in(60));
}

#[test]
fn a_provider_that_says_wait_is_not_asked_over_that_connection() {
    let world = World::new("");
    let take = |n| world.take(world.permit(n));
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
    assert_eq!(world.passing(world.permit(1)), 2);
    world.hands.set(-3_600);
    assert_eq!(world.take(world.permit(1)), turn_in(60));
    world.hands.set(-3_540);
    assert_eq!(world.take(world.permit(1)), Ok(()));
}

#[test]
fn buckets_are_bounded_and_the_least_used_goes() {
    let world = World::keeping(2, TWO_PER_MINUTE);
    for n in [1, 2, 1, 3] {
        assert_eq!(world.take(world.permit(n)), Ok(()));
    }
    let table = world.rates.table();
    let has = |n| table.kept.contains_key(&Whose::Connection(connection(n)));
    assert_eq!((has(1), has(2), has(3)), (true, false, true));
}

#[tokio::test]
async fn a_wait_that_is_too_long_is_refused_at_once() {
    let world = World::new(TWO_PER_MINUTE);
    let enter = || world.rates.enter(world.permit(1), Duration::from_secs(59));
    assert_eq!((enter().await, enter().await), (Ok(()), Ok(())));
    assert_eq!(enter().await, Err(60 * SECOND));
}

#[tokio::test]
async fn a_pause_is_not_waited_for() {
    let world = World::new("");
    world.rates.pause(connection(1), None);
    assert_eq!(world.rates.enter(world.permit(1), 60 * SECOND).await, Err(SECOND));
}

#[tokio::test]
async fn a_short_wait_is_waited() {
    let world = World::new("rate-limit = { requests = 100, per-seconds = 1 }");
    assert_eq!(world.passing(world.permit(1)), 100);
    world.hands.0.store(990_000, Ordering::Relaxed);
    let waiting = world.rates.enter(world.permit(1), Duration::from_secs(1));
    // Polled after it has been refused and waits.
    let passing = async { world.hands.set(1) };
    let (entered, ()) = tokio::join!(biased; waiting, passing);
    assert_eq!(entered, Ok(()));
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
    assert_eq!(world.passing(world.permit(1)), 2);
    let world = World::new("provider-rate-limit = { requests = 6, per-seconds = 60 }");
    world.rates.share_with(3);
    assert_eq!((world.passing(world.permit(1)), world.passing(world.permit(2))), (2, 0));
}

#[test]
fn a_change_of_replicas_gives_no_second_helping() {
    let world = World::new("rate-limit = { requests = 6, per-seconds = 60 }");
    assert_eq!(world.passing(world.permit(1)), 6);
    for replicas in [3, 1, 2, 1] {
        world.rates.share_with(replicas);
        assert_eq!(world.passing(world.permit(1)), 0);
    }
    world.hands.set(60);
    assert_eq!(world.passing(world.permit(1)), 6, "the others have been gone for a minute");
    world.hands.set(120);
    world.rates.share_with(2);
    world.rates.share_with(1);
    assert_eq!(world.passing(world.permit(1)), 3, "what the other may have sent still counts");
}

/// A rate of many requests in memory that does not grow with it, and without losing much of it.
#[test]
fn a_large_rate_holds_in_every_window_as_well() {
    let world = World::new("rate-limit = { requests = 10000, per-seconds = 64 }");
    let mut sent = std::collections::VecDeque::new();
    let mut all = 0;
    for tick in 0..64_000_i64 {
        world.hands.0.store(tick * 3_000, Ordering::Relaxed);
        for _ in 0..2 {
            if world.take(world.permit(1)).is_ok() {
                sent.push_back(tick * 3_000);
                all += 1;
            }
        }
        while sent.front().is_some_and(|first| *first <= tick * 3_000 - 64_000_000) {
            sent.pop_front();
        }
        assert!(sent.len() <= 10_000, "{}", sent.len());
    }
    assert!(all >= 10_000 * 3 * 98 / 100, "{all} in three times 64 seconds");
    let mut table = world.rates.table();
    assert!(table.kept(Whose::Connection(connection(1))).window.len() <= 66);
}

/// How a process is asked next.
#[derive(Debug, Clone)]
struct Asked {
    later: i64,
    process: usize,
    connection: u128,
    urgency: Urgency,
    /// Before it, so many processes are there.
    replicas: Option<u32>,
}

fn asked() -> impl Strategy<Value = Asked> {
    let urgency = prop_oneof![
        Just(Urgency::Booking),
        Just(Urgency::Availability),
        Just(Urgency::Upkeep),
        Just(Urgency::Bulk)
    ];
    let replicas = prop_oneof![9 => Just(None), 1 => (1_u32..=3).prop_map(Some)];
    (0_i64..4_000_000, 0_usize..3, 0_u128..3, urgency, replicas).prop_map(
        |(later, process, connection, urgency, replicas)| Asked {
            later,
            process,
            connection,
            urgency,
            replicas,
        },
    )
}

proptest! {
    /// Whatever is asked by which process, when, over which connection and how urgently, and however many processes there are: in no
    /// stretch of a rate's length is more sent than the rate allows; what is less urgent leaves its part; and a wait that was named is long
    /// enough and not a microsecond too long.
    #[test]
    fn a_rate_holds_in_every_window(
        // At least as many requests as processes: see `part`.
        own in (3_u32..9, 1_u32..30),
        shared in (3_u32..12, 1_u32..30),
        steps in prop::collection::vec(asked(), 1..200),
    ) {
        let text = format!(
            "rate-limit = {{ requests = {}, per-seconds = {} }}\nprovider-rate-limit = {{ requests = {}, per-seconds = {} }}",
            own.0, own.1, shared.0, shared.1
        );
        let worlds: Vec<World> = (0..3).map(|_| World::new(&text)).collect();
        let set = |now: i64| {
            for world in &worlds {
                world.hands.0.store(now, Ordering::Relaxed);
            }
        };
        let share = |replicas: u32| {
            for world in &worlds {
                world.rates.share_with(replicas);
            }
        };
        // Three are there at first: who comes later knows nothing of what the others sent.
        let (mut there, mut changed) = (3, false);
        share(there);
        let longest = i64::from(own.1.max(shared.1)) * 3 * 1_000_000;
        let mut now = longest;
        let mut passed: Vec<(i64, u128, Urgency)> = Vec::new();
        for step in steps {
            now += step.later;
            if let Some(replicas) = step.replicas {
                // They go, and come when what the others sent is old.
                if replicas > there {
                    share(replicas);
                    now += longest;
                }
                (there, changed) = (replicas, true);
                set(now);
                share(there);
            }
            set(now);
            let process = step.process % usize::try_from(there).unwrap();
            let world = &worlds[process];
            let permit = PermitRequest { urgency: step.urgency, ..world.permit(step.connection) };
            match world.take(permit) {
                Ok(()) => passed.push((now, step.connection, step.urgency)),
                Err(Wait::Pause(_)) => prop_assert!(false, "nobody paused it"),
                Err(Wait::Rate(wait)) => {
                    let wait = i64::try_from(wait.as_micros()).unwrap();
                    prop_assert!(wait > 0);
                    // A part that grows meanwhile makes it shorter.
                    if wait > 1_000 && !changed {
                        set(now + wait - 1);
                        prop_assert!(world.take(permit).is_err(), "it named too long a wait");
                    }
                    now += wait;
                    set(now);
                    prop_assert_eq!(world.take(permit), Ok(()));
                    passed.push((now, step.connection, step.urgency));
                }
            }
        }
        let within = |rate: (u32, u32), times: &[(i64, Urgency)]| {
            times.iter().enumerate().all(|(n, (until, _))| {
                let since = until - i64::from(rate.1) * 1_000_000;
                let count = times[..=n].iter().filter(|(at, _)| *at > since).count();
                count <= usize::try_from(rate.0).unwrap()
            })
        };
        let all: Vec<(i64, Urgency)> = passed.iter().map(|(at, _, urgency)| (*at, *urgency)).collect();
        prop_assert!(within(shared, &all), "the provider's");
        for n in 0..3 {
            let times: Vec<_> =
                passed.iter().filter(|(_, of, _)| *of == n).map(|(at, _, urgency)| (*at, *urgency)).collect();
            prop_assert!(within(own, &times), "the connection's");
        }
    }

    /// However much else is asked: as many bookings as are kept for them find their turn in every window.
    #[test]
    fn bookings_find_their_part(requests in 2_u32..200, others in prop::collection::vec(1_usize..4, 1..300)) {
        let world = World::new(&format!("rate-limit = {{ requests = {requests}, per-seconds = 60 }}"));
        let urgencies = [Urgency::Booking, Urgency::Availability, Urgency::Upkeep, Urgency::Bulk];
        for (n, other) in others.into_iter().enumerate() {
            world.hands.0.store(i64::try_from(n).unwrap() * 300_000, Ordering::Relaxed);
            let _ = world.take(PermitRequest { urgency: urgencies[other], ..world.permit(1) });
        }
        let kept = requests - window::allowed(requests, Urgency::Availability);
        prop_assert!(kept >= 1);
        for _ in 0..kept {
            prop_assert_eq!(world.take(world.permit(1)), Ok(()));
        }
    }
}

/// Several processes of one provider on one clock, each with its part of the rate.
#[test]
fn a_rate_of_fewer_requests_than_replicas_holds_together_over_its_stretched_length() {
    for (requests, seconds, replicas) in [(1, 60, 2), (2, 60, 5), (3, 10, 8), (7, 60, 12)] {
        let rates = format!("provider-rate-limit = {{ requests = {requests}, per-seconds = {seconds} }}");
        let hands = Arc::new(Hands::default());
        let processes: Vec<World> = (0..replicas)
            .map(|_| {
                let rates_of = Rates::new(hands.clone(), &EgressLimits::default());
                rates_of.share_with(replicas);
                World { hands: hands.clone(), rates: rates_of, manifest: manifest(&rates) }
            })
            .collect();
        let (mut sent, lasts) = (Vec::new(), i64::from(seconds * replicas) * 8);
        for second in 0..lasts {
            hands.set(second);
            for process in &processes {
                sent.extend(std::iter::repeat_n(second, process.passing(process.permit(1))));
            }
        }
        // No process is shut out, and none has more than one in its own length.
        let each = i64::from((seconds * replicas).div_ceil(requests));
        let most = usize::try_from(lasts / each + 1).unwrap() * processes.len();
        assert!(
            (processes.len()..=most).contains(&sent.len()),
            "{requests}/{seconds} of {replicas}: {}",
            sent.len()
        );
        // Over the longer time it is the rate.
        let allowed = lasts * i64::from(requests) / i64::from(seconds) + i64::from(replicas);
        let total = i64::try_from(sent.len()).unwrap();
        assert!(total <= allowed, "{requests}/{seconds} of {replicas}: {total} of {allowed}");
        // Each stretch as long as one process's turn holds one of each at most.
        for from in 0..lasts - each {
            let within = sent.iter().filter(|at| (from..from + each).contains(*at)).count();
            assert!(within <= processes.len(), "{within} in {each} s from {from}");
        }
        // A process that goes leaves its part, when what it sent is as old as the rate is long.
        for process in &processes {
            process.rates.share_with(1);
        }
        hands.set(lasts + i64::from(seconds));
        assert_eq!(processes[0].passing(processes[0].permit(1)), requests as usize);
    }
}
