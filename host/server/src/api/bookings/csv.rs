//! Bookings as CSV (RFC 4180): all that a list has, page after page while they are read, so that an export is as small in memory as a page.

use std::io;

use axum::{
    body::Body,
    http::{HeaderValue, header},
    response::Response,
};
use berth_engine::Caller;
use berth_model::limits;
use berth_store::records::BookingFilter;
use bytes::Bytes;
use futures_util::stream;
use serde_json::Value;

use super::view::{BookingView, views};
use crate::http::{app::App, contacts::Reader, csv::harmless};

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
];

/// How far an export is.
struct Export {
    app: App,
    caller: Caller,
    filter: BookingFilter,
    /// Who reads it: rows are written when the request is answered already.
    reader: Reader,
    rows: u32,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Header,
    Rows,
    End,
}

/// The answer, which goes on being read while it is sent. What goes wrong on the way ends it before its end, so that nobody takes a part for
/// the whole.
pub(super) fn answer(app: App, caller: Caller, filter: BookingFilter) -> Response {
    let export = Export { app, caller, filter, reader: Reader::now(), rows: 0, state: State::Header };
    let body = stream::try_unfold(export, |mut export| async move {
        let part = export.next().await?;
        Ok::<_, io::Error>(part.map(|part| (part, export)))
    });
    let mut response = Response::new(Body::from_stream(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8; header=present"));
    let file = HeaderValue::from_static("attachment; filename=\"bookings.csv\"");
    headers.insert(header::CONTENT_DISPOSITION, file);
    response
}

impl Export {
    /// The next part; none after the last.
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        match self.state {
            State::Header => {
                self.state = State::Rows;
                line(COLUMNS.iter().map(|(name, _)| (*name).to_owned())).map(Some)
            }
            State::Rows => self.page().await.map(Some),
            State::End => Ok(None),
        }
    }

    async fn page(&mut self) -> io::Result<Bytes> {
        let most = limits::EXPORT_ROWS_AT_ONCE;
        let bookings = &self.app.engine().bookings;
        let page = bookings.list_bookings(&self.caller, self.filter.clone(), most).await;
        let page = page.map_err(io::Error::other)?;
        let read = u32::try_from(page.len()).unwrap_or(u32::MAX);
        self.rows = self.rows.saturating_add(read);
        if self.rows > limits::EXPORT_ROWS_MAX {
            let most = limits::EXPORT_ROWS_MAX;
            return Err(io::Error::other(format!(
                "more than {most} bookings: export them by stretches of time"
            )));
        }
        let order = self.filter.order;
        self.filter.after = page.last().map(|booking| (order.time_of(booking), booking.id));
        if read < most {
            self.state = State::End;
        }
        let mut lines = Vec::new();
        for view in views(&self.app, &self.caller, page).await {
            lines.extend_from_slice(&self.reader.is_written(|| line_of(&view))?);
        }
        Ok(lines.into())
    }
}

fn line_of(view: &BookingView) -> io::Result<Bytes> {
    let view = serde_json::to_value(view)?;
    line(COLUMNS.iter().map(|(_, at)| harmless(cell(view.pointer(at)))))
}

fn line(cells: impl Iterator<Item = String>) -> io::Result<Bytes> {
    let mut writer = ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(cells).map_err(io::Error::other)?;
    writer.into_inner().map(Bytes::from).map_err(|error| io::Error::other(error.to_string()))
}

/// A value as a cell: nothing is an empty one, several texts stand behind each other, and what has names of its own stays JSON.
fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Object(fields)) if fields.is_empty() => String::new(),
        Some(Value::Array(items)) if items.iter().all(Value::is_string) => {
            items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("; ")
        }
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn cells_are_harmless() {
        for (value, shown) in [
            (json!("=1+1"), "'=1+1"),
            (json!("+48600100200"), "'+48600100200"),
            (json!("-1"), "'-1"),
            (json!("@SUM(A1)"), "'@SUM(A1)"),
            (json!("\tx"), "'\tx"),
            (json!(-3), "'-3"),
            (json!(["=a@b.c", "d@e.f"]), "'=a@b.c; d@e.f"),
            (json!("Ada = +"), "Ada = +"),
            (json!(null), ""),
            (json!({}), ""),
            (json!([]), ""),
            (json!({ "a": "=1" }), r#"{"a":"=1"}"#),
        ] {
            assert_eq!(harmless(cell(Some(&value))), shown, "{value}");
        }
    }

    #[test]
    fn lines_are_those_of_the_rfc() {
        let text = |cells: &[&str]| {
            String::from_utf8(line(cells.iter().map(|c| (*c).to_owned())).unwrap().to_vec()).unwrap()
        };
        assert_eq!(text(&["a", "b, \"c\"\nd", ""]), "a,\"b, \"\"c\"\"\nd\",\r\n");
    }
}
