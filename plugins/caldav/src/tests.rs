//! The whole provider against scripted answers.
