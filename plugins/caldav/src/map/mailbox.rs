//! Addresses of people.

/// The mailbox of an address that is one.
pub(super) fn mailbox(address: &str) -> Option<&str> {
    let (scheme, mailbox) = address.split_at_checked("mailto:".len())?;
    (scheme.eq_ignore_ascii_case("mailto:") && !mailbox.is_empty()).then_some(mailbox)
}
