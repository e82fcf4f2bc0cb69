//! What a method of a port returns that waits: the futures crates' `BoxFuture`, without a crate.

use std::{future::Future, pin::Pin};

/// A boxed future.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
