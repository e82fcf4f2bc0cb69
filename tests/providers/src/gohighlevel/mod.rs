//! HighLevel (GoHighLevel), API v2, as far as Berth's plugin and its tests go: one sub-account with one person at work. Source:
//! the service's published API descriptions, its documentation, and what integrations have reported.

mod appointments;
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

pub use keys::Signatures;
pub use oauth::App;
pub use state::{Appointment, Block, Calendar, Contact, Status};

use crate::{
    Clock,
    front::{flush, lock},
    hours::Hours,
    machine_clock,
    running::Running,
};
use state::State;

#[cfg(test)]
mod tests;

/// How a simulator is set up.
#[derive(Clone)]
pub struct Config {
    /// Port on 127.0.0.1; 0 for any free one.
    pub port: u16,
    /// Seed of chance.
    pub seed: u64,
    /// The private integration token that it accepts.
    pub token: String,
    /// The Marketplace app that gets tokens by consent.
    pub app: App,
    pub location_id: String,
    pub clock: Clock,
    /// Offer `/_simulator/…`.
    pub control: bool,
    /// Send webhooks to `webhook_url`; else they are kept for [`Simulator::take_deliveries`].
    pub deliver_webhooks: bool,
    /// The address in the app's settings.
    pub webhook_url: String,
    /// Which signatures webhooks carry.
    pub signatures: Signatures,
    /// Enforce the rate limit of 100 requests in 10 seconds.
    pub rate_limit: bool,
    pub calendars: Vec<Calendar>,
    pub hours: Hours,
}

impl Default for Config {
    fn default() -> Self {
        let calendar = |id: &str, slug: &str, name: &str, length_minutes, auto_confirm| Calendar {
            id: id.to_owned(),
            slug: slug.to_owned(),
            name: name.to_owned(),
            length_minutes,
            auto_confirm,
        };
        Self {
            port: 0,
            seed: 1,
            token: "pit-00000000-made-up-0000-000000000000".to_owned(),
            app: App::default(),
            location_id: "loc_1".to_owned(),
            clock: machine_clock(),
            control: false,
            deliver_webhooks: false,
            webhook_url: String::new(),
            signatures: Signatures::Current,
            rate_limit: true,
            calendars: vec![
                calendar("cal_1", "consultation", "Consultation", 30, true),
                calendar("cal_2", "workshop", "Workshop", 60, false),
            ],
            hours: Hours {
                time_zone: chrono_tz::Europe::Warsaw,
                opens_minute: 9 * 60,
                closes_minute: 17 * 60,
                weekends: false,
            },
        }
    }
}

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
