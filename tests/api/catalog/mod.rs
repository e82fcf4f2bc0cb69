//! What is offered, and by whom.

mod archiving;
mod event_types;
mod listings;
mod members;
mod private_links;
mod public;
mod standing;
mod walk;
