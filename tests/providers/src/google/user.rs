//! What a test does as the person whose calendar it is.

use serde_json::json;

use super::{
    Simulator,
    config::Calendar,
    events,
    refusal::Refusal,
    resource,
    state::{Event, State},
};
use crate::{
    front::{flush, lock},
    times::utc,
};

const MINUTE_MICROS: i64 = 60_000_000;
const DAY_MICROS: i64 = 86_400_000_000;

fn told(refusal: Refusal) -> String {
    format!("{} {}", refusal.status, refusal.reason)
}

impl Simulator {
    /// Every event of a calendar, deleted ones included, by id. Masters of recurring events are not shown.
    pub fn events(&self, calendar: &str) -> Vec<Event> {
        let state = lock(&self.state);
        let Ok(calendar) = state.calendar(calendar) else { return Vec::new() };
        state.events_of(&calendar.id).filter(|event| !event.is_master).cloned().collect()
    }

    /// Events of the own calendar that take place and carry this private value.
    pub fn active_by_reference(&self, reference: &str) -> Vec<Event> {
        let carries = |event: &Event| {
            let private = event.resource["extendedProperties"]["private"].as_object();
            private.is_some_and(|all| all.values().any(|value| value == reference))
        };
        self.events("primary").into_iter().filter(|event| event.is_active() && carries(event)).collect()
    }

    /// The person adds an event. Its id.
    pub fn add_event(
        &self,
        calendar: &str,
        start_micros: i64,
        minutes: i64,
        title: &str,
    ) -> Result<String, String> {
        self.act(calendar, |state, calendar| {
            let id = state.word(20).to_lowercase().replace(['w', 'x', 'y', 'z'], "0");
            let event = added(state, calendar, &id, start_micros, minutes, title)?;
            events::put(state, calendar, event);
            Ok(id)
        })
    }

    /// The person adds an event that repeats daily. The ids of its instances.
    pub fn add_daily(
        &self,
        calendar: &str,
        start_micros: i64,
        minutes: i64,
        count: i64,
        title: &str,
    ) -> Result<Vec<String>, String> {
        self.act(calendar, |state, calendar| {
            let series = state.word(20).to_lowercase().replace(['w', 'x', 'y', 'z'], "0");
            let mut master = added(state, calendar, &series, start_micros, minutes, title)?;
            master.is_master = true;
            master.resource["recurrence"] = json!([format!("RRULE:FREQ=DAILY;COUNT={count}")]);
            events::put(state, calendar, master);
            let mut ids = Vec::new();
            for day in 0..count {
                let start = start_micros + day * DAY_MICROS;
                let stamp: String =
                    utc(start).chars().filter(|c| c.is_ascii_alphanumeric()).take(15).collect::<String>()
                        + "Z";
                let id = format!("{series}_{stamp}");
                let mut instance = added(state, calendar, &id, start, minutes, title)?;
                instance.resource["recurringEventId"] = json!(series);
                instance.resource["originalStartTime"] = instance.resource["start"].clone();
                events::put(state, calendar, instance);
                ids.push(id);
            }
            Ok(ids)
        })
    }

    /// The person drags an event to another time; its length stays.
    pub fn move_event(&self, calendar: &str, id: &str, start_micros: i64) -> Result<(), String> {
        self.change(calendar, id, |event| {
            let end = start_micros + event.end - event.start;
            json!({ "start": { "dateTime": utc(start_micros) }, "end": { "dateTime": utc(end) } })
        })
    }

    /// The person changes the event in some other way.
    pub fn edit_event(&self, calendar: &str, id: &str, fields: &serde_json::Value) -> Result<(), String> {
        self.change(calendar, id, |_| fields.clone())
    }

    /// The person says that the event does not block its time.
    pub fn make_transparent(&self, calendar: &str, id: &str) -> Result<(), String> {
        self.change(calendar, id, |_| json!({ "transparency": "transparent" }))
    }

    /// The person deletes an event.
    pub fn delete_event(&self, calendar: &str, id: &str) -> Result<(), String> {
        self.act(calendar, |state, calendar| {
            let old = state.event(calendar, id).filter(|event| event.is_active()).cloned();
            let gone = || Refusal::new(404, "notFound", "");
            events::cancel(state, calendar, old.ok_or_else(gone)?)
        })
    }

    /// The person takes the consent back.
    pub fn revoke_consent(&self) {
        lock(&self.state).tokens.revoke_all();
    }

    /// Access tokens that were given out end now.
    pub fn expire_access_tokens(&self) {
        lock(&self.state).tokens.expire_access();
    }

    /// Sync tokens that were given out are too old from now on.
    pub fn expire_sync_tokens(&self) {
        lock(&self.state).lists.expire();
    }

    /// Ids of the channels that are open.
    pub fn channels(&self) -> Vec<String> {
        lock(&self.state).channels.iter().map(|channel| channel.id.clone()).collect()
    }

    fn change(
        &self,
        calendar: &str,
        id: &str,
        fields: impl Fn(&Event) -> serde_json::Value,
    ) -> Result<(), String> {
        self.act(calendar, |state, calendar| {
            let old = state.event(calendar, id).filter(|event| event.is_active()).cloned();
            let old = old.ok_or_else(|| Refusal::new(404, "notFound", ""))?;
            let mut whole = old.resource.clone();
            for (name, value) in fields(&old).as_object().into_iter().flatten() {
                whole[name] = value.clone();
            }
            let event = resource::event(state, calendar, id, &whole, Some(&old))?;
            events::put(state, calendar, event);
            Ok(())
        })
    }

    fn act<T>(
        &self,
        calendar: &str,
        work: impl FnOnce(&mut State, &Calendar) -> Result<T, Refusal>,
    ) -> Result<T, String> {
        let mut state = lock(&self.state);
        let calendar = state.calendar(calendar).map_err(told)?;
        let done = work(&mut state, &calendar).map_err(told);
        drop(state);
        flush(&self.state);
        done
    }
}

fn added(
    state: &mut State,
    calendar: &Calendar,
    id: &str,
    start: i64,
    minutes: i64,
    title: &str,
) -> Result<Event, Refusal> {
    let fields = json!({
        "summary": title, "start": { "dateTime": utc(start) },
        "end": { "dateTime": utc(start + minutes * MINUTE_MICROS) },
    });
    resource::event(state, calendar, id, &fields, None)
}
