//! What others build on, as text: a change shows in review. Accept one with `INSTA_UPDATE=always cargo test -p berth-tests --test snapshots`.

#[path = "snapshots/openapi.rs"]
mod openapi;

use std::{fmt::Write as _, path::PathBuf};

use berth_model::problem::Code;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn settings() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings
}

/// Are snapshots written instead of compared?
fn updating() -> bool {
    std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always")
}

/// The contract's shape: every interface, function and type, with their documentation, as the tools read it.
#[test]
fn the_contract() {
    let mut resolve = wit_parser::Resolve::default();
    let (package, _) = resolve.push_dir(root().join("wit")).unwrap();
    let mut printer = wit_component::WitPrinter::default();
    printer.print(&resolve, package, &[]).unwrap();
    settings().bind(|| insta::assert_snapshot!("contract", printer.output.to_string()));
}

#[test]
fn the_error_codes() {
    let mut table = String::new();
    for code in Code::ALL {
        writeln!(table, "{} {} {} | {}", code.as_str(), code.status(), code.title(), code.hint()).unwrap();
    }
    settings().bind(|| insta::assert_snapshot!("error_codes", table));
}

#[test]
fn the_help_of_every_command() {
    let mut text = String::new();
    for (words, help) in berth_server::cli::help_pages() {
        writeln!(text, "==== {words}\n{help}").unwrap();
    }
    let version = format!("berth {}", env!("CARGO_PKG_VERSION"));
    settings().bind(|| insta::assert_snapshot!("help", text.replace(&version, "berth VERSION")));
}

/// The page of the schema is what the register of personal data makes.
#[test]
fn the_schema_page() {
    let (path, page) = (root().join("host/SCHEMA.md"), berth_store::personal::page());
    if updating() {
        std::fs::write(&path, &page).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = kept.lines().zip(page.lines()).find(|(kept, made)| kept != made);
    assert!(
        kept == page,
        "host/SCHEMA.md is not what host/store/src/personal.rs makes, first in {differs:?}"
    );
}
