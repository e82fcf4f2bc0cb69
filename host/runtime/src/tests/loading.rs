//! What is loaded, and what is refused and why.

use berth_model::plugins::plugin::{Capabilities, LoadRefused, PluginHost};

use super::{
    guest::{ANSWER, MANIFEST, component, from_module, module},
    world::{cx, plugin, world},
};
use crate::RuntimeLimits;

async fn refusal(wasm: Vec<u8>) -> String {
    let LoadRefused { problems, .. } =
        world(RuntimeLimits::default(), None).runtime.load(wasm).await.expect_err("refused");
    problems.join("\n")
}

#[tokio::test]
async fn a_report_says_what_was_found() {
    let world = world(RuntimeLimits::default(), None);
    let wasm = component(ANSWER, "a1", "{}");
    let size = u64::try_from(wasm.len()).expect("small");
    let report = world.runtime.load(wasm.clone()).await.expect("loads");
    assert_eq!(report.bytes, size);
    assert_eq!(report.digest.0.len(), 64);
    assert_eq!(report.capabilities, Capabilities::default());
    assert!(report.imports.iter().any(|i| i == "berth:provider/log@0.1.3"), "{:?}", report.imports);
    assert_eq!(world.runtime.load(wasm).await.expect("again"), report, "loading is idempotent");
}

#[tokio::test]
async fn the_cache_serves_the_next_start() {
    let directory = tempfile::tempdir().expect("a directory");
    let wasm = component(ANSWER, "a1", "{}");
    for from_cache in [false, true] {
        let world = world(RuntimeLimits::default(), Some(directory.path().to_owned()));
        assert_eq!(world.serve(wasm.clone()).await.from_cache, from_cache);
        let account = berth_model::outbound::provider::Providers::validate(&world.runtime, &cx(1)).await;
        assert_eq!(account.expect("answers").id, "a1");
    }
}

#[tokio::test]
async fn all_problems_are_told_at_once() {
    let wasm = wat::parse_str(
        r#"(component
            (import "wasi:sockets/tcp@0.2.0" (instance))
            (import "vendor:files/read@1.0.0" (instance)))"#,
    )
    .expect("wat");
    let said = refusal(wasm).await;
    for part in ["has no manifest", "sockets are refused", "vendor:files/read", "does not export"] {
        assert!(said.contains(part), "{part} is missing in: {said}");
    }
}

#[tokio::test]
async fn a_function_of_another_type_is_refused() {
    let wasm = wat::parse_str(format!(
        r#"(component
            (core module $m
                (func (export "validate") (result i32) (i32.const 0))
                (@custom "berth:manifest" {MANIFEST:?}))
            (core instance $i (instantiate $m))
            (func $validate (result u32) (canon lift (core func $i "validate")))
            (instance $connection (export "validate" (func $validate)))
            (export "berth:provider/connection@0.1.3" (instance $connection)))"#
    ))
    .expect("wat");
    let said = refusal(wasm).await;
    assert!(said.contains("berth:provider/connection@0.1.3` has another type than the contract"), "{said}");
}

#[tokio::test]
async fn an_interface_without_its_function_is_refused() {
    let wasm = wat::parse_str(format!(
        r#"(component
            (core module (@custom "berth:manifest" {MANIFEST:?}))
            (instance $connection)
            (export "berth:provider/connection@0.1.3" (instance $connection)))"#
    ))
    .expect("wat");
    let said = refusal(wasm).await;
    assert!(said.contains("is not complete") && said.contains("validate"), "{said}");
}

#[tokio::test]
async fn a_component_that_fails_at_its_start_is_refused() {
    let module =
        module(ANSWER, "a1", "{}").replace("(memory ", "(start $start) (func $start unreachable) (memory ");
    let said = refusal(from_module(&module)).await;
    assert!(said.contains("cannot be instantiated") && said.contains("unreachable"), "{said}");
}

#[tokio::test]
async fn a_component_that_starts_with_too_much_memory_is_refused() {
    let pages = "(memory (export \"memory\") 2000)";
    let module = module(ANSWER, "a1", "{}").replace("(memory (export \"memory\") 1)", pages);
    let said = refusal(from_module(&module)).await;
    assert!(said.contains("memory"), "{said}");
}

#[tokio::test]
async fn earlier_versions_stay_for_a_return_and_the_oldest_goes() {
    let world = world(RuntimeLimits::default(), None);
    let mut digests = Vec::new();
    for n in 0..5 {
        digests.push(world.serve(component(ANSWER, &format!("a{n}"), "{}")).await.digest);
    }
    assert!(!world.runtime.activate(&plugin(), &digests[1]), "forgotten");
    assert!(world.runtime.activate(&plugin(), &digests[2]), "kept");
    assert_eq!(world.runtime.active(&plugin()), Some(digests[2].clone()));
    world.runtime.deactivate(&plugin());
    assert_eq!(world.runtime.active(&plugin()), None);
}
