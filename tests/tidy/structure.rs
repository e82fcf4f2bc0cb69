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

/// Methods of the engine that a file has, and those that it calls.
#[derive(Default)]
struct Methods {
    has: BTreeSet<String>,
    calls: BTreeSet<String>,
    /// Is `self` another type here?
    is_another: bool,
}

impl<'ast> Visit<'ast> for Methods {
    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let is_engine = matches!(&*item.self_ty, syn::Type::Path(path) if path.path.is_ident("Engine"));
        if is_engine && item.trait_.is_none() {
            let methods = item.items.iter().filter_map(|item| match item {
                syn::ImplItem::Fn(method) => Some(method.sig.ident.to_string()),
                _ => None,
            });
            self.has.extend(methods);
        }
        let before = std::mem::replace(&mut self.is_another, !is_engine);
        syn::visit::visit_item_impl(self, item);
        self.is_another = before;
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_test(&item.attrs) {
            syn::visit::visit_item_mod(self, item);
        }
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        if let syn::Expr::Path(receiver) = &*call.receiver
            && (receiver.path.is_ident("self") && !self.is_another || receiver.path.is_ident("engine"))
        {
            self.calls.insert(call.method.to_string());
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
    let home: BTreeMap<&String, &Module> = files
        .iter()
        .flat_map(|(module, methods)| methods.has.iter().map(move |name| (name, module)))
        .collect();
    assert!(home.len() > 150, "{} methods were found", home.len());
    let graph = files.iter().map(|(module, methods)| {
        let arrows = methods.calls.iter().filter_map(|name| home.get(name).copied());
        (module.clone(), arrows.filter(|to| *to != module).cloned().collect())
    });
    let graph: Graph = graph.collect();
    let found = circles(&graph);
    assert!(found.is_empty(), "these files of the engine call each other in a loop: {found:?}");
}
