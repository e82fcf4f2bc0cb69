//! What a component can do: one file per capability. Nothing else is linked.

pub(crate) mod clock;
pub(crate) mod credentials;
pub(crate) mod log;
pub(crate) mod recurrence;
pub(crate) mod settings;
pub(crate) mod state;
pub(crate) mod stdio;
pub(crate) mod zones;
