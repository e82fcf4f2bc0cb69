//! The conformance suite against our own components, and against one that is wrong on purpose.

#[path = "conformance/booksy.rs"]
mod booksy;
#[path = "conformance/first_party.rs"]
mod first_party;
#[path = "conformance/javascript.rs"]
mod javascript;
#[path = "conformance/world.rs"]
mod world;
#[path = "conformance/wrong.rs"]
mod wrong;
