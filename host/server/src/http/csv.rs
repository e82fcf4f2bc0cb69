//! Tables as text (RFC 4180), written page after page while they are read, so that an export is as small in memory as a page.

use std::{future::Future, io};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use berth_model::{limits, problem::Problem};
use bytes::Bytes;
use futures_util::stream;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{contacts::Reader, problem::wrong};

/// How a list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Format {
    /// A page, as JSON.
    Json,
    /// All of it, as CSV.
    Csv,
}

impl Format {
    /// What the parameter says, or else what is accepted first.
    pub(crate) fn wanted(said: Option<Self>, headers: &HeaderMap) -> Self {
        let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let first = accepted.split([',', ';']).next().unwrap_or_default().trim();
        said.unwrap_or(if first.eq_ignore_ascii_case("text/csv") { Self::Csv } else { Self::Json })
    }
}

/// A cell that a spreadsheet shows and does not calculate: what others wrote may begin like a formula, so it begins with an apostrophe then.
pub(crate) fn harmless(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) { format!("'{cell}") } else { cell }
}

/// A file has all rows: parameters that part them do not go with it.
pub(crate) fn alone(given: &[(&str, bool)], rows: &str) -> Result<(), Problem> {
    match given.iter().find(|(_, is_given)| *is_given) {
        Some((name, _)) => {
            Err(wrong(name, format!("does not go with CSV, which has all {rows} in one file")))
        }
        None => Ok(()),
    }
}

/// A file: what it is called, and its columns with where each is in what is shown of a row.
#[derive(Clone, Copy)]
pub(crate) struct File {
    pub(crate) name: &'static str,
    pub(crate) columns: &'static [(&'static str, &'static str)],
}

/// How far an export is.
enum Left<S> {
    All(S),
    Rows(S),
    Nothing,
}

/// The answer, which goes on being read while it is sent: `read` gives what is on the next page, and where the one after it begins. What goes
/// wrong on the way ends it before its end, so that nobody takes a part for the whole.
pub(crate) fn answer<S, V, F>(
    file: File,
    begin: S,
    read: impl Fn(S) -> F + Clone + Send + 'static,
) -> Response
where
    S: Send + 'static,
    V: Serialize + Send,
    F: Future<Output = io::Result<(Vec<V>, Option<S>)>> + Send + 'static,
{
    let File { name, columns } = file;
    // Rows are written when the request is answered already.
    let reader = Reader::now();
    let body = stream::try_unfold((Left::All(begin), 0_usize), move |(left, rows)| {
        let (read, reader) = (read.clone(), reader.clone());
        async move {
            let at = match left {
                Left::Nothing => return Ok(None),
                Left::All(at) => {
                    let heading = line(columns.iter().map(|(name, _)| (*name).to_owned()))?;
                    return Ok(Some((heading, (Left::Rows(at), rows))));
                }
                Left::Rows(at) => at,
            };
            let (page, next) = read(at).await?;
            let rows = rows.saturating_add(page.len());
            let most = usize::try_from(limits::EXPORT_ROWS_MAX).unwrap_or(usize::MAX);
            if rows > most {
                return Err(io::Error::other(format!("more than {most} rows: narrow what is exported")));
            }
            let mut lines = Vec::new();
            for row in page {
                lines.extend_from_slice(&reader.is_written(|| line_of(columns, &row))?);
            }
            Ok::<_, io::Error>(Some((Bytes::from(lines), (next.map_or(Left::Nothing, Left::Rows), rows))))
        }
    });
    let mut response = Response::new(Body::from_stream(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8; header=present"));
    if let Ok(name) = HeaderValue::try_from(format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    response
}

fn line_of(columns: &[(&str, &str)], row: &impl Serialize) -> io::Result<Bytes> {
    let row = serde_json::to_value(row)?;
    line(columns.iter().map(|(_, at)| harmless(cell(row.pointer(at)))))
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
    fn a_format_is_what_is_said_or_accepted_first() {
        let wanted = |said, accepted: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_static(accepted));
            Format::wanted(said, &headers)
        };
        assert_eq!(wanted(None, "text/csv"), Format::Csv);
        assert_eq!(wanted(None, "Text/CSV;q=1, */*"), Format::Csv);
        assert_eq!(wanted(None, "application/json, text/csv"), Format::Json);
        assert_eq!(wanted(Some(Format::Json), "text/csv"), Format::Json);
        assert_eq!(wanted(Some(Format::Csv), "*/*"), Format::Csv);
        assert_eq!(Format::wanted(None, &HeaderMap::new()), Format::Json);
    }

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
