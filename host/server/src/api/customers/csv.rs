//! Customers as CSV: all that a list has.

use std::io;

use axum::response::Response;
use berth_engine::{Caller, CustomerQuery};
use berth_model::limits;

use super::View;
use crate::http::{
    app::App,
    csv::{self, File},
};

/// The columns, and where each is in the view.
const COLUMNS: &[(&str, &str)] = &[
    ("id", "/id"),
    ("name", "/name"),
    ("email", "/email"),
    ("phone", "/phone"),
    ("language", "/language"),
    ("notes", "/notes"),
    ("tags", "/tags"),
    ("blocked_reason", "/blocked/reason"),
    ("blocked_at", "/blocked/at"),
    ("created_at", "/created_at"),
    ("last_seen_at", "/last_seen_at"),
];

/// All of these, as a file.
pub(super) fn answer(app: App, caller: Caller, query: CustomerQuery) -> Response {
    let read = move |query: CustomerQuery| {
        let (app, caller) = (app.clone(), caller.clone());
        async move {
            let customers = &app.engine().customers;
            let page = customers.list_customers(&caller, query.clone(), limits::EXPORT_ROWS_AT_ONCE).await;
            let page = page.map_err(io::Error::other)?;
            let next = page.next.map(|after| CustomerQuery { after: Some(after), ..query });
            Ok((page.items.into_iter().map(View::from).collect(), next))
        }
    };
    csv::answer(File { name: "customers.csv", columns: COLUMNS }, query, read)
}
