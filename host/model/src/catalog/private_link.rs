//! Links to one event type for those who are given them: for event types that are not public, once or until some day.

use crate::{
    id::{ConnectionId, EventTypeId, PrivateLinkId, TenantId},
    limits,
    problem::{Code, Problem},
    time::Instant,
    validate::Fields,
};

/// A link. Whoever has it sees its event type and books it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrivateLink {
    /// Its id.
    pub id: PrivateLinkId,
    /// Whose.
    pub tenant: TenantId,
    /// To what.
    pub event_type: EventTypeId,
    /// For whom or what it is, for the business.
    pub name: String,
    /// Is it over once something was booked by it?
    pub single_use: bool,
    /// Bookings that were made by it.
    pub uses: u32,
    /// When the last of them was made.
    pub last_used_at: Option<Instant>,
    /// From then on it is over; none: never.
    pub expires_at: Option<Instant>,
    /// Where it is, if its event type's provider made it; none: it is one of ours.
    pub there: Option<LinkThere>,
    /// When it was made.
    pub created_at: Instant,
}

/// A link that a provider made: who books by it books there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkThere {
    /// Over which connection it was made.
    pub connection: ConnectionId,
    /// Where it leads.
    pub url: String,
}

/// How a link stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkState {
    /// It can be booked by.
    Open,
    /// It was for one booking, which was made.
    Used,
    /// Its time is over.
    Expired,
}

impl LinkState {
    /// Its name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Used => "used",
            Self::Expired => "expired",
        }
    }
}

impl PrivateLink {
    /// Refuse what is not acceptable.
    pub fn check(&self, now: Instant) -> Result<(), Problem> {
        let mut fields = Fields::default();
        fields.text("/name", &self.name, 200);
        let latest = now.plus_seconds(limits::PRIVATE_LINK_DAYS_MAX.saturating_mul(86_400));
        if self.expires_at.is_some_and(|end| end <= now || end > latest) {
            let days = limits::PRIVATE_LINK_DAYS_MAX;
            fields.bad("/expires_at", format!("must be ahead, and within {days} days"));
        }
        fields.finish()
    }

    /// How it stands.
    #[must_use]
    pub fn state(&self, now: Instant) -> LinkState {
        if self.single_use && self.uses > 0 {
            LinkState::Used
        } else if self.expires_at.is_some_and(|end| end <= now) {
            LinkState::Expired
        } else {
            LinkState::Open
        }
    }

    /// Refuse a link that is over.
    pub fn check_open(&self, now: Instant) -> Result<(), Problem> {
        let detail = match self.state(now) {
            LinkState::Open => return Ok(()),
            LinkState::Used => "The link was for one booking, which was made.".to_owned(),
            LinkState::Expired => match self.expires_at {
                Some(end) => format!("The link was good until {end}."),
                None => "The link is over.".to_owned(),
            },
        };
        let mut problem = Problem::new(Code::LinkOver, detail);
        problem.extra.insert("state".to_owned(), self.state(now).as_str().into());
        Err(problem)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_link_is_over_when_it_was_used_or_its_time_is() {
        let now: Instant = "2026-11-30T12:00:00Z".parse().unwrap();
        let id = Uuid::from_u128(1);
        let link = PrivateLink {
            id: PrivateLinkId::from_uuid(id),
            tenant: TenantId::from_uuid(id),
            event_type: EventTypeId::from_uuid(id),
            name: "Ada".into(),
            single_use: true,
            uses: 0,
            last_used_at: None,
            expires_at: Some(now.plus_seconds(60)),
            there: None,
            created_at: now,
        };
        assert!(link.check(now).is_ok() && link.check_open(now).is_ok());
        assert_eq!(link.state(now.plus_seconds(60)), LinkState::Expired);
        let used = PrivateLink { uses: 1, ..link.clone() };
        let over = used.check_open(now).unwrap_err();
        assert_eq!((over.code, over.extra["state"].as_str()), (Code::LinkOver, Some("used")));
        assert_eq!(PrivateLink { single_use: false, ..used }.state(now), LinkState::Open);
        for end in [now, now.plus_seconds(731 * 86_400), Instant::MIN, Instant::MAX] {
            assert!(PrivateLink { expires_at: Some(end), ..link.clone() }.check(now).is_err(), "{end}");
        }
        assert!(PrivateLink { name: " ".into(), ..link }.check(now).is_err());
    }
}
