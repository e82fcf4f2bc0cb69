//! What was measured, one line each.

use std::time::{Duration, Instant};

/// The results, printed as they come and once more at the end.
#[derive(Default)]
pub struct Table(Vec<String>);

impl Table {
    /// A heading.
    pub fn section(&mut self, title: &str) {
        self.say(format!("\n{title}"));
    }

    /// A figure, what it is compared with, and the target.
    pub fn row(&mut self, what: &str, measured: &str, compared: &str, target: &str) {
        self.say(format!("  {what:<58} {measured:>22}   {compared:<46} {target}"));
    }

    fn say(&mut self, line: String) {
        println!("{line}");
        self.0.push(line);
    }

    /// Everything once more.
    pub fn print(&self) {
        println!("\n==== results ====");
        for line in &self.0 {
            println!("{line}");
        }
    }
}

/// Times of single runs.
pub struct Times(Vec<Duration>);

impl Times {
    /// Sorted.
    pub fn new(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self(times)
    }

    /// The time that so many per cent stay within.
    pub fn percentile(&self, percent: usize) -> Duration {
        let at = (self.0.len() * percent / 100).min(self.0.len().saturating_sub(1));
        self.0.get(at).copied().unwrap_or_default()
    }

    pub fn median(&self) -> Duration {
        self.percentile(50)
    }
}

/// The fastest of several runs of something pure, in seconds per call: noise only ever adds.
pub fn best_of<T>(runs: usize, calls: u32, mut work: impl FnMut() -> T) -> Duration {
    let mut best = Duration::MAX;
    for _ in 0..runs {
        let started = Instant::now();
        for _ in 0..calls {
            std::hint::black_box(work());
        }
        best = best.min(started.elapsed() / calls);
    }
    best
}

/// `12.3 µs`, `4.56 ms`.
pub fn time(duration: Duration) -> String {
    let micros = duration.as_secs_f64() * 1e6;
    if micros < 1_000.0 { format!("{micros:.1} µs") } else { format!("{:.2} ms", micros / 1e3) }
}

/// How many times as long.
pub fn ratio(this: Duration, other: Duration) -> f64 {
    this.as_secs_f64() / other.as_secs_f64()
}
