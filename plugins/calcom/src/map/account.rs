//! `GET /v2/me`.

use berth_sdk::{Result, json::read, types::Account};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Me {
    id: i64,
    username: Option<String>,
    name: Option<String>,
    email: Option<String>,
    time_zone: Option<String>,
}

/// The account behind the credential.
pub(crate) fn account(data: &Value) -> Result<Account> {
    let me: Me = read("account", data)?;
    Ok(Account {
        id: me.id.to_string(),
        name: me.name.or(me.username).or_else(|| me.email.clone()).unwrap_or_else(|| me.id.to_string()),
        email: me.email,
        time_zone: me.time_zone,
        raw: data.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_best_name_that_there_is() {
        let full = json!({"id": 7, "username": "eve", "name": "Eve", "email": "eve@example.com",
            "timeZone": "Europe/Warsaw", "organizationId": null});
        let account_of_eve = account(&full).unwrap();
        assert_eq!((account_of_eve.id.as_str(), account_of_eve.name.as_str()), ("7", "Eve"));
        assert_eq!(account_of_eve.time_zone.as_deref(), Some("Europe/Warsaw"));
        let bare = account(&json!({"id": 7, "email": "eve@example.com"})).unwrap();
        assert_eq!(bare.name, "eve@example.com");
        assert!(account(&json!({"name": "no id"})).is_err());
    }
}
