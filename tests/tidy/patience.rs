//! No test fails because a machine is slow: nothing in it ends by a real clock before a minute is over. What is waited for has
//! `berth_tests::PATIENCE`.

use std::{collections::BTreeMap, time::Duration};

use syn::{punctuated::Punctuated, visit::Visit};

use super::{files, root};

/// Shortest wait that may fail a test.
const PATIENT: Duration = Duration::from_mins(1);

/// Short spans in tests that fail none: the file, how many, and why.
const SHORT: &[(&str, usize, &str)] = &[
    ("host/runtime/src/cap/clock.rs", 1, "an instant of a clock that stands"),
    (
        "host/runtime/src/egress/rates/tests.rs",
        3,
        "the clock is the test's own, and nothing is waited for that is not there",
    ),
    (
        "host/runtime/src/egress/tests/answers.rs",
        1,
        "a limit that runs out however slow the machine is: nobody ever answers",
    ),
    (
        "host/runtime/src/egress/tests/limits.rs",
        1,
        "limits that run out however slow the machine is: nobody ever answers",
    ),
    ("host/server/src/background/tests.rs", 1, "the clock is paused in each test"),
    (
        "host/server/src/http/serve/tests.rs",
        1,
        "limits that run out however slow the machine is: the client stays silent",
    ),
    ("host/store/src/sqlite/readers.rs", 1, "what never ends is given up"),
    ("tests/api/availability/abandoned.rs", 1, "who finds no room so soon asks again"),
];

/// Spans of a file's tests that are shorter than a minute, and are no rest between two looks.
#[derive(Default)]
struct Spans {
    is_test: bool,
    /// In a call that rests, or a test whose clock is paused.
    is_harmless: bool,
    found: Vec<String>,
}

impl Spans {
    fn within(&mut self, is_test: bool, is_harmless: bool, visit: impl FnOnce(&mut Self)) {
        let before = (self.is_test, self.is_harmless);
        self.is_test |= is_test;
        self.is_harmless |= is_harmless;
        visit(self);
        (self.is_test, self.is_harmless) = before;
    }

    fn note(&mut self, what: String) {
        if self.is_test && !self.is_harmless {
            self.found.push(what);
        }
    }
}

fn says(attributes: &[syn::Attribute], word: &str) -> bool {
    let text = |attribute: &syn::Attribute| match &attribute.meta {
        syn::Meta::List(list) => list.tokens.to_string(),
        _ => String::new(),
    };
    attributes
        .iter()
        .any(|attribute| text(attribute).split(|c: char| !c.is_alphanumeric() && c != '_').any(|w| w == word))
}

/// The span that `Duration::from_…` makes of a number.
fn span(name: &str, number: &syn::Expr) -> Option<Duration> {
    let syn::Expr::Lit(syn::ExprLit { lit, .. }) = number else { return None };
    let (whole, float) = match lit {
        syn::Lit::Int(lit) => (lit.base10_parse::<u64>().ok(), None),
        syn::Lit::Float(lit) => (None, lit.base10_parse::<f64>().ok()),
        _ => (None, None),
    };
    match name {
        "from_secs_f64" | "from_secs_f32" => Some(Duration::from_secs_f64(float?)),
        "from_secs" => Some(Duration::from_secs(whole?)),
        "from_millis" => Some(Duration::from_millis(whole?)),
        "from_micros" => Some(Duration::from_micros(whole?)),
        "from_nanos" => Some(Duration::from_nanos(whole?)),
        "from_mins" => Some(Duration::from_secs(60 * whole?)),
        _ => None,
    }
}

impl<'ast> Visit<'ast> for Spans {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.within(says(&item.attrs, "test"), false, |spans| syn::visit::visit_item_mod(spans, item));
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.within(false, says(&item.attrs, "start_paused"), |spans| syn::visit::visit_item_fn(spans, item));
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        let names: Vec<String> = match &*call.func {
            syn::Expr::Path(path) => path.path.segments.iter().map(|s| s.ident.to_string()).collect(),
            _ => Vec::new(),
        };
        let rests = matches!(names.last().map(String::as_str), Some("sleep" | "advance" | "interval"));
        if let [.., of, name] = names.as_slice()
            && of == "Duration"
            && let Some(span) = call.args.first().and_then(|number| span(name, number))
            && span < PATIENT
            && !span.is_zero()
        {
            self.note(format!("{span:?}"));
        }
        self.within(false, rests, |spans| syn::visit::visit_expr_call(spans, call));
    }

    /// `assert!` and its like: what is in them is words until it is read.
    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        let parts = call.parse_body_with(Punctuated::<syn::Expr, syn::Token![,]>::parse_terminated);
        let mut inner = Self { is_test: self.is_test, is_harmless: self.is_harmless, found: Vec::new() };
        for part in parts.iter().flatten() {
            inner.visit_expr(part);
        }
        self.found.append(&mut inner.found);
    }

    /// `took.as_secs() < 5`.
    fn visit_expr_binary(&mut self, binary: &'ast syn::ExprBinary) {
        if matches!(binary.op, syn::BinOp::Lt(_) | syn::BinOp::Le(_))
            && let syn::Expr::MethodCall(call) = &*binary.left
            && ["as_secs", "as_secs_f64", "as_millis", "as_micros", "as_nanos"]
                .iter()
                .any(|name| call.method == name)
        {
            self.note(format!("a comparison with {}", call.method));
        }
        syn::visit::visit_expr_binary(self, binary);
    }
}

fn spans(text: &str, is_test: bool) -> Vec<String> {
    let mut spans = Spans { is_test, ..Spans::default() };
    spans.visit_file(&syn::parse_file(text).unwrap());
    spans.found
}

#[test]
fn no_test_ends_by_a_real_clock_before_a_minute_is_over() {
    let mut found = BTreeMap::new();
    let (mut seen, mut tests) = (0, 0);
    for (path, text) in ["host", "plugins", "tests"].iter().flat_map(|folder| files(folder, ".rs")) {
        let path = path.canonicalize().unwrap();
        let inside =
            path.strip_prefix(root().canonicalize().unwrap()).unwrap().to_string_lossy().into_owned();
        // Measured, and made to be slow.
        if ["tests/bench/", "tests/guests/"].iter().any(|folder| inside.starts_with(folder)) {
            continue;
        }
        let is_test =
            inside.starts_with("tests/") || inside.ends_with("/tests.rs") || inside.contains("/tests/");
        let short = spans(&text, is_test);
        (seen, tests) = (seen + 1, tests + usize::from(is_test));
        if !short.is_empty() {
            found.insert(inside, short);
        }
    }
    assert!(seen > 500 && tests > 100, "{seen} files, {tests} of them tests");
    for (file, count, why) in SHORT {
        let here = found.remove(*file).unwrap_or_default();
        assert_eq!(here.len(), *count, "{file} ({why}): {here:?}");
    }
    assert!(found.is_empty(), "waits of tests that are shorter than a minute: {found:#?}");
}

#[test]
fn short_waits_are_found_where_there_are_some() {
    let wait = "async fn a() { timeout(Duration::from_secs(5), b()).await }";
    assert_eq!(spans(wait, true), ["5s"]);
    assert_eq!(spans(wait, false), [""; 0], "the product's own");
    let inside = "#[cfg(test)] mod tests { const LONG: Duration = std::time::Duration::from_millis(400); }";
    assert_eq!(spans(inside, false), ["400ms"]);
    assert_eq!(spans("fn a() { sleep(Duration::from_millis(5)); }", true), [""; 0]);
    assert_eq!(spans("fn a() { assert!(took.as_millis() < 500); }", true), ["a comparison with as_millis"]);
    assert_eq!(spans("fn a() { assert!(began.elapsed() < Duration::from_secs(9), \"{x}\"); }", true), ["9s"]);
    assert_eq!(spans("fn a() { timeout(Duration::from_mins(1)); }", true), [""; 0]);
    let paused = "#[tokio::test(start_paused = true)] async fn a() { timeout(Duration::from_secs(5)); }";
    assert_eq!(spans(paused, true), [""; 0]);
}
