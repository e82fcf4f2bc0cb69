//! Misdeeds with requests, handles, clocks, zones and random: they need the host itself.

#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn commit(_guest: &crate::Hostile, _mode: &str) -> Option<crate::Found> {
    None
}

#[cfg(target_arch = "wasm32")]
pub(crate) use component::commit;

#[cfg(target_arch = "wasm32")]
mod component {
    use berth_sdk::{
        bindings::connection::berth::provider::zones::{ZoneError, transitions},
        http::{Live, Method, Request, Response, SendError, Transport},
        recurrence::occurrences,
        time::DAY,
        types::{Interval, ProviderError},
        wasi,
    };
    use serde_json::{Value, json};

    use crate::{Found, Hostile, misdeeds};

    /// Commit the misdeed of this name, if it is one of these.
    pub(crate) fn commit(guest: &Hostile, mode: &str) -> Option<Found> {
        Some(Ok(match mode {
            "table_of_handles" => {
                let handles: Vec<_> = (0..guest.count).map(|_| wasi::http::types::Fields::new()).collect();
                json!({ "handles": handles.len() })
            }
            "random_bomb" => json!({ "bytes": wasi::random::random::get_random_bytes(guest.count).len() }),
            "sleep" => {
                wasi::clocks::monotonic_clock::subscribe_duration(guest.count * 1_000_000).block();
                json!({ "slept_ms": guest.count })
            }
            "zone_flood" => {
                let told = (0..guest.count).map(|_| transitions("Africa/Casablanca", years(25)));
                json!({ "told": told.filter(Result::is_ok).count() })
            }
            "rule_flood" => {
                let last = 200 * 365 * DAY;
                let told = (0..guest.count)
                    .map(|_| occurrences("FREQ=MINUTELY;COUNT=1000000000", 0, last, last + DAY));
                json!({ "told": told.filter(Result::is_ok).count() })
            }
            "zones" => {
                return Some(Err(ProviderError::vendor(409, "zones", zones_told(guest.count))));
            }
            "egress" => told(&Live.send(&request(guest, Method::Get, None))),
            "egress_body" => {
                let body = vec![b'x'; usize::try_from(guest.count).unwrap_or(usize::MAX)];
                told(&Live.send(&request(guest, Method::Post, Some(body))))
            }
            "egress_flood" => {
                let answers = (0..guest.count).map(|_| Live.send(&request(guest, Method::Get, None)));
                json!({ "answered": answers.filter(Result::is_ok).count() })
            }
            "echo_credentials" => json!({
                "answer": told(&Live.send(&request(guest, Method::Get, None))),
                "credentials": misdeeds::credentials_seen(),
            }),
            _ => return None,
        }))
    }

    /// So many years from 1970 on.
    const fn years(count: i64) -> Interval {
        Interval { start: 0, end: count * 365 * DAY }
    }

    /// What is answered to names and ranges that nobody should ask for: how many changes, or the refusal.
    fn zones_told(bytes: u64) -> String {
        let long = "Europe/Warsaw/".repeat(usize::try_from(bytes).unwrap_or(usize::MAX) / 14 + 1);
        let names =
            ["Europe/Warsaw", "", "../../etc/localtime", "/etc/passwd", "EST5EDT,0/0,J365/25", "\0", &long];
        let ever = Interval { start: i64::MIN, end: i64::MAX };
        let inverted = Interval { start: i64::MAX, end: i64::MIN };
        let text = |told: Result<Vec<_>, ZoneError>| match told {
            Ok(changes) => changes.len().to_string(),
            Err(error) => error.name().to_owned(),
        };
        let of_names = names.map(|name| text(transitions(name, Interval { start: 0, end: 0 })));
        let ranges = [years(25), years(26), ever, inverted];
        let of_ranges = ranges.map(|range| text(transitions("Africa/Casablanca", range)));
        [of_names.join(" "), of_ranges.join(" ")].join(" ")
    }

    fn request(guest: &Hostile, method: Method, body: Option<Vec<u8>>) -> Request {
        let headers = guest.headers.iter().map(|(n, v)| (n.clone(), v.clone())).collect();
        Request { method, url: guest.url.clone(), headers, body }
    }

    fn told(answer: &Result<Response, SendError>) -> Value {
        match answer {
            Ok(r) => json!({
                "status": r.status,
                "headers": r.headers,
                "body": String::from_utf8_lossy(&r.body),
            }),
            Err(SendError::Denied(why)) => json!({ "denied": why }),
            Err(SendError::Failed(why)) => json!({ "failed": why }),
            Err(SendError::TooLarge) => json!({ "failed": "too large" }),
        }
    }
}
