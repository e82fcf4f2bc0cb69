//! Where a reader of events stands.

use std::str::FromStr;

use crate::{
    limits,
    problem::{Code, Problem},
};

/// After which event a reader goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum After {
    /// From the oldest that is kept.
    #[default]
    Oldest,
    /// From now: what has happened so far is passed over.
    Latest,
    /// After this position.
    Position(i64),
}

impl FromStr for After {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "latest" {
            return Ok(Self::Latest);
        }
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let position = is_number.then(|| text.parse().ok()).flatten();
        position.map(Self::Position).ok_or("must be a position (`next` of the last answer), or `latest`")
    }
}

/// Where a tenant's events end, and where those begin that are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Counts the lives of the feed: it rises when a back-up is restored.
    pub epoch: i64,
    /// Position of the last event; 0 before the first.
    pub position: i64,
    /// Position of the oldest event that is kept, or of the next one if none is.
    pub first: i64,
}

impl Default for Head {
    /// Of a tenant of which nothing was told yet.
    fn default() -> Self {
        Self { epoch: 1, position: 0, first: 1 }
    }
}

/// What a reader brings along.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cursor {
    /// Where it goes on.
    pub after: After,
    /// The epoch of the answer that it has its position from, if it says so.
    pub epoch: Option<i64>,
}

/// A reader cannot go on from its cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastCursor {
    /// Why.
    pub why: NoWayOn,
    /// Where the feed stands.
    pub head: Head,
}

/// Why a reader cannot go on from its cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoWayOn {
    /// Its position is of another life of the feed.
    OtherEpoch,
    /// Events after it are not kept any more.
    Forgotten,
    /// Nothing was ever there.
    Ahead,
}

impl Cursor {
    /// The position after which this reader goes on.
    ///
    /// # Errors
    /// There is no going on from it.
    pub fn position(self, head: Head) -> Result<i64, PastCursor> {
        let before_first = head.first.saturating_sub(1);
        let past = |why| Err(PastCursor { why, head });
        if self.epoch.is_some_and(|epoch| epoch != head.epoch) {
            return past(NoWayOn::OtherEpoch);
        }
        match self.after {
            After::Oldest => Ok(before_first),
            After::Latest => Ok(head.position),
            After::Position(position) if position > head.position => past(NoWayOn::Ahead),
            After::Position(position) if position < before_first => past(NoWayOn::Forgotten),
            After::Position(position) => Ok(position),
        }
    }
}

/// What the reader is told.
impl From<PastCursor> for Problem {
    fn from(PastCursor { why, head }: PastCursor) -> Self {
        let Head { epoch, position, first } = head;
        let (code, detail) = match why {
            NoWayOn::OtherEpoch => (
                Code::FeedBegunAnew,
                format!("The feed was begun anew: this is epoch {epoch}, and its positions are other ones."),
            ),
            NoWayOn::Forgotten => {
                (Code::EventsForgotten, format!("The oldest event that is kept has the position {first}."))
            }
            NoWayOn::Ahead => (Code::PositionAhead, format!("The last event has the position {position}.")),
        };
        let mut problem = Self::new(code, detail);
        for (name, value) in [("epoch", epoch), ("oldest", first), ("latest", position)] {
            problem.extra.insert(name.to_owned(), value.into());
        }
        problem
    }
}

impl Head {
    /// The last position that is looked at for one answer to a reader after `position`: one that wants few kinds passes over others.
    #[must_use]
    pub fn looked_at(self, position: i64) -> i64 {
        self.position.min(position.saturating_add(limits::EVENTS_PASSED_OVER_MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_a_position_or_the_latest() {
        assert_eq!("latest".parse(), Ok(After::Latest));
        assert_eq!("17".parse(), Ok(After::Position(17)));
        for wrong in ["", "-1", "+1", "1.0", "oldest", "99999999999999999999", " 1"] {
            assert!(wrong.parse::<After>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_reader_goes_on_within_what_is_kept_of_its_epoch() {
        let head = Head { epoch: 2, position: 9, first: 5 };
        let at = |after, epoch| Cursor { after, epoch }.position(head).map_err(|past| past.why);
        assert_eq!(at(After::Oldest, None), Ok(4));
        assert_eq!(at(After::Latest, Some(2)), Ok(9));
        assert_eq!(at(After::Position(4), None), Ok(4), "the oldest is the next");
        assert_eq!(at(After::Position(9), Some(2)), Ok(9));
        assert_eq!(at(After::Position(3), Some(2)), Err(NoWayOn::Forgotten));
        assert_eq!(at(After::Position(10), Some(2)), Err(NoWayOn::Ahead));
        // First of all: what it says of a position means nothing then.
        assert_eq!(at(After::Position(10), Some(1)), Err(NoWayOn::OtherEpoch));
        let empty = Head::default();
        assert_eq!(Cursor::default().position(empty), Ok(0));
        assert_eq!(Cursor { after: After::Position(0), epoch: Some(1) }.position(empty), Ok(0));
    }

    #[test]
    fn one_answer_looks_at_so_many() {
        let head = Head { epoch: 1, position: 1_000_000, first: 1 };
        assert_eq!(head.looked_at(999_999), 1_000_000);
        assert_eq!(head.looked_at(0), limits::EVENTS_PASSED_OVER_MAX);
    }
}
