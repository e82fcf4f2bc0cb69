//! Idempotency keys, each within the API key that sent it.

use berth_model::{
    id::{ApiKeyId, BookingId, TenantId},
    time::Instant,
};

use crate::{
    Store, StoreError,
    records::{Idempotency, IdempotencyKey, KeptAnswer},
};

/// The place of a sealed answer: it opens for this key and request only.
fn context(key: &IdempotencyKey, fingerprint: &[u8]) -> Vec<u8> {
    let holder = key.holder.uuid();
    [b"berth:answer".as_slice(), holder.as_bytes(), fingerprint, key.key.as_bytes()].concat()
}

/// What is sealed of an answer: content type and location as JSON, a line end, the body.
fn written(content_type: &str, location: Option<&str>, body: &[u8]) -> Vec<u8> {
    let head = serde_json::json!([content_type, location]).to_string();
    [head.as_bytes(), b"\n", body].concat()
}

fn read(status: u16, text: &[u8]) -> Result<KeptAnswer, StoreError> {
    let unreadable = || StoreError::Corrupt("a kept answer".to_owned());
    let end = text.iter().position(|byte| *byte == b'\n').ok_or_else(unreadable)?;
    let (head, rest) = text.split_at_checked(end).ok_or_else(unreadable)?;
    let (content_type, location) = serde_json::from_slice(head).map_err(|_| unreadable())?;
    let body = rest.get(1..).unwrap_or_default().to_vec();
    Ok(KeptAnswer::Whole { status, content_type, location, body })
}

impl Store {
    /// Reserve a key for the request with this fingerprint, or find out what it was used for. A reservation without an answer
    /// ends after `IDEMPOTENCY_IN_FLIGHT_SECONDS`, since its holder must be dead then.
    pub async fn begin_idempotent(
        &self,
        key: &IdempotencyKey,
        fingerprint: [u8; 32],
        now: Instant,
    ) -> Result<Idempotency, StoreError> {
        let wanted = key.clone();
        let (rights, status, sealed) = match self.found_of(wanted, fingerprint, now).await? {
            Ok(found) => return Ok(found),
            Err(sealed) => sealed,
        };
        let answer = match self.keys.open_bytes(&context(key, &fingerprint), &sealed) {
            Ok(text) => read(status, &text)?,
            // It was carried out all the same.
            Err(error) => {
                tracing::warn!(%error, "a kept answer cannot be opened");
                let instead =
                    "Look at what was made: its answer was sealed with a key that is not there any more.";
                KeptAnswer::Gone { status, made: None, instead: instead.to_owned() }
            }
        };
        Ok(Idempotency::Done { rights, answer })
    }

    /// What is there, or an answer that must be opened.
    async fn found_of(
        &self,
        key: IdempotencyKey,
        fingerprint: [u8; 32],
        now: Instant,
    ) -> Result<Result<Idempotency, (Vec<String>, u16, Vec<u8>)>, StoreError> {
        write_tx!(self, [key], |q, conn| async move {
            Ok(match q::bookings::idempotency::begin(conn, &key, &fingerprint, now).await? {
                q::bookings::idempotency::Found::Plain(found) => Ok(found),
                q::bookings::idempotency::Found::Sealed { rights, status, sealed } => {
                    Err((rights, status, sealed))
                }
            })
        })
    }

    /// Remember the answer of a reserved key, sealed, and the scopes that it was asked for. `NotFound` if it is not reserved for this
    /// request.
    pub async fn complete_idempotent(
        &self,
        key: &IdempotencyKey,
        fingerprint: [u8; 32],
        rights: Vec<String>,
        answer: &KeptAnswer,
    ) -> Result<(), StoreError> {
        let (status, sealed, made, instead) = match answer {
            KeptAnswer::Whole { status, content_type, location, body } => {
                let text = written(content_type, location.as_deref(), body);
                let sealed = self.keys.seal_bytes(&*self.random, &context(key, &fingerprint), &text)?;
                (*status, Some(sealed), None, None)
            }
            KeptAnswer::Gone { status, made, instead } => {
                (*status, None, made.clone(), Some(instead.clone()))
            }
        };
        let key = key.clone();
        write_tx!(self, [key, rights, sealed, made, instead], |q, conn| async move {
            let answer = q::bookings::idempotency::Answer { status, rights, sealed, made, instead };
            q::bookings::idempotency::complete(conn, &key, &fingerprint, &answer).await
        })
    }

    /// Give a reserved key back: the request may be made again at once. A completed one stays, and what was made under a
    /// released one stays known to it.
    pub async fn release_idempotent(&self, key: &IdempotencyKey, now: Instant) -> Result<(), StoreError> {
        let key = key.clone();
        write_tx!(self, [key], |q, conn| q::bookings::idempotency::release(conn, &key, now))
    }

    /// The booking that was made under a key, whether or not its answer was stored.
    pub async fn booking_of_key(&self, key: &IdempotencyKey) -> Result<Option<BookingId>, StoreError> {
        let key = key.clone();
        read!(self, |q, conn| async move { q::bookings::idempotency::booking(conn, &key).await })
    }

    /// How many keys an API key has used that are remembered, counted up to `most`.
    pub async fn idempotency_keys_of(
        &self,
        tenant: Option<TenantId>,
        holder: ApiKeyId,
        most: i64,
    ) -> Result<i64, StoreError> {
        read!(self, |q, conn| q::bookings::idempotency::count(conn, tenant, holder, most))
    }
}
