//! Changes of events: numbered, and told to everybody who wants to know.

use super::{
    notify,
    state::{Change, Event, State},
};

impl State {
    pub(super) fn add(&mut self, event: Event) -> String {
        let id = event.id.clone();
        self.by_id.insert(id.clone(), self.events.len());
        self.events.push(event);
        self.touch(&id, Change::Created, |_| {});
        id
    }

    /// Change an event that is there, and tell everybody who wants to know. Was it there?
    pub(super) fn touch(&mut self, id: &str, change: Change, edit: impl FnOnce(&mut Event)) -> bool {
        let now = self.now();
        let at = self.by_id.get(id).copied();
        let Some(event) = at.and_then(|at| self.events.get_mut(at)).filter(|e| !e.deleted) else {
            return false;
        };
        self.changes += 1;
        edit(event);
        event.change = self.changes;
        // Two changes in one microsecond still have an order.
        event.modified_at = now.max(event.modified_at + 1_000);
        event.deleted = change == Change::Deleted;
        let event = event.clone();
        notify::changed(self, &event, change);
        true
    }
}
