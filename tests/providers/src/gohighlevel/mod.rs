//! HighLevel (GoHighLevel), API v2, as far as Berth's plugin and its tests go: one sub-account with one person at work. Source:
//! the service's published API descriptions, its documentation, and what integrations have reported.

mod appointments;
mod config;
mod contacts;
mod grants;
mod keys;
mod oauth;
mod refusal;
mod routes;
mod slots;
mod state;
mod views;
mod webhooks;

use serde_json::{Value, json};

pub use config::{App, Calendar, Config};
pub use keys::Signatures;
pub use state::{Appointment, Block, Contact, Status};

use crate::{
    front::{flush, lock},
    running::Running,
};
use state::State;

#[cfg(test)]
mod tests;

/// A running simulator; it stops when dropped.
pub type Simulator = Running<State>;

impl Simulator {
    /// Start listening.
    pub async fn start(config: Config) -> std::io::Result<Self> {
        Self::serve(config.port, State::new(config)).await
    }

    pub fn calendars(&self) -> Vec<Calendar> {
        lock(&self.state).config.calendars.clone()
    }

    /// The public key of the current signature, in base64.
    pub fn webhook_public_key(&self) -> String {
        lock(&self.state).keys.current_public()
    }

    /// The public key of the legacy signature, in base64.
    pub fn legacy_webhook_public_key(&self) -> String {
        lock(&self.state).keys.legacy_public()
    }

    /// Which signatures webhooks carry from now on.
    pub fn set_signatures(&self, signatures: Signatures) {
        lock(&self.state).config.signatures = signatures;
    }

    /// Every appointment that was not deleted, oldest first.
    pub fn appointments(&self) -> Vec<Appointment> {
        lock(&self.state).appointments.clone()
    }

    /// Appointments that take their time.
    pub fn active_appointments(&self) -> Vec<Appointment> {
        self.appointments().into_iter().filter(|a| a.status.is_active()).collect()
    }

    /// Every contact, oldest first.
    pub fn contacts(&self) -> Vec<Contact> {
        lock(&self.state).contacts.clone()
    }

    /// Somebody changes an appointment in HighLevel itself. `change` as in the API: `{"appointmentStatus": "cancelled"}`.
    pub fn change_out_of_band(&self, id: &str, change: &Value) -> Result<(), String> {
        self.out_of_band(|state| appointments::update(state, id, change).map(|_| ()))
    }

    /// Somebody moves an appointment in HighLevel itself.
    pub fn move_out_of_band(&self, id: &str, start_micros: i64) -> Result<(), String> {
        let start = lock(&self.state).local(start_micros);
        self.change_out_of_band(id, &json!({ "startTime": start }))
    }

    /// Somebody deletes an appointment in HighLevel itself.
    pub fn delete_out_of_band(&self, id: &str) -> Result<(), String> {
        self.out_of_band(|state| appointments::delete(state, id).map(|_| ()))
    }

    /// Somebody books in HighLevel itself. The appointment's id.
    pub fn book_out_of_band(&self, calendar: &str, start_micros: i64) -> Result<String, String> {
        self.out_of_band(|state| {
            let location = state.config.location_id.clone();
            let person = json!({ "locationId": location, "firstName": "Walk", "email": "walk.in@example.com" });
            let contact = contacts::upsert(state, &person)?["contact"]["id"].clone();
            let start = state.local(start_micros);
            let body =
                json!({ "calendarId": calendar, "locationId": location, "contactId": contact, "startTime": start });
            let made = appointments::create(state, &body)?;
            Ok(made["id"].as_str().unwrap_or_default().to_owned())
        })
    }

    /// Somebody blocks a stretch of time.
    pub fn block_out_of_band(&self, start_micros: i64, end_micros: i64) {
        let mut state = lock(&self.state);
        let (id, title) = (state.new_id(), "Blocked".to_owned());
        state.blocks.push(Block { id, calendar: None, title, start: start_micros, end: end_micros });
    }

    /// Times that nobody can book, oldest first.
    pub fn blocks(&self) -> Vec<Block> {
        lock(&self.state).blocks.clone()
    }

    fn out_of_band<T>(
        &self,
        act: impl FnOnce(&mut State) -> Result<T, refusal::Refusal>,
    ) -> Result<T, String> {
        let result = act(&mut lock(&self.state)).map_err(|refusal| refusal.message.to_string());
        flush(&self.state);
        result
    }
}
