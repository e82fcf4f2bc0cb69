//! Limits on consents and what else keeps people's data theirs.

/// How long a consent holds if nobody says otherwise, in months: two years, after which a business asks again.
pub const CONSENT_MONTHS_DEFAULT: u32 = 24;
/// How long a consent may hold at most, in months: ten years; what is asked for once and for ever is no consent.
pub const CONSENT_MONTHS_MAX: u32 = 120;
/// Longest text that people consent to, in characters: some pages.
pub const CONSENT_TEXT_CHARS_MAX: usize = 20_000;
/// Texts of one tenant, all languages and versions together: each purpose in five languages, changed forty times.
pub const CONSENT_TEXTS_MAX: i64 = 1_000;
/// Longest name of where a consent came from, in characters: "checkout, second page".
pub const CONSENT_SOURCE_CHARS_MAX: usize = 100;
/// Longest name of a program by which a consent was given, in characters: browsers' names have some hundred.
pub const USER_AGENT_CHARS_MAX: usize = 500;
