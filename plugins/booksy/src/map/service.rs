//! Services.

use berth_sdk::{
    Result,
    json::read,
    types::{EventType, EventTypePage, Money},
};
use serde::Deserialize;
use serde_json::Value;

use super::list::Page;

#[derive(Deserialize)]
struct Service {
    id: String,
    name: String,
    description: Option<String>,
    duration_minutes: u32,
    buffer_before_minutes: Option<u32>,
    buffer_after_minutes: Option<u32>,
    price: Option<Price>,
    price_type: Option<String>,
    capacity: Option<u32>,
    active: bool,
    staff_ids: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Price {
    amount: i64,
    currency: String,
}

/// A page of services. With a chosen member of staff, those of others cannot be booked.
pub(crate) fn services(answer: &Value, chosen: Option<&str>) -> Result<EventTypePage> {
    let page: Page = read("page of services", answer)?;
    let items = page.data.iter().map(|item| service(item, chosen)).collect::<Result<_>>()?;
    Ok(EventTypePage { items, next: page.next_cursor })
}

fn service(item: &Value, chosen: Option<&str>) -> Result<EventType> {
    let s: Service = read("service", item)?;
    let done_by_chosen =
        chosen.is_none_or(|id| s.staff_ids.as_ref().is_none_or(|ids| ids.iter().any(|known| known == id)));
    Ok(EventType {
        id: s.id,
        title: s.name,
        description: s.description.filter(|d| !d.is_empty()),
        length_minutes: s.duration_minutes,
        length_options_minutes: Vec::new(),
        buffer_before_minutes: s.buffer_before_minutes.unwrap_or(0),
        buffer_after_minutes: s.buffer_after_minutes.unwrap_or(0),
        minimum_notice_minutes: 0,
        seats: s.capacity.unwrap_or(1).max(1),
        price: money(s.price, s.price_type.as_deref()),
        // Whether somebody confirms is the business's own rule; the contract tells it only of each booking.
        needs_confirmation: false,
        booking_url: None,
        active: s.active && done_by_chosen,
        raw: item.to_string(),
    })
}

/// A price that everybody may know and that does not vary. `starts_at` is the least.
fn money(price: Option<Price>, kind: Option<&str>) -> Option<Money> {
    let price = price.filter(|_| matches!(kind, None | Some("fixed" | "starts_at")))?;
    Some(Money { minor_units: price.amount, currency: price.currency.to_uppercase() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn haircut() -> Value {
        json!({"id": "svc_1", "name": "Haircut", "description": "", "category": "Hair", "duration_minutes": 45,
            "buffer_before_minutes": 0, "buffer_after_minutes": 10, "price": {"amount": 12000, "currency": "PLN"},
            "price_type": "fixed", "capacity": 1, "active": true, "staff_ids": ["stf_1"],
            "updated_at": "2026-01-01T00:00:00Z", "unknown": 1})
    }

    fn one(item: &Value, chosen: Option<&str>) -> EventType {
        services(&json!({"data": [item], "next_cursor": null}), chosen).unwrap().items.remove(0)
    }

    #[test]
    fn a_full_service() {
        let found = one(&haircut(), None);
        assert_eq!((found.id.as_str(), found.title.as_str(), found.length_minutes), ("svc_1", "Haircut", 45));
        assert_eq!((found.buffer_before_minutes, found.buffer_after_minutes, found.seats), (0, 10, 1));
        assert_eq!(found.price, Some(Money { minor_units: 12_000, currency: "PLN".to_owned() }));
        assert_eq!((found.description, found.active), (None, true));
        assert_eq!(serde_json::from_str::<Value>(&found.raw).unwrap(), haircut());
    }

    #[test]
    fn a_bare_service_has_sound_defaults() {
        let found = one(&json!({"id": "s", "name": "S", "duration_minutes": 5, "active": false}), Some("x"));
        assert_eq!((found.seats, found.price, found.active), (1, None, false));
    }

    #[test]
    fn only_prices_that_hold_are_told() {
        for (kind, told) in
            [("fixed", true), ("starts_at", true), ("varies", false), ("free", false), ("hidden", false)]
        {
            let mut item = haircut();
            item["price_type"] = json!(kind);
            assert_eq!(one(&item, None).price.is_some(), told, "{kind}");
        }
    }

    #[test]
    fn services_of_others_cannot_be_booked_with_a_chosen_member_of_staff() {
        assert!(one(&haircut(), Some("stf_1")).active);
        assert!(!one(&haircut(), Some("stf_2")).active);
    }

    #[test]
    fn pages_go_on_while_there_is_a_cursor() {
        let page = services(&json!({"data": [], "next_cursor": "c2"}), None).unwrap();
        assert_eq!(page.next.as_deref(), Some("c2"));
        assert!(services(&json!({"items": []}), None).is_err());
    }
}
