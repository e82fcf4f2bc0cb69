//! What is said of an appointment stands in its description and its address, and who has it is one of its fields. Whose it is, is a contact,
//! which an appointment keeps: the contact is changed by people, since other appointments are theirs, too.

use berth_sdk::{
    BookingEdits, Result,
    json::set,
    types::{Booking, MeetingPlace, Part, ProviderError, ReassignRequest, UpdateRequest},
};
use serde_json::{Value, json};

use crate::{HighLevel, map};

impl BookingEdits for HighLevel {
    fn update(&self, request: UpdateRequest) -> Result<Booking> {
        if request.changes(Part::Attendee) {
            return Err(ProviderError::Unsupported(None));
        }
        let mut body = json!({ "toNotify": self.settings.notify });
        if request.changes(Part::Location) {
            let address = match &request.location {
                None => String::new(),
                Some(MeetingPlace::Address(text) | MeetingPlace::Link(text)) => text.clone(),
                Some(MeetingPlace::Phone(number)) => {
                    number.clone().or_else(|| request.attendee.phone.clone()).unwrap_or_default()
                }
                Some(MeetingPlace::Conferencing) => return Err(ProviderError::Unsupported(None)),
            };
            set(&mut body, "address", json!(address));
        }
        let (event, booking) = self.standing(&request.id)?;
        if request.beyond(&[Part::Location]).is_some() {
            let calendar = booking.event_type.as_deref().unwrap_or_default();
            let description = map::description(&request.made_anew(calendar, booking.when))?;
            set(&mut body, "description", json!(description));
        }
        self.written(event, &request.id, &body)
    }

    fn reassign(&self, request: ReassignRequest) -> Result<Booking> {
        let (event, _) = self.standing(&request.id)?;
        let body = json!({ "assignedUserId": request.host, "toNotify": self.settings.notify });
        self.written(event, &request.id, &body)
    }
}

impl HighLevel {
    /// An appointment that takes place.
    fn standing(&self, id: &str) -> Result<(Value, Booking)> {
        let event = self.event(id)?;
        let booking = map::booking(&event, &event, Vec::new())?;
        if booking.status.is_active() {
            Ok((event, booking))
        } else {
            Err(ProviderError::wrong_state("The appointment is cancelled or over."))
        }
    }

    fn written(&self, event: Value, id: &str, body: &Value) -> Result<Booking> {
        let people = self.people(&event)?;
        let answer = self.api.update_appointment(id, body)?;
        let now = map::overlaid(map::overlaid(event, body), &answer);
        Ok(Booking { updated_at: None, ..map::booking(&now, &answer, people)? })
    }
}
