//! How the database does, as the last statements found it. Said once when it changes, not at each statement that fails of it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use tokio::sync::watch;

use crate::{
    StoreError,
    trouble::{Trouble, TroubleKind},
};

/// Shared by all who ask one database. Statements find trouble; that it is over is found by a probe, since a statement that happens
/// to write nothing says nothing about room.
#[derive(Debug, Clone)]
pub(crate) struct Condition {
    trouble: watch::Sender<Option<Trouble>>,
    /// Is there any? Looked at before each statement, so it is cheaper than the channel.
    troubled: Arc<AtomicBool>,
    /// Is a probe under way?
    probed: Arc<AtomicBool>,
    /// How often it was found not to work.
    found: Arc<AtomicU64>,
}

impl Condition {
    pub(crate) fn good() -> Self {
        let trouble = watch::Sender::new(None);
        Self { trouble, troubled: Arc::default(), probed: Arc::default(), found: Arc::default() }
    }

    /// What is wrong now.
    pub(crate) fn trouble(&self) -> Option<Trouble> {
        if self.troubled.load(Ordering::Acquire) { self.trouble.borrow().clone() } else { None }
    }

    /// Refuse at once what would only find out again that the database is away.
    pub(crate) fn refuse_if_away(&self) -> Result<(), StoreError> {
        match self.trouble() {
            Some(trouble) if trouble.kind == TroubleKind::Away => Err(StoreError::Trouble(trouble)),
            _ => Ok(()),
        }
    }

    /// Wait until it is away.
    pub(crate) async fn becomes_away(&self) -> Trouble {
        let mut seen = self.trouble.subscribe();
        let away = |trouble: &Option<Trouble>| trouble.as_ref().is_some_and(|t| t.kind == TroubleKind::Away);
        let found = seen.wait_for(away).await.map(|found| found.clone());
        // The sender is part of ourselves, so that it cannot be gone.
        found.ok().flatten().unwrap_or_else(Trouble::silent)
    }

    /// It works.
    pub(crate) fn well(&self) {
        let ended = self.trouble.send_if_modified(|trouble| {
            self.troubled.store(false, Ordering::Release);
            trouble.take().is_some()
        });
        if ended {
            tracing::info!("the database works again");
        }
    }

    /// It does not work. Returns whether that is news.
    pub(crate) fn bad(&self, found: &Trouble) -> bool {
        self.found.fetch_add(1, Ordering::AcqRel);
        let new = self.trouble.send_if_modified(|trouble| {
            let new = trouble.as_ref().is_none_or(|t| t.kind != found.kind);
            if new {
                *trouble = Some(found.clone());
                self.troubled.store(true, Ordering::Release);
            }
            new
        });
        if new {
            tracing::error!(
                cause = found.cause,
                detail = found.detail,
                "the database does not work; it is tried again"
            );
        }
        new
    }

    /// How often it was found not to work, ever.
    pub(crate) fn found(&self) -> u64 {
        self.found.load(Ordering::Acquire)
    }

    /// Become the one who probes, if nobody is. Ends when the guard is dropped.
    pub(crate) fn begin_probing(&self) -> Option<Probing> {
        (!self.probed.swap(true, Ordering::AcqRel)).then(|| Probing(self.probed.clone()))
    }
}

/// A probe under way.
pub(crate) struct Probing(Arc<AtomicBool>);

impl Drop for Probing {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trouble(kind: TroubleKind) -> Trouble {
        Trouble { kind, cause: "made up", detail: String::new() }
    }

    #[tokio::test]
    async fn only_what_is_away_is_not_asked() {
        let condition = Condition::good();
        assert!(condition.bad(&trouble(TroubleKind::Full)));
        assert!(!condition.bad(&trouble(TroubleKind::Full)), "known already");
        assert!(condition.refuse_if_away().is_ok(), "what is there may be read");
        let waiting = condition.clone();
        let waiting = tokio::spawn(async move { waiting.becomes_away().await });
        assert!(condition.bad(&trouble(TroubleKind::Away)));
        assert_eq!(waiting.await.unwrap().kind, TroubleKind::Away);
        assert!(condition.refuse_if_away().is_err());
        condition.well();
        assert!(condition.trouble().is_none() && condition.refuse_if_away().is_ok());
    }

    #[test]
    fn one_probe_at_a_time() {
        let condition = Condition::good();
        let first = condition.begin_probing();
        assert!(first.is_some() && condition.clone().begin_probing().is_none());
        drop(first);
        assert!(condition.begin_probing().is_some());
    }
}
