//! A PostgreSQL server of a test's own, to be stopped and started.

use crate::postgres::Postgres;

/// A running server; gone when this is dropped.
pub struct OwnPostgres(Postgres);

impl OwnPostgres {
    /// None, said aloud, where no server is installed.
    pub fn start() -> Option<Self> {
        match Postgres::start() {
            Ok(server) => Some(Self(server)),
            Err(why) => {
                println!("SKIPPED: {why}");
                None
            }
        }
    }

    pub fn url(&self) -> &str {
        &self.0.url
    }

    /// Stop it as an operator does: connections are closed.
    pub fn stop(&mut self) {
        self.0.stop().unwrap();
    }

    /// With the same data, at the same address.
    pub fn start_again(&mut self) {
        self.0.run_server().unwrap();
    }
}
