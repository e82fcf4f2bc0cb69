//! Tokens by which lists go on.

use std::collections::{BTreeMap, VecDeque};

/// Tokens that are known at once; older ones have expired.
const TOKENS_MAX: usize = 10_000;

/// What a list was asked with: parameters in one order.
pub(super) type Parameters = Vec<(String, String)>;

/// Where a list goes on.
#[derive(Debug, Clone)]
pub(super) struct Next {
    pub(super) calendar: String,
    /// What the first page was asked with.
    pub(super) asked: Parameters,
    /// Ids that are left.
    pub(super) left: Vec<String>,
    /// The change after which the next sync begins.
    pub(super) until: u64,
}

/// Where an incremental sync goes on.
#[derive(Debug, Clone)]
pub(super) struct Point {
    pub(super) calendar: String,
    /// What the first sync was asked with, but for what is barred.
    pub(super) asked: Parameters,
    pub(super) since: u64,
}

/// Tokens that were given out.
#[derive(Debug, Default)]
pub(super) struct Lists {
    given: u64,
    pub(super) pages: BTreeMap<String, Next>,
    pub(super) points: BTreeMap<String, Point>,
    /// All tokens, oldest first.
    order: VecDeque<String>,
}

impl Lists {
    /// Every sync token from before is too old from now on.
    pub(super) fn expire(&mut self) {
        self.points.clear();
    }

    pub(super) fn token(&mut self, kind: &str) -> String {
        self.given += 1;
        let token = format!("{kind}{:06}", self.given);
        self.order.push_back(token.clone());
        if self.order.len() > TOKENS_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.pages.remove(&oldest);
            self.points.remove(&oldest);
        }
        token
    }
}
