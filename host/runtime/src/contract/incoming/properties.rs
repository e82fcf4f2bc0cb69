//! Whatever a component puts into the fields of its answers: what comes out of here is bounded, shows what it is, and sends nobody
//! anywhere but to the web; or it is refused, by the name of the field.

use berth_model::{limits, text, zone::Zone};
use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::{Value, json};

use super::{super::bindings::exports::berth::provider::webhooks, *};

/// Addresses that nobody may be sent to, texts that read otherwise than they are, and what is too long.
const HOSTILE: [&str; 16] = [
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    " java\tscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "https://user:secret@example.com/",
    "../../etc/passwd",
    "Europe/../../etc/passwd",
    "Ada\u{202e}gnirts\u{202c}",
    "a\u{2066}b\u{2069}",
    "\u{200b}\u{feff}",
    "a\0b",
    "a\r\nBcc: all@example.com",
    "\u{1b}]0;owned\u{7}",
    "\u{e0041}\u{fffe}\u{85}",
    "",
];

fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        select(&HOSTILE[..]).prop_map(str::to_owned),
        select(vec!["Europe/Warsaw", "UTC", "ada@example.com", "https://example.com/a", "evt_1", "pl"])
            .prop_map(str::to_owned),
        (any::<char>(), 1_usize..20_000).prop_map(|(c, n)| c.to_string().repeat(n)),
        (select(&HOSTILE[..]), 1_usize..2_000).prop_map(|(text, n)| text.repeat(n)),
    ]
}

fn raw() -> impl Strategy<Value = String> {
    prop_oneof![
        hostile(),
        hostile().prop_map(|text| json!({ "name": text }).to_string()),
        Just(json!({ "note": "x".repeat(limits::REPLY_RAW_BYTES_MAX) }).to_string()),
        Just(r#"{"a\u0000":["\u0000"]}"#.to_owned()),
    ]
}

fn when() -> impl Strategy<Value = wit::Interval> {
    (any::<i64>(), any::<i64>(), any::<bool>()).prop_map(|(start, length, sane)| {
        let start = if sane { start % 4_000_000_000_000_000 } else { start };
        wit::Interval {
            start,
            end: start.saturating_add(if sane { length.rem_euclid(86_400_000_000) } else { length }),
        }
    })
}

prop_compose! {
    fn person()(
        name in hostile(), email in option::of(hostile()), phone in option::of(hostile()), time_zone in hostile(),
        language in option::of(hostile()),
    ) -> wit::Attendee {
        wit::Attendee { name, email, phone, time_zone, language }
    }
}

prop_compose! {
    fn a_booking()(
        (id, when, raw) in (hostile(), when(), raw()),
        texts in vec(option::of(hostile()), 7),
        attendees in vec(person(), 0..3),
        updated_at in option::of(any::<i64>()),
    ) -> wit::Booking {
        let mut texts = texts.into_iter();
        let mut next = || texts.next().flatten();
        wit::Booking {
            id, when, raw, attendees, updated_at,
            status: wit::BookingStatus::Confirmed,
            reference: next(), event_type: next(), title: next(), location: next(), cancellation_reason: next(),
            rescheduled_from: next(), rescheduled_to: next(),
        }
    }
}

prop_compose! {
    fn an_event_type()(
        (id, title, description) in (hostile(), hostile(), option::of(hostile())),
        (currency, booking_url, raw) in (option::of(hostile()), option::of(hostile()), raw()),
        length_options_minutes in vec(any::<u32>(), 0..5),
    ) -> wit::EventType {
        wit::EventType {
            id, title, description, length_options_minutes, booking_url, raw,
            length_minutes: 30, buffer_before_minutes: 0, buffer_after_minutes: 0, minimum_notice_minutes: 0, seats: 1,
            price: currency.map(|currency| wit::Money { minor_units: i64::MAX, currency }),
            needs_confirmation: false, active: true,
        }
    }
}

fn an_error() -> impl Strategy<Value = wit::ProviderError> {
    use wit::ProviderError as E;
    prop_oneof![
        hostile().prop_map(E::Forbidden),
        hostile().prop_map(|why| E::Conflict(wit::Conflict::WrongState(why))),
        vec((hostile(), hostile()), 0..3).prop_map(|all| {
            E::Invalid(all.into_iter().map(|(field, message)| wit::FieldProblem { field, message }).collect())
        }),
        option::of(hostile()).prop_map(E::Unsupported),
        (any::<u16>(), hostile(), hostile())
            .prop_map(|(status, code, message)| E::Vendor(wit::VendorError { status, code, message })),
    ]
}

/// Every text of a value but the provider's own JSON: what is in it, and how long it may be by its name.
fn check(name: &str, value: &Value) -> Result<(), TestCaseError> {
    match value {
        Value::String(text) => {
            let tokens = ["next", "cursor", "token"];
            prop_assert!(
                text.len()
                    <= if tokens.contains(&name) {
                        limits::REPLY_LINE_BYTES_MAX
                    } else {
                        4 * limits::REPLY_TEXT_CHARS_MAX
                    },
                "{name} is long"
            );
            let hidden = |c: char| text::is_forbidden(c) && !matches!(c, '\n' | '\t');
            prop_assert!(!text.chars().any(hidden), "{name}: {text:?}");
            match name {
                "id" | "event_type" | "rescheduled_from" | "rescheduled_to" => {
                    prop_assert!(!text.is_empty() && text.len() <= limits::REPLY_ID_BYTES_MAX);
                }
                "time_zone" => {
                    prop_assert!(text.parse::<Zone>().is_ok(), "{text}");
                }
                "booking_url" | "url" => {
                    prop_assert!(text::is_web_address(text, limits::REPLY_ADDRESS_BYTES_MAX), "{text}");
                }
                "location" => {
                    prop_assert!(!text::is_active_address(text), "{text}");
                }
                "name" | "title" => {
                    prop_assert!(
                        text.chars().count() <= limits::REPLY_NAME_CHARS_MAX && !text.contains(['\n', '\t'])
                    );
                }
                _ => {}
            }
        }
        Value::Array(items) => items.iter().try_for_each(|item| check(name, item))?,
        Value::Object(members) => {
            for (name, member) in members {
                if name == "raw" {
                    let text = member.to_string();
                    prop_assert!(text.len() <= 2 * limits::REPLY_RAW_BYTES_MAX && !text.contains("\\u0000"));
                } else {
                    check(name, member)?;
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
    Ok(())
}

fn checked<T: serde::Serialize>(outcome: Checked<T>) -> Result<(), TestCaseError> {
    outcome.map_or(Ok(()), |value| check("", &json!(value)))
}

proptest! {
    #[test]
    fn accounts((id, name) in (hostile(), hostile()), email in option::of(hostile()), time_zone in option::of(hostile()), raw in raw()) {
        checked(account(connection::Account { id, name, email, time_zone, raw }))?;
    }

    #[test]
    fn bookings(of in a_booking(), cursor in hostile(), old_id in hostile()) {
        checked(booking(of.clone()))?;
        checked(changes(bookings::ChangePage { items: vec![of.clone()], cursor, more: false }).map(|page| json!({ "cursor": page.cursor, "items": page.items })))?;
        let moved = webhooks::WebhookEvent::Rescheduled(webhooks::Rescheduled { old_id, booking: of });
        let outcome = webhook_outcome(webhooks::WebhookOutcome { events: vec![moved], reply: None });
        if let Ok(model::WebhookOutcome { events, .. }) = outcome
            && let [model::WebhookEvent::Rescheduled { old_id, booking }] = &events[..]
        {
            check("id", &json!(old_id))?;
            check("", &json!(booking))?;
        }
    }

    #[test]
    fn event_types_and_links(of in an_event_type(), (url, next) in (hostile(), option::of(hostile()))) {
        checked(event_types(catalog::EventTypePage { items: vec![of], next }))?;
        checked(booking_link(links::BookingLink { url, expires_at: None }))?;
    }

    #[test]
    fn what_is_taken((when, id) in (when(), hostile()), text in option::of(hostile()), raw in raw()) {
        checked(slots(vec![wit::Slot { when, token: text.clone(), seats_left: None }]))?;
        checked(busy_times(vec![availability::BusyTime { when, source: text }]))?;
        let closed = block(blocks::Block { id: id.clone(), calendar: id, when, raw });
        checked(closed.map(|b| json!({ "id": b.id, "calendar": b.calendar, "raw": b.raw })))?;
    }

    #[test]
    fn customers_and_subscriptions(person in person(), (id, raw) in (hostile(), raw()), data in option::of(hostile())) {
        let page = clients::ClientPage { items: vec![clients::Client { id: id.clone(), person, raw }], next: data.clone() };
        checked(client_page(page))?;
        if let Ok(kept) = subscription(webhooks::Subscription { id, expires_at: None, data }) {
            check("id", &json!(kept.id))?;
            prop_assert!(kept.data.is_none_or(|data| data.len() <= limits::STATE_VALUE_BYTES_MAX && !data.contains('\0')));
        }
    }

    #[test]
    fn errors(of in an_error()) {
        check("", &json!(provider_error(of)))?;
    }
}
