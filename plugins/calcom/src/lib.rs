//! berth-plugin-calcom
