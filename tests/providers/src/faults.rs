//! Faults that can be switched on: by script (the next request to a path) or by chance (seeded).

use std::collections::VecDeque;

use rand::{Rng, SeedableRng, rngs::StdRng};
use serde::{Deserialize, Serialize};

/// What goes wrong with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// 429, with `Retry-After` in seconds, or with the service's own reset header only.
    RateLimited { retry_after_seconds: Option<u64> },
    /// 500 before anything was done.
    ServerError,
    /// The connection ends before anything was done.
    DropBefore,
    /// The connection ends after the work was done: nobody is told.
    DropAfter,
    /// The work is done, and the answer is no JSON.
    Malformed,
    /// The work is done, and the answer stops in the middle.
    Truncated,
}

/// How often each fault happens by chance, 0.0 to 1.0, and how slow answers are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rates {
    pub rate_limited: f64,
    pub server_error: f64,
    pub drop_before: f64,
    pub drop_after: f64,
    pub malformed: f64,
    /// Milliseconds of latency, at least and at most.
    pub latency_ms: (u64, u64),
    /// Webhooks that are sent twice, or never.
    pub webhook_duplicate: f64,
    pub webhook_lost: f64,
}

/// The faults of one simulator.
#[derive(Debug)]
pub struct Faults {
    pub rates: Rates,
    scripted: VecDeque<(String, Fault)>,
    rng: StdRng,
}

impl Faults {
    /// No faults yet; chance follows the seed.
    pub fn new(seed: u64) -> Self {
        Self { rates: Rates::default(), scripted: VecDeque::new(), rng: StdRng::seed_from_u64(seed) }
    }

    /// The next request whose `METHOD path` contains `what` gets this fault.
    pub fn script(&mut self, what: &str, fault: Fault) {
        self.scripted.push_back((what.to_owned(), fault));
    }

    /// What happens to this request.
    pub fn next(&mut self, method: &str, path: &str) -> Option<Fault> {
        let line = format!("{method} {path}");
        if let Some(at) = self.scripted.iter().position(|(what, _)| line.contains(what.as_str())) {
            return self.scripted.remove(at).map(|(_, fault)| fault);
        }
        let chances = [
            (self.rates.rate_limited, Fault::RateLimited { retry_after_seconds: Some(1) }),
            (self.rates.server_error, Fault::ServerError),
            (self.rates.drop_before, Fault::DropBefore),
            (self.rates.drop_after, Fault::DropAfter),
            (self.rates.malformed, Fault::Malformed),
        ];
        let mut roll: f64 = self.rng.random();
        for (chance, fault) in chances {
            if roll < chance {
                return Some(fault);
            }
            roll -= chance;
        }
        None
    }

    /// How long this answer takes.
    pub fn latency_ms(&mut self) -> u64 {
        let (least, most) = self.rates.latency_ms;
        if most == 0 { 0 } else { self.rng.random_range(least..=most.max(least)) }
    }

    /// How often this webhook is sent.
    pub fn webhook_copies(&mut self) -> usize {
        let roll: f64 = self.rng.random();
        if roll < self.rates.webhook_lost {
            0
        } else if roll < self.rates.webhook_lost + self.rates.webhook_duplicate {
            2
        } else {
            1
        }
    }
}
