//! How a customer is found without their addresses standing in an index: by MACs (HMAC-SHA256) under a key that each tenant has of its own.

use berth_model::{
    customers::{
        Customer,
        identity::Person,
        keys::KeyKind,
        search::{name_key, search_text},
    },
    id::{CustomerId, TenantId},
    outbound::provider::{Attendee, ExternalBooking},
};
use ring::hmac::{HMAC_SHA256, Key, sign};

/// Bytes of a key.
pub(crate) const MAC_KEY_BYTES: usize = 32;

/// A tenant's key.
pub(crate) struct MacKey(Key);

/// Somebody whom a booking is for, as the database looks for them.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) person: Person,
    pub(crate) email: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) keys: Vec<(KeyKind, Vec<u8>)>,
    /// MAC of name and address together.
    pub(crate) identity: Option<Vec<u8>>,
    /// Their name as lists are in its order.
    pub(crate) name_key: String,
    /// Where parts of their name and addresses are looked for.
    pub(crate) search: String,
    /// Their id, should they be new.
    pub(crate) new: CustomerId,
}

/// A customer as somebody who books.
pub(crate) fn person_of(customer: &Customer) -> Attendee {
    let Customer { name, email, phone, language, .. } = customer.clone();
    Attendee { name, email, phone, time_zone: String::new(), language }
}

impl MacKey {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        Self(Key::new(HMAC_SHA256, bytes))
    }

    /// The MAC of a value of this kind.
    fn mac(&self, kind: &str, value: &str) -> Vec<u8> {
        sign(&self.0, [kind, value].join("\n").as_bytes()).as_ref().to_vec()
    }

    /// The MAC of a network address, from which somebody said something.
    pub(crate) fn address(&self, address: std::net::IpAddr) -> Vec<u8> {
        self.mac("address", &address.to_canonical().to_string())
    }

    /// The MAC of a whole address in its one form.
    pub(crate) fn key(&self, kind: KeyKind, key: &str) -> Vec<u8> {
        self.mac(kind.as_str(), key)
    }

    pub(crate) fn known(&self, attendee: &Attendee, new: CustomerId) -> Known {
        let person = Person::of(attendee);
        let keys = person.keys.iter().map(|(kind, key)| (*kind, self.mac(kind.as_str(), key))).collect();
        let identity = person.identity().map(|identity| self.mac("person", &identity));
        let (email, phone) = (attendee.email.clone(), attendee.phone.clone());
        let search = search_text(&attendee.name, email.as_deref(), phone.as_deref());
        Known { person, email, phone, keys, identity, name_key: name_key(&attendee.name), search, new }
    }
}

impl Known {
    /// The MAC of this kind, if they have such an address.
    pub(crate) fn mac(&self, kind: KeyKind) -> Option<&[u8]> {
        self.keys.iter().find(|(of, _)| *of == kind).map(|(_, mac)| mac.as_slice())
    }
}

/// Whom a booking at a provider is for: of those who take part the first with an address, else the first with a name.
pub(crate) fn attendee_of(external: &ExternalBooking) -> Option<&Attendee> {
    let reachable = |attendee: &&Attendee| attendee.email.is_some() || attendee.phone.is_some();
    let named = |attendee: &&Attendee| !attendee.name.trim().is_empty();
    external.attendees.iter().find(reachable).or_else(|| external.attendees.iter().find(named))
}

/// Where a tenant's key belongs, in the vault.
pub(crate) fn context(tenant: TenantId) -> Vec<u8> {
    [b"berth:customers".as_slice(), tenant.uuid().as_bytes()].concat()
}
