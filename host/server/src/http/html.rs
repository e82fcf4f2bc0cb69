//! Pages of the documentation: plain HTML, without scripts, light and dark.

use axum::{
    http::header,
    response::{IntoResponse, Response},
};

const STYLE: &str = "body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #1a1a1a; background: #fff }
dt { margin-top: 1.25rem; font-weight: 600 }
dd { margin: 0 }
code { white-space: nowrap }
:target { background: #fff3bf }
@media (prefers-color-scheme: dark) { body { color: #e8e8e8; background: #16181d } a { color: #8ab4f8 } :target { background: #4d4413 } }";

/// A page with this title, of this body.
pub(crate) fn page(title: &str, body: &str) -> Response {
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>Berth: {title}</title>\n<style>\n{STYLE}\n</style>\n{body}</html>\n"
    );
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response()
}
