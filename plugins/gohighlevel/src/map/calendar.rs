//! Calendars as event types, and links to them.

use berth_sdk::{
    Result,
    json::read,
    types::{EventType, ProviderError},
};
use serde::Deserialize;
use serde_json::Value;

use super::answer::member;

/// Where a calendar can be booked by anybody, before its id.
const BOOKING_PAGE: &str = "https://api.leadconnectorhq.com/widget/booking/";
/// Length of an appointment, in minutes, where a calendar does not say: HighLevel's own default.
const LENGTH_MINUTES: u32 = 30;

/// A calendar. Its lengths are numbers with a unit beside them.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Calendar {
    pub(crate) id: String,
    name: String,
    description: Option<String>,
    slug: Option<String>,
    widget_slug: Option<String>,
    is_active: Option<bool>,
    auto_confirm: Option<bool>,
    slot_duration: Option<f64>,
    slot_duration_unit: Option<String>,
    slot_buffer: Option<f64>,
    slot_buffer_unit: Option<String>,
    pre_buffer: Option<f64>,
    pre_buffer_unit: Option<String>,
    allow_booking_after: Option<f64>,
    allow_booking_after_unit: Option<String>,
    /// HighLevel's spelling.
    #[serde(rename = "appoinmentPerSlot")]
    appointments_per_slot: Option<f64>,
    #[serde(default)]
    team_members: Vec<TeamMember>,
    #[serde(skip)]
    raw: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TeamMember {
    user_id: Option<String>,
}

/// One calendar, as it is in `{"calendar": …}`.
pub(crate) fn calendar(answer: &Value) -> Result<Calendar> {
    one(&member("calendar", answer.clone())?)
}

/// All calendars, as they are in `{"calendars": […]}`.
pub(crate) fn calendars(answer: &Value) -> Result<Vec<Calendar>> {
    let list: Vec<Value> = read("calendars", &member("calendars", answer.clone())?)?;
    list.iter().map(one).collect()
}

fn one(value: &Value) -> Result<Calendar> {
    Ok(Calendar { raw: value.to_string(), ..read("calendar", value)? })
}

impl Calendar {
    /// As an event type.
    pub(crate) fn event_type(&self) -> EventType {
        EventType {
            id: self.id.clone(),
            title: self.name.clone(),
            description: self.description.clone().filter(|text| !text.is_empty()),
            length_minutes: self.length_minutes(),
            length_options_minutes: Vec::new(),
            buffer_before_minutes: minutes(self.pre_buffer, self.pre_buffer_unit.as_deref(), "mins"),
            buffer_after_minutes: minutes(self.slot_buffer, self.slot_buffer_unit.as_deref(), "mins"),
            minimum_notice_minutes: minutes(
                self.allow_booking_after,
                self.allow_booking_after_unit.as_deref(),
                "hours",
            ),
            seats: minutes(self.appointments_per_slot, None, "mins").max(1),
            price: None,
            needs_confirmation: !self.confirms_by_itself(),
            booking_url: Some(format!("{BOOKING_PAGE}{}", self.id)),
            active: self.is_active.unwrap_or(true),
            raw: self.raw.clone(),
        }
    }

    /// How long an appointment is.
    pub(crate) fn length_minutes(&self) -> u32 {
        match minutes(self.slot_duration, self.slot_duration_unit.as_deref(), "mins") {
            0 => LENGTH_MINUTES,
            length => length,
        }
    }

    /// There is one length: is this it?
    pub(crate) fn check_length(&self, field: &str, minutes: Option<i64>) -> Result<()> {
        let own = self.length_minutes();
        if minutes.is_none_or(|minutes| minutes == i64::from(own)) {
            return Ok(());
        }
        let message = format!("must be {own} minutes long, as this calendar's appointments are");
        Err(ProviderError::invalid(field, message))
    }

    /// Is an appointment confirmed at once, or does it wait for a person?
    pub(crate) fn confirms_by_itself(&self) -> bool {
        self.auto_confirm.unwrap_or(true)
    }

    /// The member who gets every appointment, if there is only one. With more HighLevel chooses.
    pub(crate) fn only_member(&self) -> Option<&str> {
        match self.team_members.as_slice() {
            [one] => one.user_id.as_deref(),
            _ => None,
        }
    }

    /// Is this the last part of the address of its page?
    pub(crate) fn has_slug(&self, slug: &str) -> bool {
        self.widget_slug.as_deref() == Some(slug) || self.slug.as_deref() == Some(slug)
    }
}

/// A number with its unit, in whole minutes; 0 for none and for what is out of range. A unit that is not written is
/// `usual`.
fn minutes(number: Option<f64>, unit: Option<&str>, usual: &str) -> u32 {
    let factor = match unit.unwrap_or(usual) {
        "hours" => 60.0,
        "days" => 24.0 * 60.0,
        "weeks" => 7.0 * 24.0 * 60.0,
        "months" => 30.0 * 24.0 * 60.0,
        _ => 1.0,
    };
    let minutes = (number.unwrap_or(0.0) * factor).round();
    if !(0.0..=f64::from(u32::MAX)).contains(&minutes) {
        return 0;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range, as just checked")]
    let whole = minutes as u32;
    whole
}

/// What a public link says of its calendar.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Link<'a> {
    Id(&'a str),
    Slug(&'a str),
}

/// `…/widget/booking/{id}`, or `…/widget/bookings/{slug}` with the slug of a group before it perhaps. Sub-accounts have
/// domains of their own, so the host may be any.
pub(crate) fn public_link(url: &str) -> Result<Link<'_>> {
    let link = || {
        let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
        let path = rest.split(['?', '#']).next()?;
        let mut parts = path.trim_end_matches('/').split('/').skip_while(|part| *part != "widget").skip(1);
        let kind = parts.next()?;
        let last = parts.last().filter(|last| !last.is_empty())?;
        match kind {
            "booking" => Some(Link::Id(last)),
            "bookings" => Some(Link::Slug(last)),
            _ => None,
        }
    };
    link().ok_or(ProviderError::NotFound)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_full_calendar() {
        let answer = json!({"calendar": {"id": "cal_1", "locationId": "loc_1", "name": "Consultation",
            "description": "Talk", "slug": "consultation", "widgetSlug": "eve-consultation", "isActive": true,
            "calendarType": "round_robin", "slotDuration": 1.5, "slotDurationUnit": "hours", "slotBuffer": 10,
            "slotBufferUnit": "mins", "preBuffer": 5, "allowBookingAfter": 2, "allowBookingAfterUnit": "days",
            "appoinmentPerSlot": 8, "autoConfirm": false, "teamMembers": [{"userId": "usr_1", "priority": 0.5}],
            "unknown": {"new": 1}}});
        let calendar = calendar(&answer).unwrap();
        let e = calendar.event_type();
        assert_eq!(
            (e.id.as_str(), e.title.as_str(), e.length_minutes, e.seats),
            ("cal_1", "Consultation", 90, 8)
        );
        assert_eq!((e.buffer_before_minutes, e.buffer_after_minutes), (5, 10));
        assert_eq!(e.minimum_notice_minutes, 2 * 24 * 60);
        assert!(e.needs_confirmation && e.active);
        assert_eq!(e.booking_url.as_deref(), Some("https://api.leadconnectorhq.com/widget/booking/cal_1"));
        assert_eq!(serde_json::from_str::<Value>(&e.raw).unwrap(), answer["calendar"]);
        assert_eq!(calendar.only_member(), Some("usr_1"));
        assert!(calendar.has_slug("eve-consultation") && calendar.has_slug("consultation"));
        assert!(
            calendar.check_length("when", Some(90)).is_ok() && calendar.check_length("when", None).is_ok()
        );
        assert!(
            matches!(calendar.check_length("when", Some(30)), Err(ProviderError::Invalid(p)) if p[0].field == "when")
        );
    }

    #[test]
    fn a_bare_calendar_and_odd_numbers() {
        let answer = json!({"calendars": [{"id": "cal_2", "locationId": "loc_1", "name": "Talk"},
            {"id": "cal_3", "locationId": "loc_1", "name": "Odd", "isActive": false, "slotDuration": -1,
                "slotBuffer": 1e300, "allowBookingAfter": 3, "teamMembers": [{"userId": "a"}, {"userId": "b"}]}]});
        let both = calendars(&answer).unwrap();
        let bare = both[0].event_type();
        assert_eq!((bare.length_minutes, bare.seats, bare.minimum_notice_minutes), (30, 1, 0));
        assert!(!bare.needs_confirmation && bare.active && bare.description.is_none());
        let odd = both[1].event_type();
        assert_eq!((odd.length_minutes, odd.buffer_after_minutes, odd.minimum_notice_minutes), (30, 0, 180));
        assert!(!odd.active && both[1].only_member().is_none());
        assert!(calendars(&json!({})).is_err() && calendar(&json!({"calendar": {}})).is_err());
    }

    #[test]
    fn public_links() {
        for (url, expected) in [
            ("https://api.leadconnectorhq.com/widget/booking/cal_1?x=1", Some(Link::Id("cal_1"))),
            ("https://book.eve.example/widget/bookings/consultation/", Some(Link::Slug("consultation"))),
            (
                "https://book.eve.example/widget/bookings/eve/consultation#top",
                Some(Link::Slug("consultation")),
            ),
            ("https://book.eve.example/widget/form/1", None),
            ("https://book.eve.example/widget/booking/", None),
            ("cal_1", None),
        ] {
            assert_eq!(public_link(url).ok(), expected, "{url}");
        }
    }
}
