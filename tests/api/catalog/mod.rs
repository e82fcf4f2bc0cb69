//! What is offered, by whom.

mod event_types;
mod listings;
mod members;
mod standing;
