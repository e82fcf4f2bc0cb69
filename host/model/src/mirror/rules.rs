//! How a connection is kept in step: rules that people set, and what they come to for each booking of the provider.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{id::MemberId, limits, problem::FieldError, time::Instant};

/// Whose changes count, ours or the provider's. A booking is made at its provider in every mode. What each mode makes of each change at either
/// side is the table that the API publishes of it (`server/src/api/mirror/schemas.rs`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncMode {
    /// Neither side's later changes are followed: only what is done here is told there.
    Off,
    /// The provider's changes count; ours are refused.
    Import,
    /// Our changes count; the provider's are undone.
    Export,
    /// Both sides' changes count.
    #[default]
    Bidirectional,
}

impl SyncMode {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Off, Self::Import, Self::Export, Self::Bidirectional];

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Import => "import",
            Self::Export => "export",
            Self::Bidirectional => "bidirectional",
        }
    }

    /// Does what is changed at the provider count, ours and others'?
    #[must_use]
    pub const fn follows_changes(self) -> bool {
        matches!(self, Self::Import | Self::Bidirectional)
    }

    /// May a booking be changed here that its provider has?
    #[must_use]
    pub const fn takes_changes(self) -> bool {
        !matches!(self, Self::Import)
    }
}

/// Whose word counts where both sides disagree: both were changed at once, or a time is taken twice, or ours is gone there. In `export` and `off`
/// ours counts, whatever this says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceOfTruth {
    /// The provider's.
    #[default]
    Provider,
    /// Ours.
    Berth,
}

/// How a connection is kept in step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SyncRules {
    /// Whose changes count.
    pub mode: SyncMode,
    /// Whose word counts where both sides disagree.
    pub source_of_truth: SourceOfTruth,
    /// Are conflicts that have one obvious end resolved without a person?
    pub auto_resolve: bool,
    /// Is every conflict written into the booking's timeline, also those that end by themselves?
    pub notify: bool,
    /// Minutes that are kept free around bookings of the provider which are not ours.
    pub buffer_minutes: u32,
    /// Bookings of the provider further ahead than this many days are not followed.
    pub max_advance_days: u32,
    /// Whose time bookings of the provider take that are not ours, where it is not clear from their event type.
    #[serde(rename = "member_id", alias = "member")]
    pub member: Option<MemberId>,
    /// Are busy times read there and written there? Without, the provider's bookings take nobody's time here, and ours close no time there.
    pub sync_availability: bool,
    /// Several rules, of which the one with the highest priority that matches counts. What they say goes before what is above, which then
    /// is as the rules have it: `mode`, `auto_resolve`, `notify`, `buffer_minutes`, `max_advance_days`, `sync_availability`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rules: Option<Vec<SyncRule>>,
}

impl Default for SyncRules {
    fn default() -> Self {
        Self {
            mode: SyncMode::default(),
            source_of_truth: SourceOfTruth::default(),
            auto_resolve: true,
            notify: true,
            buffer_minutes: 0,
            max_advance_days: 730,
            member: None,
            sync_availability: true,
            rules: None,
        }
    }
}

/// A rule of several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SyncRule {
    /// The caller's own name of it, unlike the other rules'.
    pub id: String,
    /// For people.
    #[serde(default)]
    pub name: String,
    /// Whose changes it is about: `platform` (ours are told there), the provider's name (theirs are followed here), or `both`.
    #[serde(default = "both")]
    pub source_system: String,
    /// Of those that match, the highest counts; of equal ones the first.
    #[serde(default)]
    pub priority: i32,
    /// To which bookings of the provider it applies, and with what around them.
    #[serde(default)]
    pub conditions: RuleConditions,
    /// What it does.
    #[serde(default)]
    pub actions: RuleActions,
    /// Does it count at all?
    #[serde(default = "yes")]
    pub active: bool,
}

/// To which bookings of the provider a rule applies.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RuleConditions {
    /// Minutes that are kept free around bookings of the provider which are not ours.
    pub buffer_times: BufferTimes,
    /// Those that begin within so many days; none: 730.
    pub max_advance_booking: Option<u32>,
}

/// Minutes before and after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "the names say it")]
pub struct BufferTimes {
    pub before: u32,
    pub after: u32,
}

/// What a rule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RuleActions {
    /// See [`SyncRules::sync_availability`].
    pub sync_availability: bool,
    /// See [`SyncRules::auto_resolve`].
    pub auto_resolve_conflicts: bool,
    /// See [`SyncRules::notify`].
    pub notify_admin: bool,
}

impl Default for RuleActions {
    fn default() -> Self {
        Self { sync_availability: true, auto_resolve_conflicts: true, notify_admin: true }
    }
}

/// What is about both sides.
const BOTH: &str = "both";
/// What is about our side.
const PLATFORM: &str = "platform";
/// Longest id and name of a rule, in characters.
const RULE_ID_CHARS_MAX: usize = 64;
/// See [`RULE_ID_CHARS_MAX`].
const RULE_NAME_CHARS_MAX: usize = 200;
/// Furthest that bookings of the provider are followed, in days: ten years.
const ADVANCE_DAYS_MAX: u32 = 3_650;

fn both() -> String {
    BOTH.to_owned()
}

const fn yes() -> bool {
    true
}

impl SyncRule {
    fn reads(&self) -> bool {
        self.source_system != PLATFORM
    }

    fn tells(&self) -> bool {
        matches!(self.source_system.as_str(), PLATFORM | BOTH)
    }

    fn advance_days(&self) -> u32 {
        self.conditions.max_advance_booking.unwrap_or(SyncRules::default().max_advance_days)
    }
}

/// What is kept free around a booking of the provider's, in minutes before and after.
pub type Buffers = (u32, u32);

impl SyncRules {
    /// Of the active rules that fulfil this, the one that counts.
    fn first(&self, fulfils: impl Fn(&SyncRule) -> bool) -> Option<&SyncRule> {
        let matching = self.rules.iter().flatten().filter(|rule| rule.active && fulfils(rule));
        // Of equal priorities the first one stays.
        matching.reduce(|best, next| if next.priority > best.priority { next } else { best })
    }

    /// What these rules come to, where they are several: what holds of a booking at any time is in their fields.
    #[must_use]
    pub fn settled(mut self) -> Self {
        if self.rules.is_none() {
            return self;
        }
        let (reads, tells) = (self.first(SyncRule::reads).cloned(), self.first(SyncRule::tells).cloned());
        self.mode = match (&reads, &tells) {
            (Some(_), Some(_)) => SyncMode::Bidirectional,
            (Some(_), None) => SyncMode::Import,
            (None, Some(_)) => SyncMode::Export,
            (None, None) => SyncMode::Off,
        };
        if let Some(rule) = reads.or(tells) {
            self.auto_resolve = rule.actions.auto_resolve_conflicts;
            self.notify = rule.actions.notify_admin;
            self.sync_availability = rule.actions.sync_availability;
            self.buffer_minutes = rule.conditions.buffer_times.before.max(rule.conditions.buffer_times.after);
            self.max_advance_days = rule.advance_days();
        }
        self
    }

    /// The rule for what begins at the provider then, if there are several.
    fn rule_at(&self, start: Instant, now: Instant) -> Option<&SyncRule> {
        self.first(|rule| rule.reads() && start < ahead(now, rule.advance_days()))
    }

    /// What is kept free around a booking of the provider that is not ours; none where it takes no time here.
    #[must_use]
    pub fn takes_time(&self, start: Instant, now: Instant) -> Option<Buffers> {
        if !self.mode.follows_changes() {
            return None;
        }
        if self.rules.is_some() {
            let rule = self.rule_at(start, now).filter(|rule| rule.actions.sync_availability)?;
            return Some((rule.conditions.buffer_times.before, rule.conditions.buffer_times.after));
        }
        let near = start < ahead(now, self.max_advance_days);
        (near && self.sync_availability).then_some((self.buffer_minutes, self.buffer_minutes))
    }

    /// May any booking of the provider take time here?
    #[must_use]
    pub fn takes_any_time(&self) -> bool {
        self.mode.follows_changes()
            && match &self.rules {
                None => self.sync_availability,
                Some(_) => self.first(|rule| rule.reads() && rule.actions.sync_availability).is_some(),
            }
    }

    /// Is it asked when somebody is busy at the provider? By the rule for its changes, whatever that applies to.
    #[must_use]
    pub fn reads_busy(&self) -> bool {
        match &self.rules {
            None => self.sync_availability,
            Some(_) => self.first(SyncRule::reads).is_none_or(|rule| rule.actions.sync_availability),
        }
    }

    /// Is what takes time here written there? By the rule for our changes.
    #[must_use]
    pub fn writes_busy(&self) -> bool {
        match &self.rules {
            None => self.sync_availability,
            Some(_) => self.first(SyncRule::tells).is_none_or(|rule| rule.actions.sync_availability),
        }
    }

    /// These rules as they are for what begins then: who ends a conflict about it, and whether that is noted.
    #[must_use]
    pub fn at(&self, start: Option<Instant>, now: Instant) -> Self {
        let mut rules = self.clone();
        if let Some(rule) = start.and_then(|start| self.rule_at(start, now)) {
            rules.auto_resolve = rule.actions.auto_resolve_conflicts;
            rules.notify = rule.actions.notify_admin;
        }
        rules
    }

    /// Do these make the same of what the provider has as those did? Else all of it is looked at again.
    #[must_use]
    pub fn reads_as(&self, before: &Self) -> bool {
        let read = |rules: &Self| {
            (rules.mode, rules.buffer_minutes, rules.max_advance_days, rules.member, rules.sync_availability)
        };
        read(self) == read(before) && self.rules == before.rules
    }

    /// What is wrong with them, for a connection to a provider of these names, the first of which is its own.
    #[must_use]
    pub fn problems(&self, provider: &[&str]) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let mut bad = |field: String, message: String| errors.push(FieldError::new(field, message));
        let minutes = |minutes: u32| minutes <= limits::BUFFER_MINUTES_MAX;
        let most_minutes = format!("must be at most {}", limits::BUFFER_MINUTES_MAX);
        let days = format!("must be 1 to {ADVANCE_DAYS_MAX}");
        let Some(rules) = &self.rules else {
            if !minutes(self.buffer_minutes) {
                bad("/buffer_minutes".to_owned(), most_minutes);
            }
            if !(1..=ADVANCE_DAYS_MAX).contains(&self.max_advance_days) {
                bad("/max_advance_days".to_owned(), days);
            }
            return errors;
        };
        if rules.is_empty() || rules.len() > limits::SYNC_RULES_MAX {
            let most = limits::SYNC_RULES_MAX;
            bad(
                "/rules".to_owned(),
                format!("must be 1 to {most}; to follow nothing, set mode to off instead"),
            );
            return errors;
        }
        let mut ids = BTreeSet::new();
        for (i, rule) in rules.iter().enumerate() {
            let at = |field: &str| format!("/rules/{i}/{field}");
            if rule.id.is_empty() || rule.id.chars().count() > RULE_ID_CHARS_MAX {
                bad(at("id"), format!("must be 1 to {RULE_ID_CHARS_MAX} characters"));
            }
            if !ids.insert(&rule.id) {
                bad(at("id"), "is another rule's, too".to_owned());
            }
            if rule.name.chars().count() > RULE_NAME_CHARS_MAX {
                bad(at("name"), format!("must be at most {RULE_NAME_CHARS_MAX} characters"));
            }
            let source = rule.source_system.as_str();
            if source != PLATFORM && source != BOTH && !provider.contains(&source) {
                let own = provider.first().copied().unwrap_or_default();
                bad(at("source_system"), format!("must be platform, {own} or both"));
            }
            let buffers = rule.conditions.buffer_times;
            for (field, given) in [("before", buffers.before), ("after", buffers.after)] {
                if !minutes(given) {
                    bad(at(&format!("conditions/buffer_times/{field}")), most_minutes.clone());
                }
            }
            if rule.conditions.max_advance_booking.is_some_and(|days| !(1..=ADVANCE_DAYS_MAX).contains(&days))
            {
                bad(at("conditions/max_advance_booking"), days.clone());
            }
        }
        errors
    }
}

fn ahead(now: Instant, days: u32) -> Instant {
    now.plus_seconds(i64::from(days).saturating_mul(86_400))
}

#[cfg(test)]
mod tests;
