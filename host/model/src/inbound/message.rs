//! A stored message of a provider.

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookStatus {
    /// It waits for its turn.
    Stored,
    /// It was acted on.
    Processed,
    /// It means nothing here.
    Ignored,
    /// It was given up, or ended in a conflict that is for a person.
    Failed,
}

impl WebhookStatus {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Stored, Self::Processed, Self::Ignored, Self::Failed];

    /// The name in the database and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Processed => "processed",
            Self::Ignored => "ignored",
            Self::Failed => "failed",
        }
    }
}
