//! From Graph's JSON to the contract's types and back. Pure: no request, no clock.

mod account;
mod busy;
mod calendar;
mod create;
mod event;
mod failure;
mod marks;
mod notification;
mod reading;
mod time;
mod update;

pub(crate) use self::{
    account::account,
    busy::{of_events as busy_events, of_schedules as busy_schedules},
    calendar::{DEFAULT_CALENDAR, event_type},
    create::create_body,
    event::{Change, booking, change, created_at, gone, has_attendees_to_tell, listed, series, with_series},
    failure::{delta_failure, failure},
    marks::REFERENCE,
    notification::{News, news, subscription},
    reading::{Reading, zone},
    time::time_of,
    update::update_body,
};
