//! The transport that goes without saying: `wasi:http` in a component, in a native test the thread's script.

#[cfg(target_arch = "wasm32")]
pub use super::wasi::Live;
#[cfg(not(target_arch = "wasm32"))]
pub use crate::testing::Live;
