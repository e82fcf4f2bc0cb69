//! What a provider is called: the id of its plugin, and other names that are read for it. A name means one provider, whatever is installed.

use std::collections::BTreeSet;

use super::{Manifest, ManifestProblem, PluginId};
use crate::limits;

/// The name of the provider that is Berth itself: no plugin, and no connection.
pub const BUILTIN: &str = "builtin";
/// Names that mean something else where a provider's name may stand: in addresses, and in bodies of requests.
const RESERVED: [&str; 6] = ["booking", BUILTIN, "oauth", "available", "alerts", "measures"];
const IS_RESERVED: &str = "is a reserved name: booking, builtin, oauth, available, alerts, measures";

/// Note what is wrong with the names alone, whatever else is installed.
pub(super) fn problems(manifest: &Manifest, bad: &mut impl FnMut(String, &str)) {
    if RESERVED.contains(&manifest.id.as_str()) {
        bad("id".to_owned(), IS_RESERVED);
    }
    if manifest.aliases.len() > limits::MANIFEST_ALIASES_MAX {
        bad("aliases".to_owned(), &format!("at most {}", limits::MANIFEST_ALIASES_MAX));
    }
    let mut seen = BTreeSet::from([&manifest.id]);
    for (i, alias) in manifest.aliases.iter().enumerate() {
        if RESERVED.contains(&alias.as_str()) {
            bad(format!("aliases[{i}]"), IS_RESERVED);
        }
        if !seen.insert(alias) {
            bad(format!("aliases[{i}]"), "is the plugin's id, or there twice");
        }
    }
}

/// Names of this manifest that already mean another plugin, by its id or one of its aliases, in any of its installed versions.
#[must_use]
pub fn taken_names<'a>(
    manifest: &Manifest,
    installed: impl IntoIterator<Item = &'a Manifest>,
) -> Vec<ManifestProblem> {
    let others: Vec<&Manifest> = installed.into_iter().filter(|other| other.id != manifest.id).collect();
    let by = |name: &PluginId| others.iter().find(|other| other.id == *name || other.aliases.contains(name));
    let aliases = manifest.aliases.iter().enumerate().map(|(i, alias)| (format!("aliases[{i}]"), alias));
    std::iter::once(("id".to_owned(), &manifest.id))
        .chain(aliases)
        .filter_map(|(path, name)| {
            let other = by(name)?;
            let what = if other.id == *name { "the id" } else { "an alias" };
            Some(ManifestProblem {
                path,
                message: format!("{name} is {what} of the installed plugin {}", other.id),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(id: &str, aliases: &[&str]) -> Result<Manifest, Vec<String>> {
        let text = format!(
            "id = \"{id}\"\naliases = {aliases:?}\nversion = \"1.0.0\"\ncontract = \"0.1\"\nname = \"Acme\"\n"
        );
        Manifest::parse(&text).map_err(|problems| problems.into_iter().map(|p| p.path).collect())
    }

    #[test]
    fn reserved_names_are_no_plugins() {
        for name in RESERVED {
            assert_eq!(manifest(name, &[]).unwrap_err(), ["id"], "{name}");
            assert_eq!(manifest("acme", &["acme-two", name]).unwrap_err(), ["aliases[1]"], "{name}");
        }
        assert!(manifest("bookings", &["available-here"]).is_ok());
    }

    #[test]
    fn an_alias_is_a_name_of_its_own() {
        assert_eq!(manifest("acme", &["acme"]).unwrap_err(), ["aliases[0]"]);
        assert_eq!(manifest("acme", &["other", "other"]).unwrap_err(), ["aliases[1]"]);
        assert!(manifest("acme", &["No Name"]).is_err());
        let many: Vec<String> = (0..=limits::MANIFEST_ALIASES_MAX).map(|n| format!("name-{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(manifest("acme", &many).unwrap_err(), ["aliases"]);
    }

    #[test]
    fn a_name_means_one_plugin() {
        let installed = [manifest("acme", &["desk"]).unwrap(), manifest("tide", &[]).unwrap()];
        let taken = |id: &str, aliases: &[&str]| {
            let found = taken_names(&manifest(id, aliases).unwrap(), &installed);
            found.into_iter().map(|problem| problem.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(taken("acme", &["desk", "front"]), [""; 0], "another version of the same");
        assert_eq!(taken("desk", &[]), ["id: desk is an alias of the installed plugin acme"]);
        assert_eq!(
            taken("wave", &["tide", "sea", "desk"]),
            [
                "aliases[0]: tide is the id of the installed plugin tide",
                "aliases[2]: desk is an alias of the installed plugin acme"
            ]
        );
    }
}
