//! What the house looks like, read from the sources: the folders of each layer, who imports whom, and which files of the engine call each
//! other in a loop.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use syn::visit::Visit;

use super::{files, root};

/// A file as Rust names it, from the root of its crate.
type Module = Vec<String>;
type Graph = BTreeMap<Module, BTreeSet<Module>>;

/// Folders that are no domain: the model's `scheduling`, and what all domains use.
const BESIDE_THE_DOMAINS: [&str; 4] = ["scheduling", "json", "limits", "zone"];

fn domains() -> BTreeSet<String> {
    let text = fs::read_to_string(root().join("host/ARCHITECTURE.md")).unwrap();
    let section = text.split("## One folder for each domain").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let listed = section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let reserved = section.split("Reserved for what comes:").nth(1).unwrap().split('.').next().unwrap();
    let reserved =
        reserved.split('`').filter(|word| word.chars().all(|c| c.is_ascii_lowercase() || c == '_'));
    listed.chain(reserved).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

#[test]
fn each_layer_is_cut_into_the_domains_of_the_architecture() {
    let domains = domains();
    assert!(domains.len() >= 11 && domains.contains("bookings"), "{domains:?}");
    for layer in [
        "host/model/src",
        "host/engine/src",
        "host/store/src/queries",
        "host/store/src/methods",
        "host/server/src/api",
        "tests/api",
    ] {
        let folders = fs::read_dir(root().join(layer)).unwrap().flatten().filter(|e| e.path().is_dir());
        let mut seen = 0;
        for folder in folders {
            let name = folder.file_name().to_string_lossy().into_owned();
            let beside = match layer {
                "host/model/src" => BESIDE_THE_DOMAINS.contains(&name.as_str()),
                // What belongs to no domain but to HTTP itself.
                "tests/api" => name == "http",
                _ => false,
            };
            assert!(beside || domains.contains(&name), "{layer}/{name} is no domain of ARCHITECTURE.md");
            seen += 1;
        }
        assert!(seen >= 8, "{layer} has {seen} folders");
    }
}

/// The module that a file is, from the `src` of its crate.
fn module_of(file: &Path) -> Module {
    let mut names: Module =
        file.with_extension("").iter().map(|name| name.to_string_lossy().into_owned()).collect();
    if matches!(names.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        names.pop();
    }
    names
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|a| {
        a.path().is_ident("test")
            || a.path().is_ident("cfg")
                && a.parse_args::<syn::Path>().is_ok_and(|condition| condition.is_ident("test"))
    })
}

/// Every path that a file names from `crate`, `super` or `self`, resolved to names from the root of its crate.
struct Names<'a> {
    at: Module,
    seen: BTreeSet<Module>,
    file: &'a Path,
}

impl Names<'_> {
    fn note(&mut self, path: &[String]) {
        let mut names = path.iter();
        let mut full = match names.clone().next().map(String::as_str) {
            Some("crate") => Module::new(),
            Some("self" | "super") => self.at.clone(),
            _ => return,
        };
        for name in names.by_ref() {
            match name.as_str() {
                "crate" | "self" => {}
                "super" => assert!(full.pop().is_some(), "{} leaves its crate", self.file.display()),
                other => full.push(other.to_owned()),
            }
        }
        self.seen.insert(full);
    }

    fn note_tree(&mut self, tree: &syn::UseTree, before: &mut Vec<String>) {
        match tree {
            syn::UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.note_tree(&path.tree, before);
                before.pop();
            }
            syn::UseTree::Name(syn::UseName { ident, .. })
            | syn::UseTree::Rename(syn::UseRename { ident, .. }) => {
                before.push(ident.to_string());
                self.note(before);
                before.pop();
            }
            syn::UseTree::Glob(_) => self.note(before),
            syn::UseTree::Group(group) => {
                for tree in &group.items {
                    self.note_tree(tree, before);
                }
            }
        }
    }
}

impl<'ast> Visit<'ast> for Names<'_> {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if !is_test(&item.attrs) {
            self.note_tree(&item.tree, &mut Vec::new());
        }
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_test(&item.attrs) && item.content.is_some() {
            self.at.push(item.ident.to_string());
            syn::visit::visit_item_mod(self, item);
            self.at.pop();
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if names.len() > 1 {
            self.note(&names);
        }
        syn::visit::visit_path(self, path);
    }
}

/// Who imports whom within a crate. That a module names what lies below it is how a crate is put together, and no arrow.
fn imports(source: &str) -> Graph {
    let parsed = sources(source);
    let modules: BTreeSet<Module> = parsed.iter().map(|(module, _, _)| module.clone()).collect();
    let mut graph = Graph::new();
    for (module, file, syntax) in &parsed {
        let mut names = Names { at: module.clone(), seen: BTreeSet::new(), file };
        names.visit_file(syntax);
        let arrows = names.seen.iter().filter_map(|path| {
            let ends = (0..=path.len()).rev();
            ends.map(|end| path[..end].to_vec()).find(|prefix| modules.contains(prefix))
        });
        let arrows = arrows.filter(|to| !to.starts_with(module)).collect();
        graph.insert(module.clone(), arrows);
    }
    graph
}

/// The files of a crate that are no tests, parsed.
fn sources(source: &str) -> Vec<(Module, std::path::PathBuf, syn::File)> {
    let folder = root().join(source);
    files(source, ".rs")
        .into_iter()
        .filter(|(path, _)| path.file_name().is_none_or(|name| name != "tests.rs"))
        .map(|(path, text)| {
            let module = module_of(path.strip_prefix(&folder).unwrap());
            let syntax = syn::parse_file(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            (module, path, syntax)
        })
        .collect()
}

/// Groups of which each reaches each other, by Kosaraju's algorithm; those of one are left out.
fn circles(graph: &Graph) -> Vec<BTreeSet<String>> {
    fn after<'a>(
        graph: &'a Graph,
        from: &'a Module,
        seen: &mut BTreeSet<&'a Module>,
        order: &mut Vec<&'a Module>,
    ) {
        if seen.insert(from) {
            for to in graph.get(from).into_iter().flatten() {
                after(graph, to, seen, order);
            }
            order.push(from);
        }
    }
    let (mut seen, mut order) = (BTreeSet::new(), Vec::new());
    for module in graph.keys() {
        after(graph, module, &mut seen, &mut order);
    }
    let mut back = Graph::new();
    for (from, all) in graph {
        for to in all {
            back.entry(to.clone()).or_default().insert(from.clone());
        }
    }
    let (mut seen, mut found) = (BTreeSet::new(), Vec::new());
    for module in order.into_iter().rev() {
        let mut group = Vec::new();
        after(&back, module, &mut seen, &mut group);
        if group.len() > 1 {
            found.push(group.into_iter().map(|module| module.join("::")).collect());
        }
    }
    found
}

#[test]
fn a_circle_is_found_where_there_is_one() {
    let module = |name: &str| vec![name.to_owned()];
    let arrows = [("a", "b"), ("b", "c"), ("c", "b"), ("c", "d"), ("e", "a")];
    let mut graph = Graph::new();
    for (from, to) in arrows {
        graph.entry(module(from)).or_default().insert(module(to));
    }
    assert_eq!(circles(&graph), [BTreeSet::from(["b".to_owned(), "c".to_owned()])]);
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let mut seen = 0;
    for (manifest, _) in ["host", "plugins", "tests/providers", "tests/bench"]
        .iter()
        .flat_map(|folder| files(folder, "Cargo.toml"))
    {
        let folder = manifest.parent().unwrap().strip_prefix(root()).unwrap().join("src");
        if !root().join(&folder).is_dir() {
            continue;
        }
        let folder = folder.to_string_lossy();
        let found = circles(&imports(&folder));
        assert!(found.is_empty(), "{folder} has files that import each other in a circle: {found:?}");
        seen += 1;
    }
    assert!(seen > 15, "{seen} crates were looked at");
}

/// A method of a struct.
type Method = (String, String);

/// Methods that a file of the engine has, and those that it calls, as it calls them: on `self`, or on a field of it.
#[derive(Default)]
struct Methods {
    of: String,
    has: BTreeSet<Method>,
    calls: BTreeSet<(String, Option<String>, String)>,
    /// What the fields of each struct are, by the last name of their type.
    fields: BTreeMap<Method, String>,
}

/// `Bookings` of `Arc<Bookings>`.
fn inner_type(of: &syn::Type) -> Option<String> {
    let syn::Type::Path(path) = of else { return None };
    let last = path.path.segments.last()?;
    match &last.arguments {
        syn::PathArguments::AngleBracketed(inner) if last.ident == "Arc" => match inner.args.first()? {
            syn::GenericArgument::Type(inner) => inner_type(inner),
            _ => None,
        },
        _ => Some(last.ident.to_string()),
    }
}

/// The name of a variable, if an expression is no more than that.
fn variable(of: &syn::Expr) -> Option<String> {
    match of {
        syn::Expr::Path(path) => path.path.get_ident().map(ToString::to_string),
        _ => None,
    }
}

impl<'ast> Visit<'ast> for Methods {
    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        for field in &item.fields {
            if let (Some(name), Some(of)) = (&field.ident, inner_type(&field.ty)) {
                self.fields.insert((item.ident.to_string(), name.to_string()), of);
            }
        }
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        self.of = inner_type(&item.self_ty).unwrap_or_default();
        let methods = item.items.iter().filter_map(|item| match item {
            syn::ImplItem::Fn(method) => Some((self.of.clone(), method.sig.ident.to_string())),
            _ => None,
        });
        self.has.extend(methods.collect::<Vec<_>>());
        syn::visit::visit_item_impl(self, item);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_test(&item.attrs) {
            syn::visit::visit_item_mod(self, item);
        }
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        // A task of its own holds a clone of `self`, which is called `engine` there.
        let is_self = |name: Option<String>| name.is_some_and(|name| name == "self" || name == "engine");
        let method = call.method.to_string();
        match &*call.receiver {
            syn::Expr::Field(field) if is_self(variable(&field.base)) => {
                if let syn::Member::Named(name) = &field.member {
                    self.calls.insert((self.of.clone(), Some(name.to_string()), method));
                }
            }
            receiver if is_self(variable(receiver)) => {
                self.calls.insert((self.of.clone(), None, method));
            }
            _ => {}
        }
        syn::visit::visit_expr_method_call(self, call);
    }
}

#[test]
fn files_of_the_engine_call_each_other_in_no_circle() {
    let files: Vec<(Module, Methods)> = sources("host/engine/src")
        .into_iter()
        .map(|(module, _, syntax)| {
            let mut methods = Methods::default();
            methods.visit_file(&syntax);
            (module, methods)
        })
        .collect();
    let homes =
        files.iter().flat_map(|(module, methods)| methods.has.iter().map(move |method| (method, module)));
    let home: BTreeMap<&Method, &Module> = homes.collect();
    assert!(home.len() > 400, "{} methods were found", home.len());
    let fields: BTreeMap<&Method, &String> = files.iter().flat_map(|(_, methods)| &methods.fields).collect();
    let mut followed = 0;
    let mut graph = Graph::new();
    for (module, methods) in &files {
        let mut arrows = BTreeSet::new();
        for (of, field, method) in &methods.calls {
            let receiver = match field {
                None => Some(of),
                Some(field) => fields.get(&(of.clone(), field.clone())).copied(),
            };
            let called = receiver.and_then(|of| home.get(&(of.clone(), method.clone())).copied());
            followed += usize::from(called.is_some());
            arrows.extend(called.filter(|to| *to != module).cloned());
        }
        graph.insert(module.clone(), arrows);
    }
    assert!(followed > 500, "{followed} calls were followed");
    let found = circles(&graph);
    assert!(found.is_empty(), "these files of the engine call each other in a loop: {found:?}");
}

/// Cut into domains, the engine has a struct for each, and what it is composed of is all that it can call. That none is the whole engine
/// again is held here: it would hold most of the others.
#[test]
fn no_struct_of_the_engine_holds_the_engine() {
    let mut domains = 0;
    for (module, _, syntax) in sources("host/engine/src") {
        for item in &syntax.items {
            let syn::Item::Struct(item) = item else { continue };
            let types: Vec<String> = item.fields.iter().filter_map(|field| inner_type(&field.ty)).collect();
            domains += usize::from(types.iter().any(|of| of == "Base"));
            assert!(!types.iter().any(|of| of == "Engine"), "{} of {module:?} holds the engine", item.ident);
            let is_composition = item.ident == "Engine";
            assert!(
                is_composition || types.len() <= 16,
                "{} of {module:?} holds {}",
                item.ident,
                types.len()
            );
        }
    }
    assert!(domains >= 20, "{domains} structs were found");
}
