//! Bookings as CSV: all that a list has.

use std::io;

use axum::response::Response;
use berth_engine::Caller;
use berth_model::{bookings::lists::Origin, limits};
use berth_store::records::BookingFilter;

use super::external::listed;
use crate::http::{
    app::App,
    csv::{self, File},
};

/// The columns, and where each is in the view.
const COLUMNS: &[(&str, &str)] = &[
    ("id", "/id"),
    ("status", "/status"),
    ("start", "/start"),
    ("end", "/end"),
    ("attendee_name", "/attendee/name"),
    ("attendee_email", "/attendee/email"),
    ("attendee_phone", "/attendee/phone"),
    ("attendee_time_zone", "/attendee/time_zone"),
    ("attendee_language", "/attendee/language"),
    ("customer_id", "/customer_id"),
    ("guests", "/guests"),
    ("answers", "/answers"),
    ("notes", "/notes"),
    ("reason", "/reason"),
    ("listing_id", "/listing_id"),
    ("event_type_id", "/event_type_id"),
    ("member_id", "/member_id"),
    ("other_member_ids", "/other_member_ids"),
    ("series_id", "/series_id"),
    ("provider", "/provider"),
    ("connection_id", "/connection_id"),
    ("external_id", "/external_id"),
    ("sequence", "/sequence"),
    ("rescheduled_at", "/rescheduled_at"),
    ("created_at", "/created_at"),
    ("updated_at", "/updated_at"),
    ("origin", "/origin"),
    ("title", "/title"),
];

/// All of these, as a file.
pub(super) fn answer(app: App, caller: Caller, origin: Origin, filter: BookingFilter) -> Response {
    let read = move |mut filter: BookingFilter| {
        let (app, caller) = (app.clone(), caller.clone());
        async move {
            let most = limits::EXPORT_ROWS_AT_ONCE;
            let page = app.engine().mirror.list_of(&caller, origin, &filter, most).await;
            let page = page.map_err(io::Error::other)?;
            filter.after = page.last().map(|row| row.place(&filter));
            let is_last = u32::try_from(page.len()).is_ok_and(|read| read < most);
            Ok((listed(&app, &caller, page).await, (!is_last).then_some(filter)))
        }
    };
    csv::answer(File { name: "bookings.csv", columns: COLUMNS }, filter, read)
}
