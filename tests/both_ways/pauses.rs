//! Somebody pauses connections and resumes them, in the middle of everything.

use berth_model::connections::connection::ConnectionState;
use rand::Rng;

use super::Run;

impl Run {
    /// Pause a connection that is active, or resume one that is not.
    pub(super) async fn pause_or_resume(&mut self) {
        let side = &self.sides[self.rng.random_range(0..self.sides.len())];
        let (caller, id) = (&side.caller, side.connection);
        let state = self.engine.connections.connection(caller, id).await.unwrap().state;
        if state == ConnectionState::Active {
            self.engine.connections.pause_connection(caller, id, None).await.unwrap();
            self.count("paused");
        } else {
            self.engine.connections.resume_connection(caller, id, None).await.unwrap();
            self.count("resumed");
        }
    }

    /// Everything goes on again.
    pub(super) async fn resume_all(&self) {
        for side in &self.sides {
            self.engine.connections.resume_connection(&side.caller, side.connection, None).await.unwrap();
        }
    }
}
