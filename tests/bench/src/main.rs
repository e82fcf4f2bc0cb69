//! Benchmarks: `cargo xtask bench [NAME …]`. Each figure stands beside a baseline that was measured in the same run, since machines differ
//! and are noisy. Everything is bounded, talks to loopback only and stops by itself.

mod availability;
mod bare;
mod calls;
mod commits;
mod context;
mod ends;
mod loading;
mod naive;
mod neighbours;
mod program;
mod providers;
mod scene;
mod scheduling;
mod silent;
mod sleepers;
mod spine;
mod table;

use table::Table;

#[tokio::main]
async fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let all = [
        "calls",
        "loading",
        "program",
        "commits",
        "scheduling",
        "availability",
        "neighbours",
        "providers",
        "silent",
        "spine",
        "ends",
    ];
    if let Some(unknown) = wanted.iter().find(|name| !all.contains(&name.as_str())) {
        eprintln!("there is no benchmark {unknown:?}; there are: {}", all.join(", "));
        std::process::exit(2);
    }
    let runs = |name: &str| wanted.is_empty() || wanted.iter().any(|w| w == name);
    // The HTTP client wants one, even for loopback without TLS.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut table = Table::default();
    if runs("calls") {
        calls::run(&mut table).await;
    }
    if runs("loading") {
        loading::run(&mut table).await;
    }
    if runs("program") {
        program::run(&mut table).await;
    }
    if runs("commits") {
        commits::run(&mut table).await;
    }
    if runs("scheduling") {
        scheduling::run(&mut table);
    }
    if runs("availability") {
        availability::run(&mut table).await;
    }
    if runs("neighbours") {
        neighbours::run(&mut table).await;
    }
    if runs("providers") {
        providers::run(&mut table).await;
    }
    if runs("silent") {
        silent::run(&mut table).await;
    }
    if runs("spine") {
        spine::run(&mut table).await;
    }
    if runs("ends") {
        ends::run(&mut table).await;
    }
    table.print();
}
