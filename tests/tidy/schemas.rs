//! Schemas of the interface have names of their own: of two that are called the same, the description silently has one.

use std::collections::BTreeMap;

use syn::{Attribute, Item, visit::Visit};

use super::files;

/// Types that are described, by the name that they have there.
#[derive(Default)]
struct Schemas(Vec<String>);

impl Schemas {
    fn note(&mut self, name: &str, attributes: &[Attribute]) {
        let text = |attribute: &Attribute| match &attribute.meta {
            syn::Meta::List(list) => list.tokens.to_string(),
            _ => String::new(),
        };
        let of = |name: &'static str| attributes.iter().filter(move |a| a.path().is_ident(name)).map(text);
        if !of("derive").any(|derived| derived.split(',').any(|one| one.trim() == "ToSchema")) {
            return;
        }
        let named = of("schema").find_map(|said| {
            let (_, rest) = said.split_once("as = ")?;
            Some(rest.split([',', ' ']).next().unwrap_or_default().to_owned())
        });
        self.0.push(named.unwrap_or_else(|| name.to_owned()));
    }
}

impl<'ast> Visit<'ast> for Schemas {
    fn visit_item(&mut self, item: &'ast Item) {
        match item {
            Item::Struct(of) => self.note(&of.ident.to_string(), &of.attrs),
            Item::Enum(of) => self.note(&of.ident.to_string(), &of.attrs),
            _ => {}
        }
        syn::visit::visit_item(self, item);
    }
}

#[test]
fn no_two_schemas_have_one_name() {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (path, text) in files("host/server/src", ".rs") {
        let mut schemas = Schemas::default();
        schemas.visit_file(&syn::parse_file(&text).unwrap());
        for name in schemas.0 {
            found.entry(name).or_default().push(path.display().to_string());
        }
    }
    assert!(found.len() > 100, "only {} schemas were found", found.len());
    found.retain(|_, places| places.len() > 1);
    assert!(found.is_empty(), "give one of each another name (`#[schema(as = …)]`): {found:#?}");
}
