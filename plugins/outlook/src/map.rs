//! From Graph's JSON to the contract's types and back. Pure: no request, no clock.

mod account;
mod busy;
mod calendar;
mod create;
mod event;
mod failure;
mod notification;
mod reading;
mod time;

use berth_sdk::json::read;

pub(crate) use self::{
    account::account,
    busy::{of_events as busy_events, of_schedules as busy_schedules},
    calendar::event_type,
    create::create_body,
    event::{Change, booking, change, created_at, gone, has_attendees_to_tell, listed, series, with_series},
    failure::{delta_failure, failure},
    notification::{News, news, subscription},
    reading::{Reading, zone},
    time::time_of,
};

/// Name of the account's own calendar, whatever its id is.
pub(crate) const DEFAULT_CALENDAR: &str = "default";
/// How the `transactionId` of every event of ours begins. Other apps give some as well, Outlook on the web to what people enter.
pub(crate) const TRANSACTION: &str = "berth-";
/// Extended property of an event that holds Berth's reference.
pub(crate) const REFERENCE: &str = "String {7c2f3c8e-54a1-4c1b-9d0e-6a8f2b1d3e95} Name berth_reference";
