//! Log lines of bounded length, whatever is said: a line that is too long for a terminal or a collector hides the others. And lines
//! that cannot be written are lost and counted: a full disk under the log must not become a panic of whoever had something to say.

use std::io::{self, Write};

use berth_model::limits::LOG_LINE_BYTES_MAX;
use serde_json::{Map, Value, json};

/// What stands where something was cut off.
const CUT: &str = " … (cut)";
/// Lengths to which the texts of a JSON line are cut, in bytes, one after the other until the line fits.
const TEXT_BYTES: [usize; 4] = [1_024, 256, 64, 16];

/// Writes whole lines, each cut if it is too long. Every write is one event, which is how `tracing_subscriber::fmt` writes.
pub(crate) struct Lines<W> {
    pub(crate) to: W,
    /// One JSON object per line, which must stay one.
    pub(crate) json: bool,
}

impl<W: Write> Lines<W> {
    fn write_line(&mut self, event: &[u8]) -> io::Result<()> {
        if event.len() <= LOG_LINE_BYTES_MAX {
            return self.to.write_all(event);
        }
        let text = String::from_utf8_lossy(event);
        let line = if self.json { cut_object(&text) } else { cut(&text, LOG_LINE_BYTES_MAX) };
        self.to.write_all(line.as_bytes())?;
        self.to.write_all(b"\n")
    }
}

/// Never fails: `tracing_subscriber` would complain to standard error, which is where it could not write, and panic of that.
impl<W: Write> Write for Lines<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        if self.write_line(event).is_err() {
            metrics::counter!("berth_log_lines_lost_total").increment(1);
        }
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        // What is buffered is tried again with the next line.
        let _ = self.to.flush();
        Ok(())
    }
}

/// At most so many bytes of a text, the mark and the end of a line included.
fn cut(text: &str, bytes_max: usize) -> String {
    if text.len() <= bytes_max {
        return text.to_owned();
    }
    let most = bytes_max.saturating_sub(CUT.len() + 1);
    format!("{}{CUT}", text.get(..text.floor_char_boundary(most)).unwrap_or_default())
}

/// A JSON object with shorter texts, so that it fits on a line.
fn cut_object(text: &str) -> String {
    let Ok(object) = serde_json::from_str::<Value>(text) else {
        return json!({ "level": "WARN", "message": cut(text, TEXT_BYTES[0]) }).to_string();
    };
    for most in TEXT_BYTES {
        let mut shorter = object.clone();
        shorten(&mut shorter, most);
        let line = shorter.to_string();
        if line.len() < LOG_LINE_BYTES_MAX {
            return line;
        }
    }
    // More fields than fit: what, when and how bad it is.
    let mut least = Map::from_iter([("cut".to_owned(), Value::Bool(true))]);
    for name in ["timestamp", "level", "target", "message"] {
        if let Some(value) = object.get(name) {
            let mut value = value.clone();
            shorten(&mut value, TEXT_BYTES[1]);
            least.insert(name.to_owned(), value);
        }
    }
    Value::Object(least).to_string()
}

fn shorten(value: &mut Value, bytes_max: usize) {
    match value {
        Value::String(text) => *text = cut(text, bytes_max),
        Value::Array(items) => items.iter_mut().for_each(|item| shorten(item, bytes_max)),
        Value::Object(members) => members.values_mut().for_each(|member| shorten(member, bytes_max)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(event: &str, json: bool) -> String {
        let mut lines = Lines { to: Vec::new(), json };
        lines.write_all(event.as_bytes()).unwrap();
        let text = String::from_utf8(lines.to).unwrap();
        assert!(text.len() <= LOG_LINE_BYTES_MAX, "{} bytes", text.len());
        assert!(text.ends_with('\n') && text.lines().count() == 1, "{text}");
        text
    }

    #[test]
    fn a_long_line_is_cut_with_a_mark() {
        assert_eq!(written("short\n", false), "short\n");
        let long = written(&format!("{}\n", "ż".repeat(100_000)), false);
        assert!(long.trim_end().ends_with(CUT));
    }

    /// A log on a full disk.
    struct Full;

    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::StorageFull.into())
        }
    }

    #[test]
    fn a_line_that_cannot_be_written_is_lost_and_nothing_else() {
        for event in ["short\n".to_owned(), "long".repeat(LOG_LINE_BYTES_MAX)] {
            let mut lines = Lines { to: Full, json: false };
            lines.write_all(event.as_bytes()).unwrap();
            lines.flush().unwrap();
        }
    }

    #[test]
    fn a_long_object_stays_an_object() {
        for (count, length) in [(1, 100_000), (3, 3_000), (30, 1_000), (500, 100), (4, 5_000)] {
            let fields: serde_json::Map<String, Value> =
                (0..count).map(|n| (format!("f{n}"), Value::from("\u{1b}".repeat(length)))).collect();
            let event = json!({ "level": "WARN", "message": "m", "fields": fields });
            let object: Value = serde_json::from_str(&written(&format!("{event}\n"), true)).unwrap();
            assert_eq!((&object["level"], &object["message"]), (&json!("WARN"), &json!("m")));
        }
    }
}
