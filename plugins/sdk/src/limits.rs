//! Limits of the SDK, each within what Berth allows a call.

/// Largest request body, in bytes: what Berth's gate takes.
pub const BODY_OUT_BYTES_MAX: usize = 1024 * 1024;
/// Largest response body, in bytes: what Berth's gate passes.
pub const BODY_IN_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Requests that one call pages through; below the 20 that a call may make, so that others fit beside them.
pub const PAGES_MAX: usize = 15;
/// Longest time to connect, in milliseconds.
pub const CONNECT_MS_MAX: u64 = 3_000;
/// Longest time to the first byte of the answer, in milliseconds.
pub const FIRST_BYTE_MS_MAX: u64 = 10_000;
/// Longest time between two pieces of the answer, in milliseconds.
pub const BETWEEN_BYTES_MS_MAX: u64 = 5_000;
/// Longest message of the provider that goes into an error, in characters: enough for a sentence or three.
pub const MESSAGE_CHARS_MAX: usize = 500;
/// Longest wait that a provider may ask for, in milliseconds: beyond a day it is a mistake in the header.
pub const RETRY_AFTER_MS_MAX: u64 = 24 * 60 * 60 * 1_000;
