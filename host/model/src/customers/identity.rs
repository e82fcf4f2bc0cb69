//! Who somebody is: the same person as a customer who is known, somebody new, or somebody of whom it must be asked.
//!
//! Addresses alone say little: a family has one of each, and so has a hotel's desk. The name decides with either; another name and another
//! number are another person. What that leaves open stays open: two customers, and a question that is shown. Nobody is merged silently.

use super::{
    keys::{KeyKind, email_key, phone_key},
    names::folded,
};
use crate::{id::CustomerId, outbound::provider::Attendee};

/// Somebody whom a booking is for, as they are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Their name, as it was given.
    pub name: String,
    /// Their mailbox and telephone number, in the form in which they are compared.
    pub keys: Vec<(KeyKind, String)>,
}

impl Person {
    /// Whom this attendee stands for.
    #[must_use]
    pub fn of(attendee: &Attendee) -> Self {
        let email = attendee.email.as_deref().and_then(email_key).map(|key| (KeyKind::Email, key));
        let phone = attendee.phone.as_deref().and_then(phone_key).map(|key| (KeyKind::Phone, key));
        Self { name: attendee.name.clone(), keys: email.into_iter().chain(phone).collect() }
    }

    /// Their key of this kind.
    #[must_use]
    pub fn key(&self, kind: KeyKind) -> Option<&str> {
        self.keys.iter().find(|(of, _)| *of == kind).map(|(_, key)| key.as_str())
    }

    /// What is the same for two bookings of one person, as far as it can be said beforehand: the name with the mailbox, or with the
    /// telephone number where there is none. Nothing without either.
    #[must_use]
    pub fn identity(&self) -> Option<String> {
        let (kind, key) = self.keys.first()?;
        Some([kind.as_str(), key, &folded(&self.name)].join("\n"))
    }
}

/// A customer who has an address of the person that is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Who.
    pub customer: CustomerId,
    /// Their name.
    pub name: String,
    /// They have the same mailbox.
    pub by_email: bool,
    /// They have the same telephone number.
    pub by_phone: bool,
    /// They have a telephone number, this one or another.
    pub has_phone: bool,
}

/// Who somebody is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// This customer.
    Same(CustomerId),
    /// Nobody who is known.
    New,
    /// A new customer, who may be one of these: that is for a person to say. By id.
    Open(Vec<CustomerId>),
}

/// What two people have in common, who share an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four answers, of which all sixteen combinations are possible"
)]
pub struct InCommon {
    pub email: bool,
    pub phone: bool,
    pub name: bool,
    /// Both have a telephone number, the same or not.
    pub both_have_phones: bool,
}

/// Are two people the same?
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Yes, by name and mailbox.
    ByNameAndEmail,
    /// Yes, by name and telephone number.
    ByNameAndPhone,
    /// Nobody can tell.
    Open,
    /// No.
    Different,
}

impl InCommon {
    /// What that says.
    #[must_use]
    pub const fn verdict(self) -> Verdict {
        match self {
            Self { email: true, name: true, .. } => Verdict::ByNameAndEmail,
            Self { phone: true, name: true, .. } => Verdict::ByNameAndPhone,
            // A family may share both; one person may have two names.
            Self { email: true, phone: true, .. } => Verdict::Open,
            Self { email: true, both_have_phones: true, .. } | Self { email: false, phone: false, .. } => {
                Verdict::Different
            }
            Self { .. } => Verdict::Open,
        }
    }
}

/// Are these names of one person, as far as a name can say?
#[must_use]
pub fn names_alike(one: &str, other: &str) -> bool {
    folded(one) == folded(other)
}

/// Who this is, among those who share an address: the surest of them, and of several the one that is known for longest.
#[must_use]
pub fn decide(person: &Person, candidates: &[Candidate]) -> Decision {
    let name = folded(&person.name);
    let has_phone = person.key(KeyKind::Phone).is_some();
    let mut verdicts: Vec<(Verdict, CustomerId)> = candidates
        .iter()
        .map(|candidate| {
            let common = InCommon {
                email: candidate.by_email,
                phone: candidate.by_phone,
                name: folded(&candidate.name) == name,
                both_have_phones: has_phone && candidate.has_phone,
            };
            (common.verdict(), candidate.customer)
        })
        .collect();
    verdicts.sort_unstable();
    match verdicts.first() {
        Some((verdict, customer)) if *verdict < Verdict::Open => Decision::Same(*customer),
        Some((Verdict::Open, _)) => {
            let open = verdicts.iter().filter(|(verdict, _)| *verdict == Verdict::Open);
            Decision::Open(open.map(|(_, customer)| *customer).collect())
        }
        _ => Decision::New,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn id(n: u128) -> CustomerId {
        CustomerId::from_uuid(Uuid::from_u128(n))
    }

    fn person(name: &str, email: Option<&str>, phone: Option<&str>) -> Person {
        let text = |text: Option<&str>| text.map(str::to_owned);
        let (email, phone) = (text(email), text(phone));
        let (name, time_zone) = (name.to_owned(), "UTC".to_owned());
        Person::of(&Attendee { name, email, phone, time_zone, language: None })
    }

    /// Somebody who is known, as the person that is looked for sees them.
    fn known(n: u128, known: &Person, looked_for: &Person) -> Candidate {
        let shares = |kind| known.key(kind).is_some() && known.key(kind) == looked_for.key(kind);
        Candidate {
            customer: id(n),
            name: known.name.clone(),
            by_email: shares(KeyKind::Email),
            by_phone: shares(KeyKind::Phone),
            has_phone: known.key(KeyKind::Phone).is_some(),
        }
    }

    #[test]
    fn name_and_number_decide() {
        let (mail, other) = (Some("a@example.com"), Some("b@example.com"));
        let (one, two) = (Some("+48600100200"), Some("+48600100201"));
        let ada = |email, phone| person("Ada Nowak", email, phone);
        let jan = |email, phone| person("Jan Nowak", email, phone);
        for (looked_for, there, expected) in [
            (ada(mail, None), ada(mail, None), Decision::Same(id(1))),
            (ada(mail, one), ada(mail, two), Decision::Same(id(1))),
            (ada(mail, one), ada(other, one), Decision::Same(id(1))),
            (ada(None, one), ada(mail, one), Decision::Same(id(1))),
            (jan(mail, one), ada(mail, one), Decision::Open(vec![id(1)])),
            (jan(mail, one), ada(mail, two), Decision::New),
            (jan(mail, one), ada(mail, None), Decision::Open(vec![id(1)])),
            (jan(mail, None), ada(mail, one), Decision::Open(vec![id(1)])),
            (jan(mail, None), ada(mail, None), Decision::Open(vec![id(1)])),
            (jan(other, one), ada(mail, one), Decision::Open(vec![id(1)])),
            (ada(other, two), ada(mail, one), Decision::New),
            (ada(None, None), ada(mail, one), Decision::New),
        ] {
            assert_eq!(
                decide(&looked_for, &[known(1, &there, &looked_for)]),
                expected,
                "{looked_for:?} {there:?}"
            );
        }
        assert_eq!(decide(&ada(mail, one), &[]), Decision::New);
    }

    #[test]
    fn the_surest_is_chosen_and_then_the_first() {
        let ada = person("Ada Nowak", Some("a@example.com"), Some("+48600100200"));
        let by_number = known(1, &person("Ada Nowak", None, Some("+48600100200")), &ada);
        let by_mail = known(3, &person("Nowak Ada", Some("A@example.com"), None), &ada);
        let by_mail_too = Candidate { customer: id(2), ..by_mail.clone() };
        let open = known(0, &person("Jan Nowak", Some("a@example.com"), None), &ada);
        let all = [open, by_number, by_mail, by_mail_too];
        assert_eq!(decide(&ada, &all), Decision::Same(id(2)));
        assert_eq!(decide(&ada, &all[..2]), Decision::Same(id(1)));
        assert_eq!(decide(&ada, &all[..1]), Decision::Open(vec![id(0)]));
    }

    /// A few of each, so that they meet.
    fn somebody() -> impl Strategy<Value = Person> {
        let name = prop::sample::select(vec!["Ada Nowak", "nowak ADA", "Jan Nowak", "Ada", "🙂"]);
        let email = prop::sample::select(vec![
            None,
            Some("a@example.com"),
            Some("A@EXAMPLE.com"),
            Some("b@example.com"),
        ]);
        let phone = prop::sample::select(vec![
            None,
            Some("+48600100200"),
            Some("0048 600 100 200"),
            Some("+48600100201"),
        ]);
        (name, email, phone).prop_map(|(name, email, phone)| person(name, email, phone))
    }

    proptest! {
        /// Nobody is taken for somebody who has another name; what is open is said to be; the order does not matter.
        #[test]
        fn nobody_is_merged_who_has_another_name(
            looked_for in somebody(),
            (people, mixed) in prop::collection::vec(somebody(), 0..6).prop_flat_map(|people| {
                let order: Vec<usize> = (0..people.len()).collect();
                (Just(people), Just(order).prop_shuffle())
            }),
        ) {
            let all: Vec<Candidate> = people.iter().zip(1..).map(|(p, n)| known(n, p, &looked_for)).collect();
            let decision = decide(&looked_for, &all);
            let shuffled: Vec<Candidate> = mixed.iter().map(|i| all[*i].clone()).collect();
            prop_assert_eq!(&decide(&looked_for, &shuffled), &decision);
            if let Decision::Same(customer) = &decision {
                let found = all.iter().find(|c| c.customer == *customer).unwrap();
                prop_assert!(found.by_email || found.by_phone);
                prop_assert!(names_alike(&found.name, &looked_for.name));
            }
            if let Decision::Open(open) = &decision {
                prop_assert!(!open.is_empty());
                for candidate in all.iter().filter(|c| open.contains(&c.customer)) {
                    prop_assert!(!names_alike(&candidate.name, &looked_for.name));
                }
            }
            // Whoever has the same identity beforehand is the same person afterwards.
            for (there, candidate) in people.iter().zip(&all) {
                if looked_for.identity().is_some() && there.identity() == looked_for.identity() {
                    prop_assert!(matches!(decide(&looked_for, std::slice::from_ref(candidate)), Decision::Same(_)));
                }
            }
        }
    }
}
