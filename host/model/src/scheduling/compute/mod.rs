//! The stateless form: rules and busy times in, slots out, nothing stored (SCHEDULING section 1).
//!
//! Availability as a pure function: the way support answers "why is 10:00 not offered?", and the way Berth is checked against other
//! schedulers. `POST /api/booking/availability/compute` and `berth compute` call [`compute`].

mod hosts;
mod people;
mod read;
mod rules;
mod slots;
mod times;

use serde_json::{Map, Value};

use crate::{
    budget::Budget,
    problem::{FieldError, Problem},
};

/// What can be computed, by `kind`.
pub const KINDS: &[&str] = &[
    "slots",
    "slot_check",
    "team_bookable",
    "windows",
    "rrule",
    "intervals",
    "conflict",
    "limit_check",
    "limits_config",
    "choose_host",
    "fairness_run",
    "fairness_period",
];

/// Answer a request. The answer depends on the request alone.
///
/// # Errors
/// `Code::Invalid` with the JSON Pointer of each field that makes no sense; `Code::TooDear` when the budget does not suffice.
pub fn compute(request: Value, budget: &Budget) -> Result<Value, Problem> {
    let Value::Object(mut fields) = request else {
        return Err(refused("", "must be an object with a kind"));
    };
    let kind = fields.remove("kind");
    let Some(kind) = kind.as_ref().and_then(Value::as_str) else {
        return Err(refused("/kind", format!("must be one of {}", KINDS.join(", "))));
    };
    let answer = answer(kind, fields, budget)?;
    Ok(Value::Object(answer))
}

fn answer(kind: &str, fields: Map<String, Value>, budget: &Budget) -> Result<Map<String, Value>, Problem> {
    match kind {
        "slots" => slots::slots(&read::fields(fields)?, budget),
        "slot_check" => slots::slot_check(&read::fields(fields)?, budget),
        "team_bookable" => slots::team_bookable(&read::fields(fields)?, budget),
        "windows" => slots::windows(&read::fields(fields)?, budget),
        "rrule" => times::rrule(read::fields(fields)?, budget),
        "intervals" => times::intervals(read::fields(fields)?, budget),
        "conflict" => times::conflict(&read::fields(fields)?, budget),
        "limit_check" => rules::limit_check(&read::fields(fields)?, budget),
        "limits_config" => Ok(rules::limits_config(read::fields(fields)?)),
        "choose_host" => people::choose_host(&read::fields(fields)?),
        "fairness_run" => people::fairness_run(&read::fields(fields)?, budget),
        "fairness_period" => people::fairness_period(&read::fields(fields)?),
        other => Err(refused("/kind", format!("{other:?} is not one of {}", KINDS.join(", ")))),
    }
}

/// One field that makes no sense.
fn refused(field: &str, message: impl Into<String>) -> Problem {
    Problem::invalid(vec![FieldError::new(field, message)])
}

/// An answer of one member.
fn only(name: &str, value: impl Into<Value>) -> Map<String, Value> {
    Map::from_iter([(name.to_owned(), value.into())])
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
