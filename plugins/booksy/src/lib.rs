//! Booksy, over the Berth Booksy contract (v1): bookings of a business's services, kept in step by webhooks and a cursor over
//! `updated_at`. The contract is ours; access to Booksy itself needs an agreement with its makers.
//!
//! `api` knows the requests, `errors` the refusals, `map` the JSON, `cursor` the incremental sync; the rest is one file per
//! interface.

mod api;
mod availability;
mod blocks;
mod bookings;
mod catalog;
mod clients;
mod cursor;
mod errors;
mod map;
mod webhooks;

use berth_sdk::{
    Connection, Result, settings,
    types::{Account, ProviderError},
};
use serde::Deserialize;

use crate::api::Api;

/// A business.
pub struct Booksy {
    api: Api,
    /// The one member of staff who is booked, where the tenant chose one.
    staff: Option<String>,
}

/// What the tenant can set; described in `plugin.toml`.
#[derive(Debug, Deserialize)]
struct Settings {
    base_url: String,
    business_id: String,
    staff_id: Option<String>,
}

impl Connection for Booksy {
    fn open() -> Result<Self> {
        let settings: Settings = settings::get()?;
        Ok(Self { api: Api::new(&settings.base_url, &settings.business_id), staff: settings.staff_id })
    }

    fn validate(&self) -> Result<Account> {
        let account = map::account(&self.api.business()?)?;
        if let Some(chosen) = &self.staff {
            let staff = map::staff(&self.api.staff()?)?;
            if !staff.iter().any(|member| member.active && member.id == *chosen) {
                return Err(ProviderError::invalid("settings.staff_id", map::nobody(chosen, &staff)));
            }
        }
        Ok(account)
    }
}

berth_sdk::export!(
    Booksy: catalog, availability, bookings, webhooks, clients, blocks;
    manifest = "plugin.toml"
);

#[cfg(test)]
mod tests;
