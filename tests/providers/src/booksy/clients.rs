//! The business's clients.

use serde_json::{Value, json};

use super::{
    refusal::Refusal,
    state::{Client, State},
    views, webhooks,
};
use crate::front::{Answer, Call};

fn text(body: &Value, name: &str) -> Option<String> {
    body.get(name).and_then(Value::as_str).filter(|t| !t.is_empty()).map(str::to_owned)
}

pub(super) fn list(state: &State, call: Call<'_>) -> Vec<Value> {
    let fits = |c: &&Client| {
        let email = call
            .parameter("email")
            .is_none_or(|wanted| c.email.as_deref().is_some_and(|email| email.eq_ignore_ascii_case(wanted)));
        email && call.parameter("phone").is_none_or(|wanted| c.phone.as_deref() == Some(wanted))
    };
    state.clients.iter().filter(fits).map(views::client).collect()
}

/// The client whom a booking names: one of ours by id, or by what was written; the known one with the same address, if there is one.
pub(super) fn of_booking(state: &mut State, body: &Value) -> Result<String, Refusal> {
    if let Some(id) = body.get("client_id").and_then(Value::as_str) {
        let known = state.clients.iter().find(|c| c.id == id && !c.erased);
        return known.map(|c| c.id.clone()).ok_or_else(|| Refusal::not_found("client"));
    }
    let person = body.get("client").ok_or_else(|| Refusal::of_field("client", "is missing"))?;
    let (email, phone) = (text(person, "email"), text(person, "phone"));
    check(person, "client.")?;
    let same = |c: &&Client| match &email {
        Some(email) => c.email.as_ref() == Some(email),
        None => c.phone == phone,
    };
    if let Some(known) = state.clients.iter().find(same) {
        return Ok(known.id.clone());
    }
    Ok(add(state, person).id)
}

/// A client needs a name, and a way to be reached.
fn check(person: &Value, under: &str) -> Result<(), Refusal> {
    if text(person, "first_name").is_none() {
        return Err(Refusal::of_field(&format!("{under}first_name"), "is missing"));
    }
    let (email, phone) = (text(person, "email"), text(person, "phone"));
    if email.is_none() && phone.is_none() {
        return Err(Refusal::of_field(&format!("{under}email"), "or a phone number is needed"));
    }
    if email.is_some_and(|email| !email.contains('@')) {
        return Err(Refusal::of_field(&format!("{under}email"), "must be an e-mail address"));
    }
    Ok(())
}

fn add(state: &mut State, person: &Value) -> Client {
    let (id, now) = (state.new_id("cli"), state.now());
    let client = Client {
        id,
        first_name: text(person, "first_name"),
        last_name: text(person, "last_name"),
        email: text(person, "email"),
        phone: text(person, "phone"),
        locale: text(person, "locale"),
        external_ref: text(person, "external_ref"),
        contact_info: agrees(person).unwrap_or(true),
        erased: false,
        created_at: now,
        updated_at: now,
    };
    state.clients.push(client.clone());
    client
}

fn agrees(person: &Value) -> Option<bool> {
    person.pointer("/consent/contact_info").and_then(Value::as_bool)
}

pub(super) fn create(state: &mut State, body: &Value) -> Result<Answer, Refusal> {
    check(body, "")?;
    let client = add(state, body);
    Ok(Answer::new(201, views::client(&client)))
}

fn position(state: &State, id: &str) -> Result<usize, Refusal> {
    let known = state.clients.iter().position(|c| c.id == id && !c.erased);
    known.ok_or_else(|| Refusal::not_found("client"))
}

/// Fields that are left out stay as they are.
pub(super) fn update(state: &mut State, id: &str, body: &Value) -> Result<Answer, Refusal> {
    let (at, now) = (position(state, id)?, state.now());
    let client = &mut state.clients[at];
    for (name, field) in [
        ("first_name", &mut client.first_name),
        ("last_name", &mut client.last_name),
        ("email", &mut client.email),
        ("phone", &mut client.phone),
        ("locale", &mut client.locale),
        ("external_ref", &mut client.external_ref),
    ] {
        if body.get(name).is_some() {
            *field = text(body, name);
        }
    }
    client.contact_info = agrees(body).unwrap_or(client.contact_info);
    client.updated_at = now;
    let view = views::client(client);
    webhooks::emit(state, "client.updated", json!({ "client": view }));
    Ok(Answer::new(200, view))
}

/// The person is forgotten; bookings stay.
pub(super) fn erase(state: &mut State, id: &str) -> Result<Answer, Refusal> {
    let (at, now) = (position(state, id)?, state.now());
    let client = &mut state.clients[at];
    for field in [&mut client.first_name, &mut client.last_name, &mut client.email, &mut client.phone] {
        *field = None;
    }
    (client.erased, client.updated_at) = (true, now);
    let view = views::client(client);
    webhooks::emit(state, "client.erased", json!({ "client": view }));
    Ok(Answer::new(204, Value::Null))
}
