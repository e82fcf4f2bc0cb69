//! Clients. Without consent the service hides how to reach one; of an erased one even the name is null.

use berth_sdk::{
    Result,
    json::read,
    types::{Attendee, Client, ClientPage},
};
use serde::Deserialize;
use serde_json::Value;

use super::list::Page;

#[derive(Debug, Default, Deserialize)]
pub(super) struct Person {
    first_name: Option<String>,
    last_name: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    locale: Option<String>,
}

#[derive(Deserialize)]
struct Known {
    id: String,
    #[serde(flatten)]
    person: Person,
}

/// A page of clients; `time_zone` for all of them.
pub(crate) fn clients(answer: &Value, time_zone: &str) -> Result<ClientPage> {
    let page: Page = read("page of clients", answer)?;
    let items = page.data.iter().map(|item| {
        let known: Known = read("client", item)?;
        Ok(Client { id: known.id, person: attendee(known.person, time_zone), raw: item.to_string() })
    });
    Ok(ClientPage { items: items.collect::<Result<_>>()?, next: page.next_cursor })
}

/// A person as Berth names them.
pub(super) fn attendee(person: Person, time_zone: &str) -> Attendee {
    let name = [person.first_name, person.last_name].into_iter().flatten().filter(|part| !part.is_empty());
    Attendee {
        name: name.collect::<Vec<_>>().join(" "),
        email: person.email.filter(|e| !e.is_empty()),
        phone: person.phone.filter(|p| !p.is_empty()),
        time_zone: time_zone.to_owned(),
        language: person.locale.filter(|l| !l.is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn clients_with_and_without_consent_and_erased_ones() {
        let ada = json!({"id": "cli_1", "first_name": "Ada", "last_name": "Nowak", "email": "ada@example.com",
            "phone": "+48600100200", "locale": "pl", "consent": {"contact_info": true}, "updated_at": "2026-01-01T00:00:00Z"});
        let hidden = json!({"id": "cli_2", "first_name": "Bob", "email": null, "phone": null,
            "consent": {"contact_info": false}, "updated_at": "2026-01-01T00:00:00Z"});
        let erased =
            json!({"id": "cli_3", "first_name": null, "last_name": null, "email": null, "phone": null});
        let page = json!({"data": [ada, hidden, erased], "next_cursor": "n"});
        let found = clients(&page, "Europe/Warsaw").unwrap();
        assert_eq!(found.next.as_deref(), Some("n"));
        let shown: Vec<_> =
            found.items.iter().map(|c| (c.person.name.as_str(), c.person.email.as_deref())).collect();
        assert_eq!(shown, [("Ada Nowak", Some("ada@example.com")), ("Bob", None), ("", None)]);
        assert_eq!(found.items[0].person.time_zone, "Europe/Warsaw");
        assert_eq!(found.items[0].person.language.as_deref(), Some("pl"));
    }
}
