//! `berth:provider/recurrence`: the times of a rule, as the host follows rules.

use berth_model::scheduling::recurrence::{Untold, told};

use crate::{
    contract::bindings::berth::provider::recurrence::{Host, RuleError},
    sandbox::Sandbox,
};

impl Host for Sandbox {
    fn occurrences(
        &mut self,
        rule: String,
        start: i64,
        from: i64,
        end: i64,
    ) -> wasmtime::Result<Result<Vec<i64>, RuleError>> {
        self.count_host_call()?;
        Ok(told(&rule, start, from, end).map_err(|refused| match refused {
            Untold::Invalid => RuleError::InvalidRule,
            Untold::TooMany => RuleError::TooMany,
        }))
    }
}
