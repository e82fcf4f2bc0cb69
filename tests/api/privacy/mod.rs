//! What customers consented to.

mod consents;
