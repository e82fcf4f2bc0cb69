//! The page that problem documents point to: every stable code, what it means and what to do.

use std::fmt::Write as _;

use axum::response::Response;
use berth_model::problem::Code;

use crate::http::html;

/// Where the page is.
pub(crate) const PATH: &str = "/docs/errors";

const HEAD: &str = "<h1>Error codes</h1>
<p>A refusal is a problem document (RFC 9457). Its <code>code</code> never changes its meaning; its <code>hint</code> says what to do,
often better than here. The whole API: <a href=\"/docs/\">/docs</a>.</p>
<dl>
";

/// All codes.
pub(crate) async fn page() -> Response {
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
    html.push_str("</dl>\n");
    html::page("error codes", &html)
}

/// Text as HTML shows it.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
