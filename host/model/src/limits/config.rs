//! Limits on documents of a tenant's configuration.

/// Longest document of a tenant's configuration, in bytes.
pub const CONFIG_DOCUMENT_BYTES_MAX: usize = 1024 * 1024;
/// How deep it may be, in levels: it needs about ten.
pub const CONFIG_DOCUMENT_DEPTH_MAX: usize = 40;
/// Things of one kind that `berth config` reads of a tenant, in pages of 200.
pub const CONFIG_PAGES_MAX: usize = 200;
/// Longest secret that a document refers to, in bytes.
pub const CONFIG_SECRET_BYTES_MAX: u64 = 64 * 1024;
/// How often the command line asks a server that answers 429, in tries.
pub const CLI_TRIES_MAX: u32 = 10;
