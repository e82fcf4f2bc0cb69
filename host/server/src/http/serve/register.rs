//! The connections of a server: how many there are, whose they are, and which is closed for a newcomer.
//!
//! A connection costs a file and some memory, and whoever opens it pays next to nothing. So nobody is turned away while there is a
//! connection on which nothing is being done: the one that has waited longest makes room, whatever it waits for. In this one order
//! nobody is better off for being silent, or for having asked once, or for sending half a body; who has just come has the longest time
//! of all to say what they want. Where one address has its share, its own make room.

use std::{
    collections::{BTreeMap, HashMap},
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

/// What a connection waits for. Its time begins anew with each of these, and with each good piece of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waits {
    /// Its first request.
    Silent,
    /// Another request.
    Idle,
    /// The rest of a request's body.
    Receiving,
}

/// Connections that may be closed, the one that has waited longest first: turn to id.
type Queue = BTreeMap<u64, u64>;

#[derive(Debug)]
struct Place {
    source: Option<IpAddr>,
    /// What it waits for and its turn; none: something is being done.
    waits: Option<(Waits, u64)>,
    since: Instant,
    close: Arc<Notify>,
}

#[derive(Debug, Default)]
struct OfSource {
    open: usize,
    waiting: Queue,
}

#[derive(Debug, Default)]
struct Inner {
    /// The last id and turn that were given out.
    last: u64,
    places: HashMap<u64, Place>,
    waiting: Queue,
    sources: HashMap<IpAddr, OfSource>,
}

/// All connections of a listener.
#[derive(Debug)]
pub(super) struct Register {
    most: usize,
    share: usize,
    inner: Mutex<Inner>,
}

/// A connection's entry; it goes when this is dropped.
#[derive(Debug)]
pub(super) struct Ticket {
    register: Arc<Register>,
    id: u64,
    close: Arc<Notify>,
}

/// Whose connection it is: an address, or the network that one subscriber has of IPv6.
fn owner(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V6(address) => {
            let network = u128::from(address) >> 64 << 64;
            IpAddr::V6(Ipv6Addr::from(network))
        }
        address @ IpAddr::V4(_) => address,
    }
}

impl Inner {
    /// The queues that a connection of this source stands in.
    fn queues(&mut self, source: Option<IpAddr>) -> impl Iterator<Item = &mut Queue> {
        let of = source.and_then(|source| self.sources.get_mut(&source)).map(|of| &mut of.waiting);
        std::iter::once(&mut self.waiting).chain(of)
    }

    fn enqueue(&mut self, id: u64, source: Option<IpAddr>, turn: u64) {
        for queue in self.queues(source) {
            queue.insert(turn, id);
        }
    }

    fn dequeue(&mut self, source: Option<IpAddr>, turn: u64) {
        for queue in self.queues(source) {
            queue.remove(&turn);
        }
    }

    /// Strike it out. False if it was not there any more.
    fn leave(&mut self, id: u64) -> bool {
        let Some(place) = self.places.remove(&id) else { return false };
        if let Some((_, turn)) = place.waits {
            self.dequeue(place.source, turn);
        }
        if let Some(source) = place.source
            && let Some(of) = self.sources.get_mut(&source)
        {
            of.open = of.open.saturating_sub(1);
            if of.open == 0 {
                self.sources.remove(&source);
            }
        }
        place.close.notify_one();
        true
    }

    /// Close the one that has waited longest; of this source, if one is given.
    fn make_room(&mut self, source: Option<IpAddr>) -> bool {
        let queue = match source {
            Some(source) => self.sources.get(&source).map(|of| &of.waiting),
            None => Some(&self.waiting),
        };
        let first = queue.and_then(|queue| queue.values().next().copied());
        let closed = first.is_some_and(|id| self.leave(id));
        if closed {
            metrics::counter!("berth_connections_closed_total", "why" => "for another").increment(1);
        }
        closed
    }
}

impl Register {
    /// For so many connections, of which one source may have this share.
    pub(super) fn new(most: usize, share: usize) -> Arc<Self> {
        Arc::new(Self { most: most.max(1), share: share.max(1), inner: Mutex::default() })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Room for a newcomer, if something can make room for it. Without a source it counts in no share.
    pub(super) fn admit(self: &Arc<Self>, source: Option<IpAddr>) -> Option<Ticket> {
        let source = source.map(owner);
        let mut inner = self.inner();
        let has = source.and_then(|source| inner.sources.get(&source)).map_or(0, |of| of.open);
        if has >= self.share && !inner.make_room(source) {
            return None;
        }
        if inner.places.len() >= self.most && !inner.make_room(None) {
            return None;
        }
        inner.last = inner.last.wrapping_add(1);
        let (id, close) = (inner.last, Arc::new(Notify::new()));
        let waits = Some((Waits::Silent, id));
        inner.places.insert(id, Place { source, waits, since: Instant::now(), close: Arc::clone(&close) });
        if let Some(source) = source {
            inner.sources.entry(source).or_default().open += 1;
        }
        inner.enqueue(id, source, id);
        Some(Ticket { register: Arc::clone(self), id, close })
    }

    /// Close one that waits, because the machine has no room for more.
    pub(super) fn make_room(&self) -> bool {
        self.inner().make_room(None)
    }

    /// How many are open.
    pub(super) fn open(&self) -> usize {
        self.inner().places.len()
    }
}

impl Ticket {
    /// From now on it waits for this; for nothing if something is being done. False if it was closed for another: nothing may be begun.
    pub(super) fn now(&self, waits: Option<Waits>) -> bool {
        let mut inner = self.register.inner();
        inner.last = inner.last.wrapping_add(1);
        let turn = inner.last;
        let Some(place) = inner.places.get_mut(&self.id) else { return false };
        place.since = Instant::now();
        let (source, before) = (place.source, place.waits);
        place.waits = waits.map(|waits| (waits, turn));
        if let Some((_, before)) = before {
            inner.dequeue(source, before);
        }
        if waits.is_some() {
            inner.enqueue(self.id, source, turn);
        }
        true
    }

    /// The server ends: is a request under way, which is still answered?
    pub(super) fn is_busy(&self) -> bool {
        let inner = self.register.inner();
        let waits = inner.places.get(&self.id).map(|place| place.waits.map(|(waits, _)| waits));
        matches!(waits, Some(None | Some(Waits::Receiving)))
    }

    /// When it must be closed if nothing changes; none if it was closed for another.
    fn until(&self, header: Duration, idle: Duration) -> Option<Instant> {
        let inner = self.register.inner();
        let place = inner.places.get(&self.id)?;
        Some(match place.waits.map(|(waits, _)| waits) {
            Some(Waits::Silent) => place.since + header,
            Some(Waits::Idle) => place.since + idle,
            // These have limits of their own.
            Some(Waits::Receiving) | None => Instant::now() + header + idle,
        })
    }

    /// Ends when the connection has waited too long, or is closed for another.
    pub(super) async fn over(&self, header: Duration, idle: Duration) {
        while let Some(until) = self.until(header, idle) {
            if until <= Instant::now() {
                metrics::counter!("berth_connections_closed_total", "why" => "waited too long").increment(1);
                return;
            }
            // What it waits for may change in between, and then less time may be left.
            let look = until.min(Instant::now() + header.min(idle));
            tokio::select! {
                () = tokio::time::sleep_until(look) => {}
                () = self.close.notified() => {}
            }
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.register.inner().leave(self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(n: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, n])
    }

    fn is_open(ticket: &Ticket) -> bool {
        ticket.register.inner().places.contains_key(&ticket.id)
    }

    #[test]
    fn who_has_waited_longest_makes_room_and_who_works_does_not() {
        let register = Register::new(4, 4);
        let connections: Vec<Ticket> = (1..=4).map(|n| register.admit(Some(address(n))).unwrap()).collect();
        assert!(connections[0].now(None));
        assert!(connections[1].now(Some(Waits::Receiving)));
        assert!(connections[2].now(None) && connections[2].now(Some(Waits::Idle)));
        // A piece of its body has come.
        assert!(connections[1].now(Some(Waits::Receiving)));
        let mut came = Vec::new();
        for closed in [3, 2, 1] {
            came.push(register.admit(Some(address(9))).unwrap());
            came.last().unwrap().now(None);
            assert!(!is_open(&connections[closed]), "{closed}");
            assert!(!connections[closed].now(None), "it may not begin anything");
            assert_eq!(register.open(), 4);
        }
        assert!(register.admit(Some(address(9))).is_none(), "all work");
        drop(came.pop());
        assert!(register.admit(Some(address(9))).is_some());
        assert!(is_open(&connections[0]));
    }

    #[test]
    fn an_address_that_has_its_share_closes_its_own() {
        let register = Register::new(100, 3);
        let other = register.admit(Some(address(1))).unwrap();
        let mut own = Vec::new();
        for _ in 0..10 {
            own.push(register.admit(Some(address(2))).unwrap());
        }
        assert_eq!(own.iter().filter(|ticket| is_open(ticket)).count(), 3);
        assert!(is_open(&other) && own[7..].iter().all(is_open), "the oldest went");
        for ticket in &own[7..] {
            ticket.now(None);
        }
        assert!(register.admit(Some(address(2))).is_none() && register.admit(Some(address(3))).is_some());
        let network = |n: u16| Some(IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, n]));
        let six: Vec<Ticket> = (0..5).map(|n| register.admit(network(n)).unwrap()).collect();
        assert_eq!(six.iter().filter(|ticket| is_open(ticket)).count(), 3, "a subscriber's network is one");
        let proxied: Vec<Ticket> = (0..5).map(|_| register.admit(None).unwrap()).collect();
        assert!(proxied.iter().all(is_open), "a proxy's connections are many people's");
    }

    /// Whatever comes and goes: never more than there may be, none that works is closed, and nothing is left behind.
    #[test]
    fn whatever_comes_and_goes_the_register_stays_true() {
        use berth_model::random::Random;
        let random = crate::ports::MachineRandom::new();
        let mut bytes = [0; 8];
        random.fill(&mut bytes);
        for seed in [1, u64::from_be_bytes(bytes)] {
            println!("seed {seed}");
            let mut state = seed | 1;
            let mut next = |below: u64| {
                // xorshift64*: good enough to choose with.
                state ^= state >> 12;
                state ^= state << 25;
                state ^= state >> 27;
                usize::try_from(state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33).unwrap()
                    % usize::try_from(below).unwrap()
            };
            let (most, share) = (1 + next(12), 1 + next(6));
            let register = Register::new(most, share);
            let mut open: Vec<(Ticket, bool)> = Vec::new();
            for _ in 0..3_000 {
                match next(4) {
                    0 | 1 => {
                        let source = Some(address(u8::try_from(next(4)).unwrap())).filter(|_| next(5) > 0);
                        if let Some(ticket) = register.admit(source) {
                            open.push((ticket, false));
                        }
                    }
                    2 if !open.is_empty() => {
                        let n = next(open.len() as u64);
                        let waits =
                            [None, Some(Waits::Silent), Some(Waits::Idle), Some(Waits::Receiving)][next(4)];
                        let there = is_open(&open[n].0);
                        assert_eq!(open[n].0.now(waits), there);
                        open[n].1 = there && waits.is_none();
                    }
                    3 if !open.is_empty() => drop(open.swap_remove(next(open.len() as u64))),
                    _ => {}
                }
                assert!(register.open() <= most);
                assert!(open.iter().all(|(ticket, works)| !works || is_open(ticket)));
                let inner = register.inner();
                let counted: usize = inner.sources.values().map(|of| of.open).sum();
                assert!(
                    counted <= inner.places.len()
                        && inner.sources.values().all(|of| (1..=share).contains(&of.open))
                );
                assert_eq!(
                    inner.waiting.len(),
                    inner.places.values().filter(|place| place.waits.is_some()).count()
                );
            }
            open.clear();
            let inner = register.inner();
            assert!(inner.places.is_empty() && inner.sources.is_empty());
            assert!(inner.waiting.is_empty());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_too_long_is_over_and_who_works_is_not() {
        let register = Register::new(10, 10);
        let (header, idle) = (Duration::from_secs(10), Duration::from_secs(75));
        let began = Instant::now();
        let silent = register.admit(None).unwrap();
        silent.over(header, idle).await;
        assert_eq!(began.elapsed().as_secs(), 10);
        let asked = register.admit(None).unwrap();
        asked.now(None);
        let works = tokio::time::timeout(Duration::from_secs(1_000), asked.over(header, idle)).await;
        assert!(works.is_err());
        asked.now(Some(Waits::Idle));
        let began = Instant::now();
        asked.over(header, idle).await;
        assert_eq!(began.elapsed().as_secs(), 75);
    }
}
