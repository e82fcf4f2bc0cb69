//! `GET /me`.

use berth_sdk::{Result, json::read, types::Account};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Me {
    id: String,
    display_name: Option<String>,
    mail: Option<String>,
    user_principal_name: Option<String>,
}

/// The account behind the credential. Its time zone would need a permission of its own.
pub(crate) fn account(me: &Value) -> Result<Account> {
    let Me { id, display_name, mail, user_principal_name } = read("account", me)?;
    let given = |text: &String| !text.is_empty();
    let email = mail.filter(given).or_else(|| user_principal_name.filter(|name| name.contains('@')));
    let name = display_name.filter(given).or_else(|| email.clone()).unwrap_or_else(|| id.clone());
    Ok(Account { id, name, email, time_zone: None, raw: me.to_string() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_best_name_that_there_is() {
        let of = |me: Value| account(&me).map(|a| (a.name, a.email)).unwrap();
        let mail = || Some("eve@example.com".to_owned());
        assert_eq!(
            of(json!({"id": "7", "displayName": "Eve", "mail": "eve@example.com"})),
            ("Eve".to_owned(), mail())
        );
        assert_eq!(
            of(json!({"id": "7", "displayName": "", "mail": null, "userPrincipalName": "eve@example.com"})),
            ("eve@example.com".to_owned(), mail())
        );
        assert_eq!(of(json!({"id": "7", "userPrincipalName": "live.com#eve"})), ("7".to_owned(), None));
        assert!(account(&json!({"displayName": "no id"})).is_err());
    }
}
