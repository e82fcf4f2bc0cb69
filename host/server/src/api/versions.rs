//! The page about versions of the interface: what changes within one, and how long one lives.

use std::fmt::Write as _;

use axum::response::Response;
use berth_model::tenants::version::{ApiVersion, LIVES_MONTHS};

use crate::http::html;

const HEAD: &str = "<h1>Versions of the interface</h1>
<p>A version is the day on which it began. Each key is pinned to the version that was the latest when it was made; answers to it keep the shape
of that version. A request may name another with the header <code>Berth-Version</code>, and <code>PATCH /api/sdk/auth/{id}</code> moves the
pin. Each answer to a key says in <code>Berth-Version</code> which version it is in. One that does not exist is refused with
<code>BERTH-E0548</code> and the list.</p>
<h2>What may change within a version</h2>
<p>New paths, parameters that may be left out, members of answers, kinds of events, error codes, values of lists that are said to grow. Read
what you know and pass over what you do not. What is there keeps its name, its type and its meaning.</p>
<h2>How long a version lives</h2>
";

/// What each version brought, to whoever comes from the one before.
const fn brought(version: ApiVersion) -> &'static str {
    match version {
        ApiVersion::V20261120 => "The first. A key from before there were versions is on it.",
        ApiVersion::V20261130 => {
            "References end in <code>_id</code> and <code>_ids</code>: <code>listing</code> is <code>listing_id</code>, <code>members</code> \
             is <code>member_ids</code>. The connection of a listing is <code>connection_id</code> (was <code>booking_provider_id</code>), the \
             default one of a tenant <code>default_connection_id</code> (was <code>default_provider_id</code>); a booking shows the \
             <code>provider</code> by its name and its <code>connection_id</code>. Slots are written with the offset of the \
             <code>time_zone</code> that was asked for (were UTC). Requests may use the names of any version."
        }
    }
}

/// All versions, the latest first.
pub(crate) async fn page() -> Response {
    let mut html = HEAD.to_owned();
    // Writing into a string cannot fail.
    let _ = writeln!(
        html,
        "<p>{LIVES_MONTHS} months from the day on which a newer one began. From that day its answers say so: <code>Deprecation</code> \
         (RFC 9745) since when, <code>Sunset</code> (RFC 8594) until when, and <code>Link</code> to this page.</p>\n<h2>All of them</h2>\n<dl>"
    );
    for version in ApiVersion::ALL.into_iter().rev() {
        let until = version.ends_at().map_or_else(
            || "the latest".to_owned(),
            |until| format!("answered until {}", until.format("%Y-%m-%d")),
        );
        let _ = writeln!(
            html,
            "<dt id=\"{version}\"><code>{version}</code> · {until}</dt>\n<dd>{}</dd>",
            brought(version)
        );
    }
    html.push_str("</dl>\n<p>The whole interface: <a href=\"/docs/\">/docs</a>.</p>\n");
    html::page("versions", &html)
}
