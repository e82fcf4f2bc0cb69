//! Components and what they may reach.

mod grants;
mod walk;
