//! Questions that a customer answers when they book.

use serde::{Deserialize, Serialize};

/// A question of an event type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Name of the answer, unique within the event type: 1 to 64 of `a-z 0-9 _`.
    pub key: String,
    /// What is asked.
    pub label: String,
    /// What an answer looks like.
    #[serde(flatten)]
    pub kind: QuestionKind,
    /// Must it be answered?
    #[serde(default)]
    pub required: bool,
}

/// What an answer looks like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum QuestionKind {
    /// One line.
    Text {
        /// Most characters; none for the product's own limit.
        #[serde(default)]
        max_length: Option<u32>,
    },
    /// Several lines.
    LongText {
        /// Most characters; none for the product's own limit.
        #[serde(default)]
        max_length: Option<u32>,
    },
    /// A mailbox.
    Email,
    /// A telephone number in E.164.
    Phone,
    /// A number.
    Number {
        /// Least.
        #[serde(default)]
        min: Option<i64>,
        /// Most.
        #[serde(default)]
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
