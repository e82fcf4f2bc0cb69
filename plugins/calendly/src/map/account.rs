//! `GET /users/me`.

use berth_sdk::{Result, json::read, types::Account};
use serde::Deserialize;
use serde_json::Value;

use super::uri::last_part;
use crate::owner::Owner;

#[derive(Deserialize)]
struct Me {
    uri: String,
    name: Option<String>,
    email: Option<String>,
    timezone: Option<String>,
    current_organization: String,
}

/// The account behind the credential.
pub(crate) fn account(me: &Value) -> Result<Account> {
    let raw = me.to_string();
    let me: Me = read("account", me)?;
    let id = last_part(&me.uri).to_owned();
    Ok(Account {
        name: me.name.filter(|n| !n.is_empty()).or_else(|| me.email.clone()).unwrap_or_else(|| id.clone()),
        email: me.email,
        // The documentation shows `America/New York` too, which is no IANA zone.
        time_zone: me.timezone.filter(|zone| !zone.is_empty() && !zone.contains(' ')),
        raw,
        id,
    })
}

/// The addresses that lists ask for.
pub(crate) fn owner(me: &Value) -> Result<Owner> {
    let me: Me = read("account", me)?;
    Ok(Owner { user: me.uri, organization: me.current_organization })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_account_and_whose_it_is() {
        let me = json!({"uri": "https://api.calendly.com/users/U1", "name": "Eve", "email": "eve@example.com",
            "timezone": "Europe/Warsaw", "current_organization": "https://api.calendly.com/organizations/O1"});
        let eve = account(&me).unwrap();
        assert_eq!((eve.id.as_str(), eve.name.as_str()), ("U1", "Eve"));
        assert_eq!(eve.time_zone.as_deref(), Some("Europe/Warsaw"));
        assert_eq!(owner(&me).unwrap().organization, "https://api.calendly.com/organizations/O1");
        let mut bare = me;
        (bare["name"], bare["timezone"]) = (json!(""), json!("America/New York"));
        let bare = account(&bare).unwrap();
        assert_eq!((bare.name.as_str(), bare.time_zone), ("eve@example.com", None));
        assert!(account(&json!({"name": "no address"})).is_err());
    }
}
