//! What a method of a port returns that waits.

use std::{future::Future, pin::Pin};

/// A boxed future.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
