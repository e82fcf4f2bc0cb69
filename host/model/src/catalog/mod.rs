//! What can be booked: listings, event types and members.

pub mod event_type;
pub mod listing;
pub mod member;
pub mod price;
pub mod private_link;
