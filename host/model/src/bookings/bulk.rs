//! The same change of many bookings: what it is, and how it stands with each of them.

use serde::{Deserialize, Serialize};

use crate::{
    id::{BookingId, BulkOperationId, MemberId, TenantId},
    limits,
    scheduling::hours::{instant_of, local_of},
    time::Instant,
    validate::Fields,
    zone::Zone,
};

/// What is done to each of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum BulkAction {
    /// Cancelled.
    Cancel {
        /// For the customers.
        #[serde(default)]
        reason: Option<String>,
    },
    /// Moved: to the same local time on another day, and by some minutes from there.
    Move {
        /// Days later, on the listing's clock.
        #[serde(default)]
        by_days: i32,
        /// Minutes later.
        #[serde(default)]
        by_minutes: i32,
    },
    /// Given to another member.
    Reassign {
        /// To whom; none: whoever is free and next.
        #[serde(default)]
        member: Option<MemberId>,
        /// Here alone, where its provider cannot be told.
        #[serde(default)]
        local_only: bool,
    },
}

impl BulkAction {
    /// Its name.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Cancel { .. } => "cancel",
            Self::Move { .. } => "move",
            Self::Reassign { .. } => "reassign",
        }
    }

    /// Note what is not acceptable.
    pub fn check(&self, fields: &mut Fields) {
        match self {
            Self::Cancel { reason } => {
                if let Some(reason) = reason {
                    fields.long_text("/reason", reason, 1_000);
                }
            }
            Self::Move { by_days, by_minutes } => {
                for (field, by, most) in [
                    ("/by_days", by_days, limits::BULK_MOVE_DAYS_MAX),
                    ("/by_minutes", by_minutes, limits::BULK_MOVE_MINUTES_MAX),
                ] {
                    if by.unsigned_abs() > most {
                        fields.bad(field, format!("must be -{most} to {most}"));
                    }
                }
                if *by_days == 0 && *by_minutes == 0 {
                    fields.bad("/by_days", "give by_days or by_minutes: nothing moves by nothing");
                }
            }
            Self::Reassign { .. } => {}
        }
    }

    /// When a booking starts afterwards, on the clock of its listing.
    #[must_use]
    pub fn start(&self, zone: Zone, start: Instant) -> Instant {
        let Self::Move { by_days, by_minutes } = self else { return start };
        let day = if *by_days == 0 {
            start
        } else {
            let local = local_of(zone, start);
            let moved = local.checked_add_signed(chrono::Duration::days(i64::from(*by_days)));
            instant_of(zone, moved.unwrap_or(local))
        };
        day.plus_minutes(i64::from(*by_minutes))
    }

    /// Is the latest booking changed first? So none of them moves to where the next one still is.
    #[must_use]
    pub fn latest_first(&self) -> bool {
        matches!(self, Self::Move { by_days, by_minutes } if (*by_days, *by_minutes) > (0, 0))
    }
}

/// How it stands with one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "as_str says it")]
pub enum BulkItemState {
    Waiting,
    Done,
    Refused,
}

impl BulkItemState {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Done, Self::Refused];

    /// Its name in the store and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Done => "done",
            Self::Refused => "refused",
        }
    }
}

/// One booking of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkItem {
    /// Which.
    pub booking: BookingId,
    /// As it was seen: one that changed meanwhile is left as it is.
    pub sequence: i64,
    /// How it stands.
    pub state: BulkItemState,
    /// The code of the refusal.
    pub code: Option<String>,
    /// The refusal, for people.
    pub detail: Option<String>,
}

/// The same change of many bookings, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkOperation {
    /// Its id.
    pub id: BulkOperationId,
    /// Whose.
    pub tenant: TenantId,
    /// Of what was previewed: it is done once.
    pub digest: String,
    /// What is done.
    pub action: BulkAction,
    /// Who asked for it.
    pub actor: String,
    /// May they do what customers cannot any more?
    pub overrides: bool,
    /// When it was asked for.
    pub created_at: Instant,
    /// When the last booking was done with.
    pub finished_at: Option<Instant>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(by_days: i32, by_minutes: i32, zone: &str, start: &str) -> String {
        let action = BulkAction::Move { by_days, by_minutes };
        action.start(zone.parse().unwrap(), start.parse().unwrap()).to_string()
    }

    #[test]
    fn days_are_those_of_the_listings_clock() {
        // Clocks in Warsaw are set forward on 28 March 2027.
        assert_eq!(moved(1, 0, "Europe/Warsaw", "2027-03-27T09:00:00Z"), "2027-03-28T08:00:00Z");
        assert_eq!(moved(-1, 0, "Europe/Warsaw", "2027-03-28T08:00:00Z"), "2027-03-27T09:00:00Z");
        assert_eq!(moved(0, 1_440, "Europe/Warsaw", "2027-03-27T09:00:00Z"), "2027-03-28T09:00:00Z");
        assert_eq!(moved(1, -30, "UTC", "2027-03-27T09:00:00Z"), "2027-03-28T08:30:00Z");
    }

    #[test]
    fn who_would_run_into_the_next_goes_after_it() {
        let first = |by_days, by_minutes| BulkAction::Move { by_days, by_minutes }.latest_first();
        assert!(first(1, 0) && first(0, 30) && first(1, -30));
        assert!(!first(-1, 0) && !first(0, -30));
        assert!(!BulkAction::Cancel { reason: None }.latest_first());
    }

    #[test]
    fn what_moves_nothing_or_too_far_is_refused() {
        for (by_days, by_minutes, field) in
            [(0, 0, "/by_days"), (367, 0, "/by_days"), (i32::MIN, 0, "/by_days"), (0, 1_441, "/by_minutes")]
        {
            let mut fields = Fields::default();
            BulkAction::Move { by_days, by_minutes }.check(&mut fields);
            assert_eq!(fields.into_errors()[0].field, field);
        }
    }
}
