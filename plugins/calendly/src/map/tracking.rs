//! How bookings that Berth made are told from others.

/// What the tracking field `utm_source` says of bookings that Berth made; `utm_content` is the reference.
pub(super) const SOURCE: &str = "berth";
