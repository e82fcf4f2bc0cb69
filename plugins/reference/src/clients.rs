//! Customers: everybody with an e-mail address in a booking.

use std::collections::BTreeMap;

use berth_sdk::{
    Clients, Result,
    types::{Attendee, Booking, Client, ClientPage, PageRequest, ProviderError},
};

use crate::{Reference, store};

impl Clients for Reference {
    fn list_clients(&self, page: PageRequest) -> Result<ClientPage> {
        self.run("list_clients", || {
            let start: usize = match &page.token {
                None => 0,
                Some(token) => token.parse().map_err(|_| ProviderError::CursorExpired)?,
            };
            let people: BTreeMap<String, Attendee> = store::all()?
                .into_iter()
                .flat_map(|s| s.booking.attendees)
                .filter_map(|a| Some((id_of(&a)?, a)))
                .collect();
            let size = self.settings.page_items(page.limit);
            let next = (start + size < people.len()).then(|| (start + size).to_string());
            let items = people.into_iter().skip(start).take(size).map(|(id, person)| Client {
                raw: format!(r#"{{"id":"{id}"}}"#),
                id,
                person,
            });
            Ok(ClientPage { items: items.collect(), next })
        })
    }

    fn erase_client(&self, id: String) -> Result<()> {
        self.run("erase_client", || {
            for stored in store::all()? {
                let booking = stored.booking;
                if !booking.attendees.iter().any(|a| id_of(a).as_ref() == Some(&id)) {
                    continue;
                }
                let attendees = booking.attendees.into_iter().map(|a| {
                    if id_of(&a).as_ref() == Some(&id) {
                        Attendee { name: "Erased".to_owned(), email: None, phone: None, ..a }
                    } else {
                        a
                    }
                });
                // The title holds the name, too.
                let attendees = attendees.collect();
                store::put(Booking { attendees, title: None, ..booking })?;
            }
            Ok(())
        })
    }
}

fn id_of(person: &Attendee) -> Option<String> {
    person.email.as_ref().map(|email| store::id_of("client", &email.to_lowercase()))
}
