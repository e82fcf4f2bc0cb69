//! Misdeeds with requests, handles, clocks and random: they need WASI itself.

#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn commit(_guest: &crate::Hostile, _mode: &str) -> Option<crate::Found> {
    None
}

#[cfg(target_arch = "wasm32")]
pub(crate) use component::commit;

#[cfg(target_arch = "wasm32")]
mod component {
    use berth_sdk::{
        http::{Live, Method, Request, Response, SendError, Transport},
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
        }
    }
}
