//! Whether it is well, and what its errors mean.

pub(crate) mod errors;
pub(crate) mod health;

use super::described::{Described, routes};

/// Routes that need a key.
pub(super) fn keyed() -> Described {
    Described::new().routes(routes!(health::metrics: Operator))
}

/// Routes that need none.
pub(super) fn open() -> Described {
    Described::new().routes(routes!(health::healthz)).routes(routes!(health::readyz))
}
