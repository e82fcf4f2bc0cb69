//! `provider-error`. An error is never refused for what its texts hold: it would hide the error itself.

use berth_model::{limits, outbound::provider as model, text};

use super::check::web_address;
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
                .map(|p| model::ExternalFieldProblem { field: line(&p.field), message: short(&p.message) })
                .collect(),
        ),
        From::Unsupported(url) => To::Unsupported { url: url.and_then(web_address) },
        From::CursorExpired => To::CursorExpired,
        From::Unavailable(retry_after_ms) => To::Unavailable { retry_after_ms },
        From::Vendor(vendor) => {
            To::Vendor { status: vendor.status, code: line(&vendor.code), message: short(&vendor.message) }
        }
    }
}

/// A text for people, cut to a length that fits an error.
fn short(text: &str) -> String {
    text::clean(text, limits::REPLY_ERROR_CHARS_MAX)
}

/// The same on one line: what stands in the middle of a sentence.
fn line(text: &str) -> String {
    text::clean_line(text, limits::REPLY_ERROR_CHARS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_and_cleaned() {
        let long = format!("\u{7}\u{202e}{}", "é".repeat(limits::REPLY_ERROR_CHARS_MAX));
        let model::ProviderError::Forbidden(why) = provider_error(wit::ProviderError::Forbidden(long)) else {
            panic!("another case")
        };
        assert!(why.starts_with("\u{fffd}\u{fffd}é"));
        assert_eq!(why.chars().count(), limits::REPLY_ERROR_CHARS_MAX);
    }

    #[test]
    fn a_person_is_sent_to_pages_only() {
        let sent = |url: &str| provider_error(wit::ProviderError::Unsupported(Some(url.to_owned())));
        let page = "https://example.com/bookings/7";
        assert_eq!(sent(page), model::ProviderError::Unsupported { url: Some(page.to_owned()) });
        for bad in ["javascript:alert(1)", "data:text/html,x", "https://u:p@example.com", "call them", ""] {
            assert_eq!(sent(bad), model::ProviderError::Unsupported { url: None }, "{bad}");
        }
    }
}
