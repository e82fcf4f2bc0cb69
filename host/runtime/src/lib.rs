//! berth-runtime
#![expect(dead_code, reason = "under construction")]
mod aot;
mod breaker;
mod cap;
mod contract;
pub mod egress;
mod engine;
mod fault;
mod limiter;
mod permits;
mod registry;
mod sandbox;
mod spent;
mod version;
