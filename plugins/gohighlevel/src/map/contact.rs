//! Contacts: the people behind appointments.

use berth_sdk::{
    Result,
    json::read,
    types::{Attendee, Client, ProviderError},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{member, some_text};

/// Where HighLevel says that a contact came from.
const SOURCE: &str = "Berth";

/// The body of `POST /contacts/upsert`. HighLevel finds a contact by its e-mail address or telephone number.
pub(crate) fn contact_body(location: &str, person: &Attendee) -> Result<Value> {
    if person.email.is_none() && person.phone.is_none() {
        return Err(ProviderError::invalid(
            "attendee.email",
            "HighLevel needs an e-mail address or a phone number",
        ));
    }
    let name = person.name.trim();
    let (first, last) = name.split_once(char::is_whitespace).unwrap_or((name, ""));
    let mut body =
        json!({ "locationId": location, "firstName": first, "timezone": person.time_zone, "source": SOURCE });
    let more = [
        ("lastName", Some(last.trim())),
        ("email", person.email.as_deref()),
        ("phone", person.phone.as_deref()),
    ];
    if let Some(fields) = body.as_object_mut() {
        for (name, text) in more {
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                fields.insert(name.to_owned(), json!(text));
            }
        }
    }
    Ok(body)
}

/// The id of the contact that was found or made.
pub(crate) fn contact_id(answer: &Value) -> Result<String> {
    some_text(answer.pointer("/contact/id")).ok_or(ProviderError::Unavailable(None))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Contact {
    id: String,
    name: Option<String>,
    /// In lists.
    #[serde(rename = "contactName")]
    listed_name: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    timezone: Option<String>,
}

/// One contact, as it is in `{"contact": …}`.
pub(crate) fn contact(answer: &Value) -> Result<Client> {
    client(&member("contact", answer.clone())?)
}

/// A page of contacts, and where the next begins: each contact of `POST /contacts/search` says how to go on behind it.
pub(crate) fn contacts(answer: &Value) -> Result<(Vec<Client>, Option<Value>)> {
    let list: Vec<Value> = read("contacts", &member("contacts", answer.clone())?)?;
    let next = list.last().and_then(|last| last.get("searchAfter")).filter(|next| !next.is_null()).cloned();
    Ok((list.iter().map(client).collect::<Result<_>>()?, next))
}

fn client(value: &Value) -> Result<Client> {
    let contact: Contact = read("contact", value)?;
    let filled = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    let both: Vec<String> = [contact.first_name, contact.last_name].into_iter().filter_map(filled).collect();
    let name =
        filled(Some(both.join(" "))).or_else(|| filled(contact.name)).or_else(|| filled(contact.listed_name));
    let person = Attendee {
        name: name.unwrap_or_default(),
        email: filled(contact.email),
        phone: filled(contact.phone),
        time_zone: filled(contact.timezone).unwrap_or_else(|| "UTC".to_owned()),
        language: None,
    };
    Ok(Client { id: contact.id, person, raw: value.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ada() -> Attendee {
        Attendee {
            name: "Ada Maria Nowak".to_owned(),
            email: Some("ada@example.com".to_owned()),
            phone: Some("+48600100200".to_owned()),
            time_zone: "Europe/Warsaw".to_owned(),
            language: Some("pl".to_owned()),
        }
    }

    #[test]
    fn a_body_names_what_there_is() {
        let expected = json!({"locationId": "loc_1", "firstName": "Ada", "lastName": "Maria Nowak",
            "email": "ada@example.com", "phone": "+48600100200", "timezone": "Europe/Warsaw", "source": "Berth"});
        assert_eq!(contact_body("loc_1", &ada()).unwrap(), expected);
        let bare = Attendee { name: "Ada".to_owned(), phone: None, ..ada() };
        let expected = json!({"locationId": "loc_1", "firstName": "Ada", "email": "ada@example.com",
            "timezone": "Europe/Warsaw", "source": "Berth"});
        assert_eq!(contact_body("loc_1", &bare).unwrap(), expected);
        let nobody = Attendee { email: None, phone: None, ..ada() };
        assert!(
            matches!(contact_body("loc_1", &nobody), Err(ProviderError::Invalid(p)) if p[0].field == "attendee.email")
        );
    }

    #[test]
    fn answers() {
        let answer = json!({"new": true, "contact": {"id": "con_1", "firstName": "Ada", "lastName": "Nowak",
            "email": "ada@example.com", "phone": "", "timezone": null}, "traceId": "x"});
        assert_eq!(contact_id(&answer).unwrap(), "con_1");
        let person = contact(&answer).unwrap().person;
        assert_eq!(
            (person.name.as_str(), person.phone, person.time_zone.as_str()),
            ("Ada Nowak", None, "UTC")
        );
        assert!(contact_id(&json!({"contact": {}})).is_err() && contact(&json!({})).is_err());
        let page = json!({"contacts": [{"id": "con_1", "contactName": "ada nowak", "searchAfter": [1, "con_1"]},
            {"id": "con_2", "email": "b@example.com", "searchAfter": [2, "con_2"]}], "total": 9});
        let (items, next) = contacts(&page).unwrap();
        assert_eq!((items[0].person.name.as_str(), items[1].person.name.as_str()), ("ada nowak", ""));
        assert_eq!(next, Some(json!([2, "con_2"])));
        assert_eq!(contacts(&json!({"contacts": []})).unwrap().1, None);
    }
}
