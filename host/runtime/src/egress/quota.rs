//! How much a call may ask for.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use tokio::sync::{Semaphore, SemaphorePermit};

use super::{config::EgressLimits, failure::Failure};

/// What is left to one call.
#[derive(Debug)]
pub(super) struct CallQuota {
    requests: AtomicU32,
    concurrent: Semaphore,
    body_in_bytes: AtomicUsize,
}

impl CallQuota {
    pub(super) fn new(limits: &EgressLimits) -> Self {
        Self {
            requests: AtomicU32::new(limits.requests),
            concurrent: Semaphore::new(limits.concurrent),
            body_in_bytes: AtomicUsize::new(limits.call_body_in_bytes),
        }
    }

    /// Count a request, and wait until it may run beside the others. They wait in order, and there are never more of them
    /// than requests are left.
    pub(super) async fn enter(&self) -> Result<SemaphorePermit<'_>, Failure> {
        self.requests
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1))
            .map_err(|_| Failure::TooManyRequests)?;
        self.concurrent.acquire().await.map_err(|_| Failure::TooManyRequests)
    }

    /// Count bytes of an answer.
    pub(super) fn take_body_in(&self, bytes: usize) -> Result<(), Failure> {
        self.body_in_bytes
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes))
            .map(|_| ())
            .map_err(|_| Failure::CallBodyInExhausted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_call_has_its_requests_and_bytes() {
        let quota =
            CallQuota::new(&EgressLimits { requests: 2, call_body_in_bytes: 10, ..EgressLimits::default() });
        let first = quota.enter().await.unwrap();
        drop(quota.enter().await.unwrap());
        drop(first);
        assert_eq!(quota.enter().await.err(), Some(Failure::TooManyRequests));
        assert_eq!((quota.take_body_in(6), quota.take_body_in(4)), (Ok(()), Ok(())));
        assert_eq!(quota.take_body_in(1), Err(Failure::CallBodyInExhausted));
    }
}
