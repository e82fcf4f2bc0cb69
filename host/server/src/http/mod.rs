//! What every route shares: problems, authentication, bodies, pages, idempotency, limits.

pub(crate) mod app;
pub(crate) mod arrival;
pub(crate) mod auth;
pub(crate) mod bodies;
pub(crate) mod body;
pub(crate) mod contacts;
pub(crate) mod etag;
pub(crate) mod extract;
pub(crate) mod fingerprint;
pub(crate) mod idempotency;
pub(crate) mod kept;
pub(crate) mod known;
pub(crate) mod once;
pub(crate) mod page;
pub(crate) mod problem;
pub(crate) mod public;
pub(crate) mod rate;
pub(crate) mod request_id;
pub(crate) mod room;
pub(crate) mod rules;
mod sender;
pub(crate) mod serve;
pub(crate) mod source;
mod unread;
pub(crate) mod versions;
pub(crate) mod visits;
