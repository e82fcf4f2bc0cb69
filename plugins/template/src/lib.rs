//! berth-plugin-template
