//! The conformance suite against our own components, and against one that is wrong on purpose.

#[path = "conformance/booksy.rs"]
mod booksy;
#[path = "conformance/caldav.rs"]
mod caldav;
#[path = "conformance/calendly.rs"]
mod calendly;
#[path = "conformance/first_party.rs"]
mod first_party;
#[path = "conformance/gohighlevel.rs"]
mod gohighlevel;
#[path = "conformance/google.rs"]
mod google;
#[path = "conformance/ics_feed.rs"]
mod ics_feed;
#[path = "conformance/javascript.rs"]
mod javascript;
#[path = "conformance/outlook.rs"]
mod outlook;
#[path = "conformance/recordings.rs"]
mod recordings;
#[path = "conformance/world.rs"]
mod world;
#[path = "conformance/wrong.rs"]
mod wrong;
