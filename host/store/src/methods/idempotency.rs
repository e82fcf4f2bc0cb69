//! Idempotency keys. Scope: the tenant of the API key that made the request, or an operator's API key itself.

use berth_model::{id::BookingId, time::Instant};
use uuid::Uuid;

use crate::{Store, StoreError, records::Idempotency};

impl Store {
    /// Reserve a key for the request with this fingerprint, or find out what it was used for. A reservation without an answer
    /// ends after `IDEMPOTENCY_IN_FLIGHT_SECONDS`, since its holder must be dead then.
    pub async fn begin_idempotent(
        &self,
        scope: Uuid,
        key: &str,
        fingerprint: [u8; 32],
        now: Instant,
    ) -> Result<Idempotency, StoreError> {
        let key = key.to_owned();
        change!(self, [key], |q, conn| q::idempotency::begin(conn, scope, &key, &fingerprint, now))
    }

    /// Remember the answer of a reserved key. `NotFound` if it is not reserved.
    pub async fn complete_idempotent(
        &self,
        scope: Uuid,
        key: &str,
        status: u16,
        content_type: &str,
        location: Option<&str>,
        body: &[u8],
    ) -> Result<(), StoreError> {
        let key = key.to_owned();
        let content_type = content_type.to_owned();
        let location = location.map(str::to_owned);
        let body = body.to_owned();
        change!(self, [key, content_type, location, body], |q, conn| async move {
            let answer = q::idempotency::Answer { status, content_type, location, body };
            q::idempotency::complete(conn, scope, &key, &answer).await
        })
    }

    /// Give a reserved key back: the request may be made again at once. A completed one stays, and what was made under a
    /// released one stays known to it.
    pub async fn release_idempotent(&self, scope: Uuid, key: &str, now: Instant) -> Result<(), StoreError> {
        let key = key.to_owned();
        change!(self, [key], |q, conn| q::idempotency::release(conn, scope, &key, now))
    }

    /// The booking that was made under a key, whether or not its answer was stored.
    pub async fn booking_of_key(&self, scope: Uuid, key: &str) -> Result<Option<BookingId>, StoreError> {
        let key = key.to_owned();
        ask!(self, |q, conn| q::idempotency::booking(conn, scope, &key))
    }
}
