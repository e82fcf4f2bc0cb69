//! Which time-zone data a server that is started now would use, what else is known, and for whom it makes a difference.

use std::{collections::BTreeMap, sync::Arc};

use berth_model::{
    time::{Instant, Interval},
    zone::{Source, ZoneData, embedded_release},
};
use berth_store::Store;

use super::Finding;
use crate::{
    config::Config,
    zones::{Look, ZoneKeeper, named},
};

const CHECK: &str = "time zones";
const OF_TENANTS: &str = "zones of tenants";
/// Data made in the year before last has missed some changes: there are several releases a year.
const YEARS_MAX: i32 = 1;
/// How far ahead zones are compared, in seconds: three years, further than people book.
const AHEAD_SECONDS: i64 = 3 * 366 * 86_400;
/// Zones that are named.
const NAMED_MAX: usize = 20;

/// All data that is known here.
pub(super) struct Known {
    look: Look,
    source: Source,
    used: Arc<ZoneData>,
    /// Other data, by what it is called.
    others: Vec<(String, ZoneData)>,
}

impl Known {
    pub(super) fn look(config: &Config) -> Self {
        let keeper = ZoneKeeper::new(config);
        let mut look = keeper.look(true);
        let built_in = ZoneData::embedded();
        let (source, used) =
            look.changed.take().unwrap_or_else(|| (Source::Embedded, Arc::new(built_in.clone())));
        let mut others = Vec::new();
        if source != Source::Embedded {
            others.push((format!("built in ({})", embedded_release()), built_in));
        }
        if source != Source::System
            && let Some(data) = keeper.of_system()
        {
            others.push((format!("the system's ({})", named(data.release())), data));
        }
        Self { look, source, used, others }
    }

    /// Releases, and which is used.
    pub(super) fn finding(&self, now: Instant) -> Finding {
        let release = self.used.release();
        let mut found = vec![format!("{} ({})", named(release), self.source.as_str())];
        found.extend(
            self.look.folders.iter().map(|(source, found)| format!("{} folder: {found}", source.as_str())),
        );
        found.push(format!("built in: {}", embedded_release()));
        let found = found.join("; ");
        let year = now.to_string().get(..4).and_then(|year| year.parse::<i32>().ok());
        if !self.look.wrong().is_empty() {
            let advice = "mend the folder, best by copying all of the newest release beside it and renaming it, or unset time-zone-dir";
            Finding::warn(CHECK, found, advice)
        } else if release.is_none() {
            Finding::warn(
                CHECK,
                found,
                "write the release (such as 2026f) into a file +VERSION of the folder",
            )
        } else if year.zip(release).is_none_or(|(now, data)| now.saturating_sub(data.year()) > YEARS_MAX) {
            let advice = "nothing newer is known here, and laws have changed since: update the system's tzdata or berth, or set time-zone-dir";
            Finding::warn(CHECK, found, advice)
        } else {
            Finding::ok(CHECK, found)
        }
    }

    /// Whose zones are not known, and whose differ by other data.
    pub(super) async fn of_tenants(&self, store: &Store, now: Instant) -> Finding {
        match store.zones_of_tenants().await {
            Ok(rows) => self.compared(&rows, now),
            Err(error) => Finding::fail(OF_TENANTS, error.to_string(), "see the database's log"),
        }
    }

    /// `rows` are slugs, each with a zone.
    fn compared(&self, rows: &[(String, String)], now: Instant) -> Finding {
        let mut tenants: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (slug, zone) in rows {
            tenants.entry(zone).or_default().push(slug);
        }
        let those = |chosen: &dyn Fn(&str) -> bool| {
            let chosen = tenants.iter().filter(|(zone, _)| chosen(zone)).take(NAMED_MAX);
            let one = |(zone, slugs): (&&str, &Vec<&str>)| {
                format!("{zone} ({})", slugs.iter().take(NAMED_MAX).copied().collect::<Vec<_>>().join(", "))
            };
            chosen.map(one).collect::<Vec<_>>().join(", ")
        };
        let unknown = those(&|zone| self.used.course(zone).is_none());
        if !unknown.is_empty() {
            let advice = "use data that has them: a newer release, or the one that was used before";
            return Finding::fail(OF_TENANTS, format!("not known: {unknown}"), advice);
        }
        let soon = Interval::new(now, now.plus_seconds(AHEAD_SECONDS)).unwrap_or(Interval::EVER);
        let mut found = vec![format!("{}, all known", tenants.len())];
        for (other, data) in &self.others {
            let differing = those(&|zone| !self.used.agrees(data, zone, soon));
            found.push(if differing.is_empty() {
                format!("the same by what is {other}")
            } else {
                format!("other clocks by what is {other}: {differing}")
            });
        }
        Finding::ok(OF_TENANTS, found.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use berth_model::zone::read_index;

    use super::{super::Level, *};

    fn known(source: Source, used: ZoneData, others: Vec<(String, ZoneData)>) -> Known {
        let look = Look { folders: Vec::new(), changed: None };
        Known { look, source, used: Arc::new(used), others }
    }

    #[test]
    fn whose_zones_differ_is_named_and_an_unknown_one_fails() {
        let now = "2026-11-30T00:00:00Z".parse().unwrap();
        let built_in = ZoneData::embedded();
        let names: Vec<&str> = built_in.names().collect();
        let tzif = |name: &str| {
            // Half an hour further than anybody, so that it differs from whatever is built in.
            let offset = if name == "America/Edmonton" { "<+1430>-14:30" } else { "UTC0" };
            let header = |kinds: u8| {
                let mut header = b"TZif2".to_vec();
                header.extend([0; 15]);
                for count in [0, 0, 0, 0, kinds, 4] {
                    header.extend([0, 0, 0, count]);
                }
                header
            };
            let seconds: i32 = if name == "America/Edmonton" { 52_200 } else { 0 };
            let kind = [&seconds.to_be_bytes()[..], b"\0\0XXX\0"].concat();
            [header(1), kind.clone(), header(1), kind, format!("\n{offset}\n").into_bytes()].concat()
        };
        let files: Vec<(&str, Vec<u8>)> = names.iter().map(|name| (*name, tzif(name))).collect();
        let files = files.iter().map(|(name, tzif)| (*name, tzif.as_slice()));
        let other = ZoneData::read("2031a".parse().ok(), files, &read_index("").1).unwrap();
        let found = known(Source::Configured, other, vec![("built in".to_owned(), built_in.clone())]);
        assert_eq!(found.finding(now).level, Level::Ok);
        let row = |slug: &str, zone: &str| (slug.to_owned(), zone.to_owned());
        let rows = [row("a", "America/Edmonton"), row("b", "America/Edmonton"), row("a", "UTC")];
        let compared = found.compared(&rows, now);
        assert_eq!(compared.level, Level::Ok);
        assert_eq!(compared.found, "2, all known; other clocks by what is built in: America/Edmonton (a, b)");
        let compared = found.compared(&[row("a", "America/Nowhere")], now);
        assert_eq!(
            (compared.level, compared.found.as_str()),
            (Level::Fail, "not known: America/Nowhere (a)")
        );
        let same = known(Source::Embedded, built_in, Vec::new());
        assert_eq!(same.compared(&rows, now).found, "2, all known");
    }

    #[test]
    fn old_data_is_warned_of() {
        let known = known(Source::Embedded, ZoneData::embedded(), Vec::new());
        let year = embedded_release().year();
        let level = |at: String| known.finding(at.parse().unwrap()).level;
        assert_eq!(level(format!("{}-12-31T00:00:00Z", year + 1)), Level::Ok);
        assert_eq!(level(format!("{}-01-01T00:00:00Z", year + 2)), Level::Warn);
    }
}
