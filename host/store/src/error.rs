//! Why the store did not do something.

use berth_model::{
    bookings::transition::Refusal, events::PastCursor, id::CustomerId, scheduling::rules::Limit,
};
use sqlx::error::{DatabaseError, ErrorKind};

use crate::trouble::{self, Trouble};

/// Name of the overlap rule, in the constraint of PostgreSQL and the message of SQLite's trigger.
const OVERLAP_RULE: &str = "occupancies_no_overlap";

/// Errors of the store. The first twelve are answers, [`StoreError::Busy`] and [`StoreError::Trouble`] say "not now", the others are
/// faults.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Nothing with this id within this tenant.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// The place is taken (the database's own verdict).
    #[error("the place is taken")]
    Overlap,
    /// A limit of bookings or minutes per period is reached.
    #[error("a limit is reached")]
    LimitReached(Limit),
    /// There are as many of them as one may have.
    #[error("at most {0} of them")]
    TooMany(i64),
    /// The name, slug or key exists already.
    #[error("{0} exists already")]
    Duplicate(&'static str),
    /// It was changed since it was read (revision or sequence differs).
    #[error("it was changed in between")]
    Stale,
    /// It is still referred to by something else, or refers to something that is not there.
    #[error("still in use by {0}")]
    InUse(&'static str),
    /// The change is not allowed in this state, or not to whoever asks.
    #[error("its state does not allow this")]
    WrongState,
    /// The tenant would be left without an active owner.
    #[error("the last owner stays")]
    LastOwner,
    /// The customer is part of another one now.
    #[error("customer {customer} is part of {into}")]
    Merged {
        /// Who was asked for.
        customer: CustomerId,
        /// Of whom they are part.
        into: CustomerId,
    },
    /// The customer may not book.
    #[error("the customer may not book")]
    Blocked,
    /// There is no going on from this position of the events.
    #[error("there is no going on from there: {0:?}")]
    PastCursor(PastCursor),
    /// Too many writes wait, or the transaction was refused too often.
    #[error("the store is busy")]
    Busy,
    /// The database is away, or cannot be written: the same may go well later.
    #[error("{0}")]
    Trouble(Trouble),
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

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if let sqlx::Error::Database(database) = &error
            && let Some(answer) = answer_of(&**database)
        {
            return answer;
        }
        match trouble::of(&error) {
            Some(trouble) => Self::Trouble(trouble),
            None if trouble::is_busy(&error) => Self::Busy,
            None => Self::Database(error),
        }
    }
}

impl From<Refusal> for StoreError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::WrongState => Self::WrongState,
            Refusal::NoTime => Self::Overlap,
        }
    }
}

impl From<PastCursor> for StoreError {
    fn from(past: PastCursor) -> Self {
        Self::PastCursor(past)
    }
}

impl From<sqlx::migrate::MigrateError> for StoreError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        use sqlx::migrate::MigrateError;
        match error {
            MigrateError::Execute(cause) | MigrateError::ExecuteMigration(cause, _)
                if trouble::of(&cause).is_some() =>
            {
                cause.into()
            }
            other => Self::Migrate(other),
        }
    }
}

/// What a rule of the schema refused.
fn answer_of(database: &dyn DatabaseError) -> Option<StoreError> {
    match database.kind() {
        ErrorKind::ExclusionViolation => Some(StoreError::Overlap),
        ErrorKind::UniqueViolation => Some(StoreError::Duplicate("it")),
        ErrorKind::ForeignKeyViolation => Some(StoreError::InUse("something else")),
        _ if database.message().contains(OVERLAP_RULE) => Some(StoreError::Overlap),
        _ => None,
    }
}

impl StoreError {
    /// The same, saying what exists already.
    pub(crate) fn duplicate(self, what: &'static str) -> Self {
        if matches!(self, Self::Duplicate(_)) { Self::Duplicate(what) } else { self }
    }

    /// A foreign key that points nowhere, when something is inserted.
    pub(crate) fn missing(self, what: &'static str) -> Self {
        if matches!(self, Self::InUse(_)) { Self::NotFound(what) } else { self }
    }

    /// A foreign key that still points here, when something is deleted.
    pub(crate) fn used_by(self, what: &'static str) -> Self {
        if matches!(self, Self::InUse(_)) { Self::InUse(what) } else { self }
    }

    /// Why the database does not work at the moment, if that is what this says.
    #[must_use]
    pub fn trouble(&self) -> Option<&Trouble> {
        if let Self::Trouble(trouble) = self { Some(trouble) } else { None }
    }

    /// Would the same transaction succeed when tried again at once? (serialisation failure, deadlock)
    pub(crate) fn is_transient(&self) -> bool {
        let Self::Database(sqlx::Error::Database(database)) = self else { return false };
        matches!(database.code().as_deref(), Some("40001" | "40P01"))
    }
}
