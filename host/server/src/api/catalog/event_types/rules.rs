//! The rules of an event type as they are sent: a price and questions stand beside the policy or in it, and a price may be a bare number.

use berth_engine::Caller;
use berth_model::{
    catalog::event_type::EventTypePolicy,
    id::ListingId,
    json::merged,
    problem::{FieldError, Problem},
};
use serde_json::{Map, Value};

use crate::http::{
    app::App,
    extract::malformed,
    problem::{ApiError, ApiResult},
};

/// Where bodies have prices: their numbers are taken as they are written, not as floats.
pub(super) const PRICES: &[&[&str]] = &[&["price"], &["policy", "price"]];

/// What was sent of the rules. Outside none: it was not sent; inside none: null.
#[derive(Debug, Default)]
#[expect(clippy::option_option, reason = "absent and null mean different things")]
pub(super) struct Rules {
    pub(super) policy: Option<Map<String, Value>>,
    pub(super) price: Option<Option<Value>>,
    pub(super) questions: Option<Option<Value>>,
}

/// Which members of the policy were sent beside it: they are named so in refusals.
#[derive(Debug, Clone, Copy)]
pub(super) struct Beside {
    price: bool,
    questions: bool,
}

impl Rules {
    pub(super) const fn beside(&self) -> Beside {
        Beside { price: self.price.is_some(), questions: self.questions.is_some() }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.policy.is_none() && self.price.is_none() && self.questions.is_none()
    }

    /// These laid over a policy. A price without a currency is one of the listing's.
    pub(super) async fn over(
        self,
        current: &EventTypePolicy,
        app: &App,
        caller: &Caller,
        listing: ListingId,
    ) -> ApiResult<EventTypePolicy> {
        let beside = self.beside();
        let mut policy = self.policy.unwrap_or_default();
        for (name, sent) in [("price", self.price), ("questions", self.questions)] {
            let Some(value) = sent else { continue };
            if policy.contains_key(name) {
                return Err(malformed(FieldError::new(
                    format!("/{name}"),
                    "stands in policy as well; give it once",
                )));
            }
            policy.insert(name.to_owned(), value.unwrap_or(Value::Null));
        }
        let at = if beside.price { "/price" } else { "/policy/price" };
        let number = match policy.get("price") {
            Some(Value::String(_)) => policy.remove("price"),
            Some(Value::Object(_) | Value::Null) | None => None,
            Some(_) => return Err(no_price(at)),
        };
        let mut policy = merged(current, policy, "/policy")
            .map_err(|error| malformed(FieldError::new(beside.named(&error.field), error.message)))?;
        if let Some(Value::String(number)) = number {
            policy.price = Some(app.engine().catalog.price_at(caller, listing, &number, at).await?);
        }
        Ok(policy)
    }
}

fn no_price(at: &str) -> ApiError {
    let message = "must be a number of the currency's large units, or an object of minor_units and currency";
    Problem::invalid(vec![FieldError::new(at, message)]).into()
}

impl Beside {
    /// A field of the policy by the name that it was sent by.
    fn named(self, field: &str) -> String {
        let of_policy = field.strip_prefix("/policy").unwrap_or(field);
        let is = |name: &str| of_policy == name || of_policy.starts_with(&format!("{name}/"));
        let was_beside = (self.price && is("/price")) || (self.questions && is("/questions"));
        if was_beside { of_policy.to_owned() } else { field.to_owned() }
    }

    /// A refusal with the names that were sent.
    pub(super) fn renamed(self, mut problem: Problem) -> Problem {
        for error in &mut problem.errors {
            error.field = self.named(&error.field);
        }
        problem
    }
}
