//! Who else is connected to the same account at a provider. It may be right, and is said because it may not be meant.

use berth_model::{
    connections::connection::{ConnectionRecord, ConnectionState},
    id::ConnectionId,
};
use serde_json::Value;

use super::is_same_account;
use crate::{Outcome, connections::Connections};

/// Other connections to the account of a connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SameAccount {
    /// Those of the same tenant, with their names.
    pub own: Vec<(ConnectionId, String)>,
    /// Does another tenant of this server have one, too? Which one is its own affair.
    pub elsewhere: bool,
}

impl SameAccount {
    /// Constant name for machines.
    pub const CODE: &str = "same_account";

    /// In words, with why it may be right; none if there are no others.
    #[must_use]
    pub fn detail(&self) -> Option<String> {
        let mut others: Vec<String> = self.own.iter().map(|(id, name)| format!("{name} ({id})")).collect();
        if self.elsewhere {
            others.push("a connection of another tenant of this server".to_owned());
        }
        if others.is_empty() {
            return None;
        }
        Some(format!(
            "Also connected to this account: {}. That may be right: two listings with rules of their own, or one person in two businesses. \
             What one of them books stays its own; to the other the time is taken.",
            others.join(", ")
        ))
    }
}

impl Connections {
    /// Other connections, of any tenant, to the account of this one.
    pub async fn same_account(&self, connection: &ConnectionRecord) -> Outcome<SameAccount> {
        let Some(account) = connection.account.get("id").and_then(Value::as_str).filter(|id| !id.is_empty())
        else {
            return Ok(SameAccount::default());
        };
        let stopped = connection.state == ConnectionState::Disconnected;
        let Some(manifest) = self.providers.manifest(&connection.plugin).filter(|_| !stopped) else {
            return Ok(SameAccount::default());
        };
        let all = self.base.store().connections_of_account(&connection.plugin, account).await?;
        let (own, others): (Vec<_>, Vec<_>) = all
            .into_iter()
            .filter(|other| other.id != connection.id && is_same_account(&manifest, other, connection))
            .partition(|other| other.tenant == connection.tenant);
        let own = own.into_iter().map(|other| (other.id, other.name)).collect();
        Ok(SameAccount { own, elsewhere: !others.is_empty() })
    }
}
