//! Can these questions be asked?

use super::{Question, QuestionKind};
use crate::{
    limits::{
        ANSWER_LINE_CHARS_MAX, ANSWER_NUMBER_MAX, ANSWER_TEXT_CHARS_MAX, QUESTION_LABEL_CHARS_MAX,
        QUESTION_OPTION_CHARS_MAX, QUESTION_OPTIONS_MAX, QUESTIONS_MAX,
    },
    validate::Fields,
};

/// Note what is not acceptable about the questions that stand at `at`.
pub fn check_questions(questions: &[Question], at: &str, fields: &mut Fields) {
    fields.count(at, questions.len(), 0, QUESTIONS_MAX);
    for (i, question) in questions.iter().enumerate() {
        let at = format!("{at}/{i}");
        let key = &question.key;
        if !(1..=64).contains(&key.len())
            || !key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        {
            fields.bad(&format!("{at}/key"), "must be 1 to 64 of a-z, 0-9 and _");
        } else if questions.iter().take(i).any(|earlier| earlier.key == *key) {
            fields.bad(&format!("{at}/key"), format!("{key} is asked twice; each key must be unique"));
        }
        fields.text(&format!("{at}/label"), &question.label, QUESTION_LABEL_CHARS_MAX);
        check_kind(&question.kind, &at, fields);
    }
}

fn check_kind(kind: &QuestionKind, at: &str, fields: &mut Fields) {
    match kind {
        QuestionKind::Text { min_length, max_length } => {
            lengths(*min_length, *max_length, ANSWER_LINE_CHARS_MAX, at, fields);
        }
        QuestionKind::LongText { min_length, max_length } => {
            lengths(*min_length, *max_length, ANSWER_TEXT_CHARS_MAX, at, fields);
        }
        QuestionKind::Number { min, max } => {
            for (name, bound) in [("min", min), ("max", max)] {
                if bound.is_some_and(|n| !(-ANSWER_NUMBER_MAX..=ANSWER_NUMBER_MAX).contains(&n)) {
                    fields.bad(
                        &format!("{at}/{name}"),
                        format!("must be -{ANSWER_NUMBER_MAX} to {ANSWER_NUMBER_MAX}"),
                    );
                }
            }
            if min.zip(*max).is_some_and(|(min, max)| min > max) {
                fields.bad(&format!("{at}/max"), "must not be less than min");
            }
        }
        QuestionKind::Select { options } | QuestionKind::MultiSelect { options } => {
            let at = format!("{at}/options");
            fields.count(&at, options.len(), 1, QUESTION_OPTIONS_MAX);
            fields.distinct(&at, options);
            for (i, option) in options.iter().enumerate() {
                let at = format!("{at}/{i}");
                fields.text(&at, option, QUESTION_OPTION_CHARS_MAX);
                if !option.is_empty() && option.trim() != option {
                    fields.bad(&at, "must not begin or end with a space");
                }
            }
        }
        QuestionKind::Email | QuestionKind::Phone | QuestionKind::Checkbox | QuestionKind::Date => {}
    }
}

fn lengths(min: Option<u32>, max: Option<u32>, most: u32, at: &str, fields: &mut Fields) {
    if let Some(max) = max {
        fields.range(&format!("{at}/max_length"), max, 1, most);
    }
    if let Some(min) = min {
        fields.range(&format!("{at}/min_length"), min, 0, max.unwrap_or(most).min(most));
    }
}
