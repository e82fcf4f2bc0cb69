//! Addresses on one server. Ids are the tenant's server's addresses without its origin, so that they are short and stay the same when
//! the server gets another name; what lies elsewhere has a whole URL as its id.

use crate::map::href;

/// A server, as one account sees it.
pub(crate) struct Server {
    /// Where the tenant says it is.
    base: String,
}

impl Server {
    pub(crate) fn new(base_url: &str) -> Self {
        Self { base: href::resolve(base_url, base_url) }
    }

    /// Where the tenant says it is.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// The URL of an id, or of what a tenant wrote.
    pub(crate) fn url(&self, id: &str) -> String {
        href::resolve(&self.base, id)
    }

    /// The URL of a calendar.
    pub(crate) fn folder(&self, id: &str) -> String {
        href::folder(&self.url(id))
    }

    /// The id of a URL.
    pub(crate) fn id(&self, url: &str) -> String {
        let own = href::origin(url) == href::origin(&self.base);
        if own { href::path(url).to_owned() } else { url.to_owned() }
    }
}
