//! Failing on demand.

use berth_sdk::{
    Result, state,
    types::{Conflict, ProviderError},
};

use crate::{Reference, settings::Failure};

/// What `rate_limited` and `unavailable` ask for, in milliseconds: short, so that tests may honour it.
const RETRY_AFTER_MS: u64 = 50;

impl Reference {
    /// Do an operation, or fail as the settings want it.
    pub(crate) fn run<T>(&self, operation: &str, act: impl FnOnce() -> Result<T>) -> Result<T> {
        match self.due(operation)? {
            None => act(),
            Some(Failure::UnavailableAfter) => {
                act()?;
                Err(ProviderError::Unavailable(Some(RETRY_AFTER_MS)))
            }
            Some(failure) => Err(error(failure)),
        }
    }

    /// The failure that is due. Counts it where only so many are wanted; the count outlives the failing call.
    fn due(&self, operation: &str) -> Result<Option<Failure>> {
        let Some(failure) = self.settings.failures.get(&format!("fail_{operation}")) else { return Ok(None) };
        if self.settings.fail_times > 0 {
            let key = format!("failed/{operation}");
            let failed: u32 = state::get_json(&key)?.unwrap_or(0);
            if failed >= self.settings.fail_times {
                return Ok(None);
            }
            state::set_json(&key, &(failed + 1))?;
        }
        Ok(Some(*failure))
    }
}

#[expect(clippy::panic, reason = "a trap is what was asked for")]
fn error(failure: Failure) -> ProviderError {
    match failure {
        Failure::Unauthorised => ProviderError::Unauthorised,
        Failure::Forbidden => ProviderError::Forbidden("the key lacks the permission to do this".to_owned()),
        Failure::NotFound => ProviderError::NotFound,
        Failure::SlotTaken => ProviderError::slot_taken(),
        Failure::WrongState => ProviderError::wrong_state("the booking does not allow this"),
        Failure::Changed => ProviderError::Conflict(Conflict::Changed),
        Failure::RateLimited => ProviderError::RateLimited(Some(RETRY_AFTER_MS)),
        Failure::Invalid => ProviderError::invalid("attendee.email", "is refused by the settings"),
        Failure::Unsupported => {
            ProviderError::Unsupported(Some("https://reference.example/by-hand".to_owned()))
        }
        Failure::CursorExpired => ProviderError::CursorExpired,
        Failure::Unavailable | Failure::UnavailableAfter => ProviderError::Unavailable(Some(RETRY_AFTER_MS)),
        Failure::Vendor => ProviderError::vendor(418, "teapot", "refused for a reason of its own"),
        Failure::Trap => panic!("the settings asked for a trap"),
    }
}
