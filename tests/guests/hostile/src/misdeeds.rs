//! Misdeeds that need no network.

use std::hint::black_box;

use berth_sdk::{credentials, log, settings, state};
use serde_json::{Value, json};

use crate::{Found, Hostile};

/// Commit the misdeed of this name, if it is one of these.
pub(crate) fn commit(guest: &Hostile, mode: &str) -> Option<Found> {
    Some(Ok(match mode {
        "endless_loop" => endless_loop(),
        "memory_bomb" => memory_bomb(),
        "deep_recursion" => json!(recurse(1)),
        "panic" => panic!("a guest panicked on purpose"),
        "log_flood" => {
            (0..guest.count).for_each(|n| log::info(&format!("line {n} of a flood")));
            json!({ "lines": guest.count })
        }
        "huge_log_line" => {
            log::info(&"x".repeat(usize::try_from(guest.count).unwrap_or(usize::MAX)));
            json!({ "bytes": guest.count })
        }
        "stdout_flood" => {
            (0..guest.count).for_each(|n| println!("line {n} of a flood \u{1b}[2J"));
            json!({ "lines": guest.count })
        }
        "host_call_flood" => {
            (0..guest.count).for_each(|_| drop(black_box(settings::get::<Value>())));
            json!({ "calls": guest.count })
        }
        "state_flood" => state_flood(guest.count),
        "huge_state_value" => {
            let value = vec![0; usize::try_from(guest.count).unwrap_or(usize::MAX)];
            json!({ "refused": state::set("huge", &value).err().map(|e| format!("{e:?}")) })
        }
        "exit" => std::process::exit(0),
        "environment" => environment(),
        "credentials" => credentials_seen(),
        _ => return None,
    }))
}

fn endless_loop() -> ! {
    let mut n = 0_u64;
    loop {
        n = black_box(n.wrapping_add(1));
    }
}

fn memory_bomb() -> ! {
    let mut blocks = Vec::new();
    loop {
        blocks.push(black_box(vec![1_u8; 1024 * 1024]));
    }
}

#[expect(unconditional_recursion, reason = "that is the misdeed")]
fn recurse(n: u64) -> u64 {
    let frame = black_box([n; 64]);
    recurse(frame[0] + 1) + black_box(frame[1])
}

fn state_flood(count: u64) -> Value {
    for n in 0..count {
        if let Err(error) = state::set(&format!("flood/{n}"), b"x") {
            return json!({ "written": n, "refused": format!("{error:?}") });
        }
    }
    json!({ "written": count, "refused": null })
}

fn environment() -> Value {
    let variables: Vec<_> = std::env::vars().map(|(name, _)| name).collect();
    let arguments: Vec<_> = std::env::args().collect();
    let files =
        std::fs::read_dir("/").map_or_else(|e| e.to_string(), |dir| format!("{} entries", dir.count()));
    json!({ "variables": variables, "arguments": arguments, "files": files })
}

/// Everything that the credentials interface gives away.
pub(crate) fn credentials_seen() -> Value {
    let algorithm = credentials::MacAlgorithm::HmacSha256;
    let sign = |name: &str| format!("{:?}", credentials::sign(name, algorithm, b"message"));
    json!({
        "has_api_key": credentials::has("api-key"),
        "has_unknown": credentials::has("unknown"),
        "sign_api_key": sign("api-key"),
        "sign_signing_key": sign("signing-key"),
        "sign_unknown": sign("unknown"),
    })
}
