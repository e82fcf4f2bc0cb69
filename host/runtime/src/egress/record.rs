//! What is kept of each request: enough to understand it, nothing that could be personal or secret.

use std::sync::{Arc, Mutex, PoisonError};

use berth_model::{limits, outbound::provider::EgressRecord};

use super::failure::Failure;

/// Outcome of a request that has not ended. Stays if the call ends first.
const UNFINISHED: &str = "unfinished";

/// The records of one call. A handle: clones see the same records, and outlive the call and its store.
#[derive(Debug, Clone, Default)]
pub struct Records(Arc<Mutex<Vec<EgressRecord>>>);

/// A place among the records; none if the call has made too many.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry(Option<usize>);

impl Records {
    /// All records so far, in the order in which the requests began.
    #[must_use]
    pub fn snapshot(&self) -> Vec<EgressRecord> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Has the call made no request?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Was a request of the call held back by the gate, so that its provider did not see it?
    #[must_use]
    pub(crate) fn held_back(&self) -> bool {
        let records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        records.iter().any(|record| record.outcome == Failure::RateLimited.as_str())
    }

    /// The host of the last request that was refused because nobody granted it.
    #[must_use]
    pub(crate) fn not_granted(&self) -> Option<String> {
        let records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let refused = records.iter().rev().find(|r| r.outcome == Failure::HostNotGranted.as_str());
        refused.map(|record| record.host.clone())
    }

    /// A request begins.
    pub(super) fn begin(&self, method: &http::Method, uri: &http::Uri) -> Entry {
        let mut records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if records.len() >= limits::CALL_EGRESS_RECORDS_MAX {
            return Entry(None);
        }
        records.push(EgressRecord {
            method: shortened(method.as_str(), 16),
            host: shortened(&host(uri), 260),
            path: path_template(uri.path()),
            status: None,
            outcome: UNFINISHED.to_owned(),
            hint: None,
            elapsed_ms: 0,
            bytes_out: 0,
            bytes_in: 0,
        });
        Entry(Some(records.len() - 1))
    }

    /// The component set a header that is the host's; the request never came to be.
    pub(super) fn refused_header(&self, name: &http::HeaderName) {
        let mut records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if records.len() < limits::CALL_EGRESS_RECORDS_MAX {
            records.push(EgressRecord {
                method: String::new(),
                host: String::new(),
                path: String::new(),
                status: None,
                outcome: Failure::ForbiddenHeader.as_str().to_owned(),
                hint: Some(format!("the host sets {name}; the manifest says how a credential is attached")),
                elapsed_ms: 0,
                bytes_out: 0,
                bytes_in: 0,
            });
        }
    }

    /// It ended, or has come further. Answers the record as it is now; none if it is not kept, and then it is not logged
    /// either: a component must not be able to flood.
    pub(super) fn update(
        &self,
        entry: Entry,
        change: impl FnOnce(&mut EgressRecord),
    ) -> Option<EgressRecord> {
        let mut records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let record = records.get_mut(entry.0?)?;
        change(record);
        Some(record.clone())
    }
}

/// Host and port, without a user that somebody put before it.
fn host(uri: &http::Uri) -> String {
    let authority = uri.authority().map_or("", |a| a.as_str());
    authority.rsplit_once('@').map_or(authority, |(_, host)| host).to_ascii_lowercase()
}

fn shortened(text: &str, bytes_max: usize) -> String {
    text.chars().take(bytes_max).collect()
}

/// The path with everything that looks like an id, a date, a token or a mailbox replaced by `{}`. Kept are words, and
/// words that end in up to two digits (`v2`, `oauth2`).
#[must_use]
pub fn path_template(path: &str) -> String {
    let is_word = |segment: &str| {
        let letters = segment.trim_end_matches(|c: char| c.is_ascii_digit());
        let digits = segment.len() - letters.len();
        segment.len() <= 32
            && digits <= 2
            && (digits == 0 || (!letters.is_empty() && letters.bytes().all(|b| b.is_ascii_lowercase())))
            && letters.bytes().all(|b| b.is_ascii_alphabetic() || b"-_.".contains(&b))
            && !looks_random(letters)
    };
    let template: Vec<&str> =
        path.split('/').map(|s| if s.is_empty() || is_word(s) { s } else { "{}" }).collect();
    shortened(&template.join("/"), limits::EGRESS_RECORD_PATH_BYTES_MAX)
}

/// Long and without a separator, or switching case as tokens do: `AbCdEfGh`.
fn looks_random(letters: &str) -> bool {
    let switches = letters
        .as_bytes()
        .windows(2)
        .filter(|pair| matches!(pair, [a, b] if a.is_ascii_lowercase() && b.is_ascii_uppercase()))
        .count();
    switches > 2 || letters.split(['-', '_', '.']).any(|word| word.len() > 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lose_their_ids() {
        for (path, expected) in [
            ("/", "/"),
            ("/v2/event-types/31337/webhooks", "/v2/event-types/{}/webhooks"),
            ("/calendars/0192f0c1-7c3a-7d4e-8f00-112233445566/events", "/calendars/{}/events"),
            ("/bookings/bk_1", "/bookings/{}"),
            ("/contacts/ada@example.com", "/contacts/{}"),
            ("/contacts/ada%40example.com", "/contacts/{}"),
            ("/slots/2026-01-05", "/slots/{}"),
            ("/oauth2/token", "/oauth2/token"),
            ("/x/AbCdEfGhIjKl", "/x/{}"),
            ("/freeBusy", "/freeBusy"),
            ("/t/abcdefghijklmnopqrstuvwxyzabcd", "/t/{}"),
        ] {
            assert_eq!(path_template(path), expected, "{path}");
        }
        assert!(path_template(&"/abc".repeat(1_000)).len() <= limits::EGRESS_RECORD_PATH_BYTES_MAX);
    }

    #[test]
    fn records_are_bounded_and_shared() {
        let records = Records::default();
        let uri: http::Uri = "https://ada:pw@api.example.com/v1?key=1".parse().unwrap();
        let first = records.begin(&http::Method::GET, &uri);
        for _ in 0..limits::CALL_EGRESS_RECORDS_MAX {
            records.begin(&http::Method::GET, &uri);
        }
        records.clone().update(first, |r| r.outcome = "ok".to_owned());
        let seen = records.snapshot();
        assert_eq!((seen.len(), seen[0].outcome.as_str()), (limits::CALL_EGRESS_RECORDS_MAX, "ok"));
        assert_eq!((seen[1].outcome.as_str(), seen[1].host.as_str()), (UNFINISHED, "api.example.com"));
        let unkept = records.begin(&http::Method::GET, &uri);
        assert_eq!(records.update(unkept, |_| ()), None);
    }
}
