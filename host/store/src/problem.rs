//! What a caller is told about an error of the store. Causes that are not for callers are logged here.

use berth_model::{
    limits,
    problem::{Code, FieldError, Problem},
    scheduling::rules::{Limit, Quantity},
};

use crate::{StoreError, trouble::TroubleKind};

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        of(error)
    }
}

fn of(error: StoreError) -> Problem {
    match error {
        StoreError::NotFound(what) => Problem::not_found(what),
        StoreError::Overlap => Problem::new(Code::SlotTaken, "The time was taken in this moment."),
        StoreError::LimitReached(limit) => Problem::new(Code::SlotTaken, limit_reached(&limit)),
        StoreError::TooMany(most) => Problem::invalid(vec![FieldError::new(
            "",
            format!("there are {most} of them already, and one may not have more"),
        )]),
        StoreError::Duplicate(what) => Problem::new(Code::AlreadyExists, format!("There is already {what}.")),
        StoreError::Stale => Problem::new(Code::Changed, "It was changed since you read it."),
        StoreError::InUse(what) => Problem::new(Code::InUse, format!("It is still used by {what}.")),
        StoreError::WrongState => Problem::new(Code::WrongState, "Its state does not allow this."),
        StoreError::LastOwner => Problem::new(
            Code::LastOwner,
            "It is the tenant's only active owner, who cannot be removed, deactivated or given another role.",
        ),
        StoreError::Merged { customer, into } => {
            let detail = format!("The customer {customer} is part of the customer {into}.");
            let mut problem = Problem::new(Code::CustomerMerged, detail);
            problem.extra.insert("customer_id".to_owned(), into.to_string().into());
            problem
        }
        // Why is the tenant's alone.
        StoreError::Blocked => {
            Problem::new(Code::CustomerBlocked, "The business takes no bookings for this customer.")
        }
        StoreError::PastCursor(past) => past.into(),
        StoreError::Busy => {
            Problem::new(Code::Busy, "The database has too much to do.").with_retry_after_seconds(1)
        }
        // Said once by the store, when it began.
        StoreError::Trouble(trouble) => {
            let code = match trouble.kind {
                TroubleKind::Away => Code::DatabaseAway,
                TroubleKind::Full | TroubleKind::ReadOnly => Code::DatabaseFull,
            };
            let detail = format!("The request was not carried out: {}.", trouble.cause);
            Problem::new(code, detail).with_retry_after_seconds(limits::DATABASE_RETRY_AFTER_SECONDS)
        }
        error @ (StoreError::Vault(_)
        | StoreError::Corrupt(_)
        | StoreError::Database(_)
        | StoreError::Migrate(_)) => {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            tracing::error!(%error, cause, "store failed");
            Problem::new(Code::Internal, "The database failed.")
        }
    }
}

fn limit_reached(limit: &Limit) -> String {
    let per = format!("{:?}", limit.per).to_lowercase();
    match limit.most {
        Quantity::MaxBookings(most) => format!("At most {most} bookings per {per} are taken."),
        Quantity::MaxMinutes(most) => format!("At most {most} minutes per {per} are taken."),
    }
}
