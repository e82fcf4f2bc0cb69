//! `provider-error`. An error is never refused for what its texts hold: it would hide the error itself.

use berth_model::{limits, provider as model};

use super::check::prose;
use crate::contract::bindings::berth::provider::types as wit;

pub(crate) fn provider_error(of: wit::ProviderError) -> model::ProviderError {
    use model::ProviderError as To;
    use wit::ProviderError as From;
    match of {
        From::Unauthorised => To::Unauthorised,
        From::Forbidden(why) => To::Forbidden(short(&why)),
        From::NotFound => To::NotFound,
        From::Conflict(conflict) => To::Conflict(match conflict {
            wit::Conflict::SlotTaken => model::ProviderConflict::SlotTaken,
            wit::Conflict::WrongState(why) => model::ProviderConflict::WrongState(short(&why)),
            wit::Conflict::Changed => model::ProviderConflict::Changed,
        }),
        From::RateLimited(retry_after_ms) => To::RateLimited { retry_after_ms },
        From::Invalid(problems) => To::Invalid(
            problems
                .into_iter()
                .take(limits::REPLY_PARTS_MAX)
                .map(|p| model::ExternalFieldProblem { field: short(&p.field), message: short(&p.message) })
                .collect(),
        ),
        From::Unsupported(url) => To::Unsupported { url: url.as_deref().map(short) },
        From::CursorExpired => To::CursorExpired,
        From::Unavailable(retry_after_ms) => To::Unavailable { retry_after_ms },
        From::Vendor(vendor) => {
            To::Vendor { status: vendor.status, code: short(&vendor.code), message: short(&vendor.message) }
        }
    }
}

/// A text for people, cut to a length that fits an error.
fn short(text: &str) -> String {
    let cut = text.floor_char_boundary(limits::REPLY_ERROR_BYTES_MAX);
    prose(text.get(..cut).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_and_cleaned() {
        let long = format!("\u{7}{}", "é".repeat(limits::REPLY_ERROR_BYTES_MAX));
        let model::ProviderError::Forbidden(why) = provider_error(wit::ProviderError::Forbidden(long)) else {
            panic!("another case")
        };
        assert!(why.starts_with("\u{fffd}é"));
        assert!(why.len() <= limits::REPLY_ERROR_BYTES_MAX + 2);
    }
}
