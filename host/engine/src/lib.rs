//! The use cases of Berth: book, cancel, reschedule, availability, connections, webhooks, plugins, jobs.
//!
//! Knows no HTTP, no SQL text and no WebAssembly: it asks the store and, through the `Providers` port, the providers.
#![forbid(unsafe_code)]
