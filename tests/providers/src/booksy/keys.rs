//! Idempotency keys: the same key with the same request within a day gets the first answer again.

use super::{
    refusal::Refusal,
    state::{Kept, State},
};
use crate::front::{Answer, Call};

/// How long a key is known.
const KEPT_MICROS: i64 = 24 * 3_600 * 1_000_000;
const KEY_BYTES_MAX: usize = 128;

/// Do this once for each key. What was refused made nothing, and is tried anew.
pub(super) fn once(
    state: &mut State,
    call: Call<'_>,
    act: impl FnOnce(&mut State) -> Result<Answer, Refusal>,
) -> Result<Answer, Refusal> {
    let Some(key) = call.header("idempotency-key").map(str::to_owned) else { return act(state) };
    if key.is_empty() || key.len() > KEY_BYTES_MAX {
        return Err(Refusal::of_field("Idempotency-Key", "must be 1 to 128 characters"));
    }
    let (now, request) = (state.now(), format!("{} {}", call.path, call.body));
    if let Some(kept) = state.keys.get(&key).filter(|kept| now < kept.at + KEPT_MICROS) {
        if kept.request != request {
            let message = "The key was used for another request.";
            return Err(Refusal::new(409, "idempotency_mismatch", message));
        }
        return Ok(kept.answer.clone().with("idempotency-replayed", "true".to_owned()));
    }
    let answer = act(state)?;
    state.keys.insert(key, Kept { request, answer: answer.clone(), at: now });
    Ok(answer)
}
