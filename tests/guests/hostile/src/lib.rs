//! berth-guest-hostile
