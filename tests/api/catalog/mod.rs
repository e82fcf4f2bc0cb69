//! What is offered, and by whom.

mod archiving;
mod counterparts;
mod event_types;
mod links;
mod listings;
mod members;
mod private_links;
mod public;
mod standing;
mod walk;
