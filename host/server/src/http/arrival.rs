//! How a request came here.

/// How a request came to this server; only requests over a connection of [`super::serve`] have it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival {
    /// Over TLS that ends here.
    pub(crate) tls: bool,
}
