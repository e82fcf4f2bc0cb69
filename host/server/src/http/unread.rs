//! What could not be read, in words for people: which field or parameter, and what was expected there. A value of the right kind that
//! does not exist (a zone) is a wrong value, as it is where the engine looks: 422 in a body. In an address everything is 400.

use berth_model::{
    json::ParseError,
    problem::{Code, FieldError, Problem},
    zone::UnknownZone,
};

/// A body that is no JSON.
pub(super) fn body(error: ParseError) -> Problem {
    let (at, said, (line, column)) = match error {
        ParseError::Twice(error) => return field(error),
        ParseError::Trailing => {
            return Problem::new(Code::MalformedBody, "The body goes on after its JSON has ended.");
        }
        ParseError::Syntax { at, said, place } => (at, said, place),
    };
    let place = match at.as_str() {
        "" => String::new(),
        at => format!(" in {at}"),
    };
    let detail = format!("The body is not JSON{place}: {said} (character {column} of line {line}).");
    let mut problem = Problem::new(Code::MalformedBody, detail);
    problem.errors.push(FieldError::new(at, said));
    problem
}

/// One field that cannot be read.
pub(super) fn field(error: FieldError) -> Problem {
    if error.message == UnknownZone.to_string() {
        return Problem::invalid(vec![FieldError::new(error.field, format!("is {}", error.message))]);
    }
    let detail = match error.field.as_str() {
        "" => format!("The body: {}", error.message),
        field => format!("{field}: {}", error.message),
    };
    let mut problem = Problem::new(Code::MalformedBody, detail);
    problem.errors.push(error);
    problem
}

/// A query, as the reader of queries says what is wrong with it.
pub(super) fn query(said: &str) -> Problem {
    let said = said.strip_prefix("Failed to deserialize query string: ").unwrap_or(said);
    parameter(said)
}

/// A part of a path.
pub(super) fn path(said: &str) -> Problem {
    let said = said.strip_prefix("Invalid URL: ").unwrap_or(said);
    // "Cannot parse `id` with value `x`: why": the value is the caller's and needs no telling.
    let named = said.strip_prefix("Cannot parse `").and_then(|rest| rest.split_once("` with value `"));
    match named {
        Some((name, rest)) => {
            let why = rest.rsplit_once("`: ").map_or("cannot be read", |(_, why)| why);
            parameter(&format!("{name}: {why}"))
        }
        None => parameter(said),
    }
}

fn parameter(said: &str) -> Problem {
    let quoted = |after: &str| {
        said.strip_prefix(after)
            .and_then(|rest| rest.split_once('`'))
            .map(|(name, rest)| (name.to_owned(), rest))
    };
    let error = if let Some((name, _)) = quoted("missing field `") {
        FieldError::new(name, "is required")
    } else if let Some((name, rest)) = quoted("unknown field `") {
        FieldError::new(name, format!("is not known here{rest}"))
    } else {
        match said.split_once(": ") {
            // The reader names it twice.
            Some((name, why)) if !name.contains(' ') => {
                let unknown = why.strip_prefix(&format!("unknown field `{name}`"));
                let why = unknown.map_or_else(|| why.to_owned(), |known| format!("is not known here{known}"));
                FieldError::new(name, why)
            }
            _ => FieldError::new("", said),
        }
    };
    Problem::parameter(error)
}

#[cfg(test)]
mod tests {
    use berth_model::json;

    use super::*;

    fn of(problem: &Problem) -> (&str, &str) {
        (problem.errors[0].field.as_str(), problem.errors[0].message.as_str())
    }

    #[test]
    fn parameters_are_named() {
        for (said, field, message) in [
            ("from: not a date", "from", "not a date"),
            ("missing field `to`", "to", "is required"),
            ("frmo: unknown field `frmo`, expected `from`", "frmo", "is not known here, expected `from`"),
            (
                "unknown field `frmo`, expected one of `from`, `to`",
                "frmo",
                "is not known here, expected one of `from`, `to`",
            ),
            ("duplicate field `to`", "", "duplicate field `to`"),
        ] {
            let problem = query(&format!("Failed to deserialize query string: {said}"));
            assert_eq!((problem.code, of(&problem)), (Code::MalformedParameter, (field, message)));
        }
        let problem = path("Invalid URL: Cannot parse `id` with value `x`: y`: UUID parsing failed");
        assert_eq!(of(&problem), ("id", "UUID parsing failed"));
    }

    #[test]
    fn bodies_are_told_without_columns() {
        let read = |text: &str| body(json::parse(text.as_bytes()).unwrap_err());
        let value = json::parse(br#"{"a":1,"b":"x"}"#).unwrap();
        let problem = field(json::read::<std::collections::BTreeMap<String, u8>>(&value).unwrap_err());
        assert_eq!((problem.code, of(&problem).0), (Code::MalformedBody, "/b"));
        assert!(
            problem.detail.starts_with("/b: ") && !problem.detail.contains("column"),
            "{}",
            problem.detail
        );
        let problem = read(r#"{"a":1,"b":}"#);
        assert!(
            problem.detail.contains("not JSON") && problem.detail.contains("character"),
            "{}",
            problem.detail
        );
        assert!(!problem.detail.contains("column"));
    }
}
