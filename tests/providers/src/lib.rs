//! Provider simulators: test servers that behave as the real services do, state, errors and faults included. The plugins that
//! talk to them do not know. They listen on loopback only.

pub mod acme;
pub mod booksy;
pub mod calcom;
pub mod calendly;
pub mod faults;
pub mod front;
pub mod gohighlevel;
pub mod google;
pub mod hours;
pub mod outlook;
pub mod published;
pub mod running;
pub mod server;
pub mod spec;
pub mod times;

/// How long a test, or a simulator in it, waits for what another thread, process or machine does: longer than the slowest machine takes.
/// It is waited in full only where something is broken, so nothing in a test ends sooner by a real clock (`tests/tidy/patience.rs`).
pub const PATIENCE: std::time::Duration = std::time::Duration::from_mins(2);

/// The time in microseconds since 1970; tests pass one that they move.
pub type Clock = std::sync::Arc<dyn Fn() -> i64 + Send + Sync>;

/// The machine's clock.
pub fn machine_clock() -> Clock {
    std::sync::Arc::new(|| {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since.map_or(0, |d| i64::try_from(d.as_micros()).unwrap_or(i64::MAX))
    })
}
