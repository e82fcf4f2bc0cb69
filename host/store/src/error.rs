//! Why the store did not do something.

/// Errors of the store. The first six are answers; the others are faults.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Nothing with this id within this tenant.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// The place is taken (the database's own verdict).
    #[error("the place is taken")]
    Overlap,
    /// The name, slug or key exists already.
    #[error("{0} exists already")]
    Duplicate(&'static str),
    /// It was changed since it was read (revision or sequence differs).
    #[error("it was changed in between")]
    Stale,
    /// It is still referred to by something else.
    #[error("still in use by {0}")]
    InUse(&'static str),
    /// The change is not allowed in this state.
    #[error("its state does not allow this")]
    WrongState,
    /// Too many writes wait, or the transaction was refused too often.
    #[error("the store is busy")]
    Busy,
    /// A sealed value cannot be opened with the keys at hand.
    #[error("a sealed value cannot be opened: {0}")]
    Vault(&'static str),
    /// A stored value is not what it should be.
    #[error("a stored value cannot be read: {0}")]
    Corrupt(String),
    /// The database failed.
    #[error("the database failed")]
    Database(#[source] sqlx::Error),
    /// Migrations failed, or the schema is newer than this program.
    #[error("the schema cannot be migrated")]
    Migrate(#[source] sqlx::migrate::MigrateError),
}
