//! Components, their manifests, and what the conformance suite says of them.

pub mod conformance;
pub mod installation;
pub mod manifest;
pub mod plugin;
