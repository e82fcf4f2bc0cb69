//! The page that problem documents point to: every stable code, what it means and what to do.

use std::fmt::Write as _;

use axum::{http::header, response::IntoResponse};
use berth_model::problem::Code;

/// Where the page is.
pub(crate) const PATH: &str = "/docs/errors";

const HEAD: &str = "<!doctype html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width\">
<title>Berth: error codes</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #1a1a1a; background: #fff }
dt { margin-top: 1.25rem; font-weight: 600 }
dd { margin: 0 }
code { white-space: nowrap }
:target { background: #fff3bf }
@media (prefers-color-scheme: dark) { body { color: #e8e8e8; background: #16181d } a { color: #8ab4f8 } :target { background: #4d4413 } }
</style>
<h1>Error codes</h1>
<p>A refusal is a problem document (RFC 9457). Its <code>code</code> never changes its meaning; its <code>hint</code> says what to do,
often better than here. The whole API: <a href=\"/docs/\">/docs</a>.</p>
<dl>
";

/// All codes.
pub(crate) async fn page() -> impl IntoResponse {
    let mut html = HEAD.to_owned();
    for code in Code::ALL {
        let (name, status) = (code.as_str(), code.status());
        let (title, hint) = (escaped(code.title()), escaped(code.hint()));
        // Writing into a string cannot fail.
        let _ = writeln!(
            html,
            "<dt id=\"{name}\"><code>{name}</code> · {status} · {title}</dt>\n<dd>{hint}</dd>"
        );
    }
    html.push_str("</dl>\n</html>\n");
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], html)
}

/// Text as HTML shows it.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
