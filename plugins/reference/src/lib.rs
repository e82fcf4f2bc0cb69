//! berth-plugin-reference
