//! Questions that a customer answers when they book.

mod answers;
mod check;
#[cfg(test)]
mod tests;
mod wire;

use serde::{Deserialize, Serialize};

pub use answers::check_answers;
pub use check::check_questions;
use wire::WireQuestion;

/// A question of an event type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WireQuestion", into = "WireQuestion")]
pub struct Question {
    /// Name of the answer, unique within the event type: 1 to 64 of `a-z 0-9 _`.
    pub key: String,
    /// What is asked.
    pub label: String,
    /// What an answer looks like.
    pub kind: QuestionKind,
    /// Must it be answered? A checkbox must then be ticked.
    pub required: bool,
}

/// What an answer looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QuestionKind {
    /// One line.
    Text {
        /// Fewest characters.
        min_length: Option<u32>,
        /// Most characters; none for the product's own limit.
        max_length: Option<u32>,
    },
    /// Several lines.
    LongText {
        /// Fewest characters.
        min_length: Option<u32>,
        /// Most characters; none for the product's own limit.
        max_length: Option<u32>,
    },
    /// A mailbox.
    Email,
    /// A telephone number in E.164.
    Phone,
    /// A number.
    Number {
        /// Least.
        min: Option<i64>,
        /// Most.
        max: Option<i64>,
    },
    /// One of these.
    Select {
        /// What can be chosen.
        options: Vec<String>,
    },
    /// Any of these.
    MultiSelect {
        /// What can be chosen.
        options: Vec<String>,
    },
    /// Yes or no.
    Checkbox,
    /// A day, `2026-11-20`.
    Date,
}
