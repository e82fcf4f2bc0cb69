//! Messages from providers.

mod unaddressed;
mod walk;
