//! What a process knows of Idempotency-Keys besides the database.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, PoisonError},
};

use berth_model::{id::ApiKeyId, limits};
use berth_store::records::IdempotencyKey;

/// What this process knows of keys besides the database.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Carried out, but the answer could not be stored yet.
    unstored: Mutex<HashSet<IdempotencyKey>>,
    /// How many keys an API key may use until they are counted again.
    allowed: Mutex<HashMap<ApiKeyId, i64>>,
}

impl Known {
    pub(crate) fn is_unstored(&self, key: &IdempotencyKey) -> bool {
        self.unstored.lock().unwrap_or_else(PoisonError::into_inner).contains(key)
    }

    /// Keep a key in mind until its answer is stored. False if there are too many of them.
    pub(crate) fn note_unstored(&self, key: &IdempotencyKey) -> bool {
        let mut unstored = self.unstored.lock().unwrap_or_else(PoisonError::into_inner);
        if unstored.len() >= limits::IDEMPOTENCY_UNSTORED_MAX {
            return false;
        }
        unstored.insert(key.clone());
        true
    }

    /// Its answer is stored, or nobody tries to any more.
    pub(crate) fn forget_unstored(&self, key: &IdempotencyKey) {
        self.unstored.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    pub(crate) fn takes_one(&self, holder: ApiKeyId) -> bool {
        let mut allowed = self.allowed.lock().unwrap_or_else(PoisonError::into_inner);
        allowed.get_mut(&holder).is_some_and(|left| {
            *left = left.saturating_sub(1);
            *left >= 0
        })
    }

    pub(crate) fn allow(&self, holder: ApiKeyId, keys: i64) {
        self.allowed.lock().unwrap_or_else(PoisonError::into_inner).insert(holder, keys);
    }

    /// Count all API keys anew. To be called now and then: what was used is free again after a day.
    pub(crate) fn forget(&self) {
        self.allowed.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
