//! berth-simulators
