//! Contacts: found by e-mail address, then by telephone number.

use serde_json::{Value, json};

use super::{
    refusal::{Refusal, not_found, required, unprocessable},
    state::{Contact, State},
    views,
};

const PAGE_MAX: u64 = 500;

pub(super) fn upsert(state: &mut State, body: &Value) -> Result<Value, Refusal> {
    required(body, "locationId")?;
    let text =
        |name: &str| body.get(name).and_then(Value::as_str).filter(|t| !t.is_empty()).map(str::to_owned);
    let (email, phone) = (text("email"), text("phone"));
    if email.is_none() && phone.is_none() {
        return Err(unprocessable("email or phone should not be empty"));
    }
    if email.as_ref().is_some_and(|email| !email.contains('@')) {
        return Err(unprocessable("email must be an email"));
    }
    let same = |a: &Option<String>, b: &Option<String>| matches!((a, b), (Some(a), Some(b)) if a.eq_ignore_ascii_case(b));
    let at = state.contacts.iter().position(|c| same(&c.email, &email));
    let at = at.or_else(|| state.contacts.iter().position(|c| same(&c.phone, &phone)));
    let now = state.now();
    let new = at.is_none();
    let at = at.unwrap_or(state.contacts.len());
    if new {
        let id = state.new_id();
        state.contacts.push(Contact {
            id,
            first_name: String::new(),
            last_name: String::new(),
            email: None,
            phone: None,
            time_zone: None,
            source: None,
            added_at: now,
            updated_at: now,
        });
    }
    let Some(contact) = state.contacts.get_mut(at) else { return Err(not_found("Contact not found")) };
    contact.updated_at = now;
    contact.first_name = text("firstName").unwrap_or(std::mem::take(&mut contact.first_name));
    contact.last_name = text("lastName").unwrap_or(std::mem::take(&mut contact.last_name));
    contact.email = email.or(contact.email.take());
    contact.phone = phone.or(contact.phone.take());
    contact.time_zone = text("timezone").or(contact.time_zone.take());
    contact.source = text("source").or(contact.source.take());
    let contact = contact.clone();
    Ok(json!({ "new": new, "contact": views::contact(state, &contact) }))
}

/// Pages by what each contact's `searchAfter` says.
pub(super) fn search(state: &State, body: &Value) -> Result<Value, Refusal> {
    required(body, "locationId")?;
    let size = body.get("pageLimit").and_then(Value::as_u64).filter(|size| (1..=PAGE_MAX).contains(size));
    let size = size.ok_or_else(|| unprocessable("pageLimit must be a number from 1 to 500"))?;
    if let Some(order) = body.pointer("/sort/0")
        && (order["field"] != "dateAdded" || order["direction"] != "asc")
    {
        return Err(unprocessable("sort is not one that the simulator knows"));
    }
    let place = |contact: &Contact| (contact.added_at / 1_000, contact.id.clone());
    let after = body.get("searchAfter").and_then(Value::as_array).map(|after| {
        let text = after.get(1).and_then(Value::as_str).unwrap_or_default();
        (after.first().and_then(Value::as_i64).unwrap_or_default(), text.to_owned())
    });
    let mut found: Vec<&Contact> = state.contacts.iter().collect();
    found.sort_by_key(|contact| place(contact));
    let page = found.iter().filter(|contact| after.as_ref().is_none_or(|after| place(contact) > *after));
    let page = page.take(usize::try_from(size).unwrap_or(usize::MAX)).map(|contact| {
        let mut view = views::contact(state, contact);
        view["searchAfter"] = json!([contact.added_at / 1_000, contact.id]);
        view
    });
    Ok(json!({ "contacts": page.collect::<Vec<_>>(), "total": found.len() }))
}

pub(super) fn delete(state: &mut State, id: &str) -> Result<Value, Refusal> {
    let at = state.contacts.iter().position(|c| c.id == id).ok_or_else(|| not_found("Contact not found"))?;
    state.contacts.remove(at);
    // The service's own spelling.
    Ok(json!({ "succeded": true }))
}
