//! What people do in their own calendars, and what happens to the service, for tests.

use serde_json::json;

use super::{
    Event, Simulator, events, notify,
    refusal::{Refusal, item_not_found},
    state::{Change, State},
    views,
};
use crate::front::{flush, lock};

impl Simulator {
    /// Do something, and send the notifications of it.
    fn act<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        let done = act(&mut lock(&self.state));
        flush(&self.state);
        done
    }

    /// Somebody writes an event into a calendar (by its id). The event's id.
    pub fn add_event(&self, calendar: &str, subject: &str, start: i64, end: i64) -> Result<String, String> {
        let body = json!({ "subject": subject, "start": views::time(start), "end": views::time(end) });
        let made = self.act(|state| {
            let calendar = state.config.calendars.iter().find(|c| c.id == calendar).cloned();
            let calendar = calendar.ok_or_else(item_not_found)?;
            events::create(state, &calendar, &body)
        });
        let text = |refusal: Refusal| refusal.message;
        made.map_err(text)?.body["id"].as_str().map(str::to_owned).ok_or_else(|| "no id".to_owned())
    }

    /// Somebody moves an event. Was it there?
    pub fn move_event(&self, id: &str, start: i64) -> bool {
        self.edit_event(id, |event| {
            event.end += start - event.start;
            event.start = start;
        })
    }

    /// Somebody changes an event in some other way. Was it there?
    pub fn edit_event(&self, id: &str, edit: impl FnOnce(&mut Event)) -> bool {
        self.act(|state| state.touch(id, Change::Updated, edit))
    }

    /// Somebody deletes an event. Was it there?
    pub fn delete_event(&self, id: &str) -> bool {
        self.act(|state| state.touch(id, Change::Deleted, |_| {}))
    }

    /// The user takes the consent back: no token but the one of the configuration is good any more.
    pub fn revoke_consent(&self) {
        self.act(|state| state.logins.revoke());
    }

    /// The service forgets where delta queries stand.
    pub fn forget_sync_states(&self) {
        self.act(|state| state.rounds.clear());
    }

    /// The service sends a lifecycle event: `missed`, `reauthorizationRequired`, or `subscriptionRemoved`, which also ends all
    /// subscriptions.
    pub fn lifecycle(&self, event: &str) {
        self.act(|state| {
            notify::lifecycle(state, event);
            if event == "subscriptionRemoved" {
                state.subscriptions.clear();
            }
        });
    }
}
