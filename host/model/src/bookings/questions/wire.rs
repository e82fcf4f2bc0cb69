//! A question as it is written: all its members side by side.

use serde::{Deserialize, Serialize};

use super::{Question, QuestionKind};

/// A question that the customer is asked. Its answer stands in the booking's `answers` under its `key`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireQuestion {
    /// Name of the answer, unique within the event type: 1 to 64 of a-z, 0-9 and _. Others call it its id.
    #[serde(alias = "id")]
    key: String,
    /// What is asked.
    label: String,
    #[serde(rename = "type")]
    kind: WireKind,
    /// Must it be answered? A checkbox must then be ticked.
    #[serde(default)]
    required: bool,
    /// Fewest characters; of `text` and `long_text`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min_length: Option<u32>,
    /// Most characters (500, and 4000 for long text); of `text` and `long_text`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_length: Option<u32>,
    /// Least; of `number`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min: Option<i64>,
    /// Most; of `number`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max: Option<i64>,
    /// What can be chosen; of `select` and `multi_select`, which need it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    options: Option<Vec<String>>,
}

/// What an answer looks like: `text` (one line), `long_text`, `email`, `phone` (E.164; spaces, dots, hyphens and brackets are
/// removed), `number`, `select` (one of the options), `multi_select` (a list of options), `checkbox` (true or false),
/// `date` (2026-11-20). Forms have other names for most of them.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WireKind {
    #[serde(alias = "string", alias = "short_text", alias = "shortText", alias = "input")]
    Text,
    #[serde(alias = "textarea", alias = "longText", alias = "multiline", alias = "paragraph")]
    LongText,
    Email,
    #[serde(alias = "tel", alias = "telephone")]
    Phone,
    Number,
    #[serde(alias = "radio", alias = "dropdown")]
    Select,
    #[serde(alias = "multiSelect", alias = "multiselect", alias = "checkboxes")]
    MultiSelect,
    #[serde(alias = "boolean", alias = "bool")]
    Checkbox,
    Date,
}

impl TryFrom<WireQuestion> for Question {
    type Error = String;
    fn try_from(wire: WireQuestion) -> Result<Self, String> {
        use WireKind as Kind;
        let WireQuestion { key, label, kind, required, min_length, max_length, min, max, options } = wire;
        // Forms send an empty list with whatever has no options, and a checkbox for each option.
        let options =
            options.filter(|options| !options.is_empty() || matches!(kind, Kind::Select | Kind::MultiSelect));
        let kind = if matches!(kind, Kind::Checkbox) && options.is_some() { Kind::MultiSelect } else { kind };
        let (texts, numbers, choices) = (
            matches!(kind, Kind::Text | Kind::LongText),
            matches!(kind, Kind::Number),
            matches!(kind, Kind::Select | Kind::MultiSelect),
        );
        for (present, allowed, what) in [
            (min_length.is_some(), texts, "min_length is only for text and long_text"),
            (max_length.is_some(), texts, "max_length is only for text and long_text"),
            (min.is_some(), numbers, "min is only for number"),
            (max.is_some(), numbers, "max is only for number"),
            (options.is_some(), choices, "options is only for select and multi_select"),
        ] {
            if present && !allowed {
                return Err(what.to_owned());
            }
        }
        let options =
            || options.ok_or_else(|| "select and multi_select need options, a list of texts".to_owned());
        let kind = match kind {
            Kind::Text => QuestionKind::Text { min_length, max_length },
            Kind::LongText => QuestionKind::LongText { min_length, max_length },
            Kind::Email => QuestionKind::Email,
            Kind::Phone => QuestionKind::Phone,
            Kind::Number => QuestionKind::Number { min, max },
            Kind::Select => QuestionKind::Select { options: options()? },
            Kind::MultiSelect => QuestionKind::MultiSelect { options: options()? },
            Kind::Checkbox => QuestionKind::Checkbox,
            Kind::Date => QuestionKind::Date,
        };
        Ok(Self { key, label, kind, required })
    }
}

impl From<Question> for WireQuestion {
    fn from(question: Question) -> Self {
        use WireKind as Kind;
        let Question { key, label, kind, required } = question;
        let plain = |kind| Self {
            key,
            label,
            kind,
            required,
            min_length: None,
            max_length: None,
            min: None,
            max: None,
            options: None,
        };
        match kind {
            QuestionKind::Text { min_length, max_length } => {
                Self { min_length, max_length, ..plain(Kind::Text) }
            }
            QuestionKind::LongText { min_length, max_length } => {
                Self { min_length, max_length, ..plain(Kind::LongText) }
            }
            QuestionKind::Email => plain(Kind::Email),
            QuestionKind::Phone => plain(Kind::Phone),
            QuestionKind::Number { min, max } => Self { min, max, ..plain(Kind::Number) },
            QuestionKind::Select { options } => Self { options: Some(options), ..plain(Kind::Select) },
            QuestionKind::MultiSelect { options } => {
                Self { options: Some(options), ..plain(Kind::MultiSelect) }
            }
            QuestionKind::Checkbox => plain(Kind::Checkbox),
            QuestionKind::Date => plain(Kind::Date),
        }
    }
}
