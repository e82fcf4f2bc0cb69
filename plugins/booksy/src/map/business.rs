//! The business and who works there.

use berth_sdk::{
    Result,
    json::read,
    types::{Account, ProviderError},
};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Business {
    id: String,
    name: String,
    timezone: String,
    status: Option<String>,
}

/// A member of staff.
#[derive(Debug, Deserialize)]
pub(crate) struct Staff {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) active: bool,
}

/// Members of staff that an error names.
const NAMED_MAX: usize = 20;

/// The account behind the credential: the business. A suspended one takes no bookings.
pub(crate) fn account(answer: &Value) -> Result<Account> {
    let business: Business = read("business", answer)?;
    if business.status.as_deref() == Some("suspended") {
        return Err(ProviderError::Forbidden(format!("The business {} is suspended.", business.name)));
    }
    Ok(Account {
        id: business.id,
        name: business.name,
        email: None,
        time_zone: Some(business.timezone),
        raw: answer.to_string(),
    })
}

/// Everybody who works there, active or not.
pub(crate) fn staff(items: &[Value]) -> Result<Vec<Staff>> {
    items.iter().map(|item| read("member of staff", item)).collect()
}

/// What to say when nobody active has this id.
pub(crate) fn nobody(chosen: &str, staff: &[Staff]) -> String {
    let known: Vec<String> = staff
        .iter()
        .filter(|member| member.active)
        .take(NAMED_MAX)
        .map(|m| format!("{} ({})", m.id, m.name))
        .collect();
    format!("nobody who works there has the id {chosen}; there are: {}", known.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_business_is_the_account() {
        let answer = json!({"id": "biz_1", "name": "Salon Ada", "timezone": "Europe/Warsaw", "currency": "PLN",
            "status": "active"});
        let found = account(&answer).unwrap();
        assert_eq!((found.id.as_str(), found.name.as_str()), ("biz_1", "Salon Ada"));
        assert_eq!(found.time_zone.as_deref(), Some("Europe/Warsaw"));
        assert_eq!(account(&json!({"id": "biz_1"})), Err(ProviderError::Unavailable(None)));
    }

    #[test]
    fn a_suspended_business_is_refused() {
        let answer = json!({"id": "b", "name": "Salon", "timezone": "UTC", "status": "suspended"});
        assert!(matches!(account(&answer), Err(ProviderError::Forbidden(why)) if why.contains("suspended")));
    }

    #[test]
    fn an_unknown_member_of_staff_is_told_who_is_known() {
        let all = staff(&[
            json!({"id": "stf_1", "name": "Ola", "active": true}),
            json!({"id": "stf_2", "name": "Jan", "active": false}),
        ]);
        let said = nobody("stf_9", &all.unwrap());
        assert_eq!(said, "nobody who works there has the id stf_9; there are: stf_1 (Ola)");
    }
}
