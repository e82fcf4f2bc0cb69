//! Why work for a connection did not end: its provider was not told or did not say, or the store failed.

use berth_model::outbound::provider::CallError;
use berth_store::StoreError;

/// Either of both. Whoever called decides: a call that failed is tried again later as its connection allows, the store at once or as the
/// job says.
#[derive(Debug)]
pub(crate) enum Fault {
    /// A provider was not asked, or did not answer.
    Call(CallError),
    /// The store failed, or something was changed in between.
    Store(StoreError),
}

impl From<CallError> for Fault {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Fault {
    /// The call that failed; else the store's error, for whoever cannot go on then.
    pub(crate) fn call(self) -> Result<CallError, StoreError> {
        match self {
            Self::Call(error) => Ok(error),
            Self::Store(error) => Err(error),
        }
    }
}
