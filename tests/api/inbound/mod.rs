//! Messages from providers.

mod walk;
