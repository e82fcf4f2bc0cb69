//! Calls: answers, breaches of the contract, breakers, permits, and versions that change under a call.

use std::sync::Arc;

use berth_model::{
    limits,
    outbound::provider::{CallError, PageRequest, ProviderError, Providers},
    plugins::plugin::PluginHost,
};

use super::{
    guest::{ANSWER, component},
    world::{World, cx, plugin, world},
};
use crate::RuntimeLimits;

/// Asks the state first, which the test holds back.
const WAITS: &str = "(call $state (i32.const 512) (i32.const 6) (i32.const 3000)) (i32.const 0)";

/// Start a call and return when it waits inside the guest.
async fn begin(
    world: &Arc<World>,
    tenant: u128,
) -> tokio::task::JoinHandle<Result<berth_model::outbound::provider::Account, CallError>> {
    let call = tokio::spawn({
        let world = Arc::clone(world);
        async move { world.runtime.validate(&cx(tenant)).await }
    });
    world.state.asked.acquire().await.expect("open").forget();
    call
}

#[tokio::test]
async fn an_answer_is_checked_and_recorded() {
    let world = world(RuntimeLimits::default(), None);
    let report = world.serve(component(ANSWER, "a1", "{\"plan\":\"free\"}")).await;
    let account = world.runtime.validate(&cx(1)).await.expect("answers");
    assert_eq!((account.id.as_str(), account.name.as_str(), account.email), ("a1", "Sample", None));
    assert_eq!(account.raw, serde_json::json!({ "plan": "free" }));
    let record = world.last();
    assert_eq!((record.operation, record.outcome, record.error), ("connection.validate", "ok", None));
    assert_eq!(record.digest, report.digest.short());
    assert_eq!(record.request_id, "request");
}

#[tokio::test]
async fn the_providers_refusal_is_no_failure_of_the_component() {
    let world = world(RuntimeLimits::default(), None);
    // The error case, and of it the first: unauthorised.
    let body =
        "(i32.store8 (i32.const 0) (i32.const 1)) (i32.store8 (i32.const 8) (i32.const 0)) (i32.const 0)";
    world.serve(component(body, "a1", "{}")).await;
    for _ in 0..=limits::BREAKER_TRAPS_MAX {
        let error = world.runtime.validate(&cx(1)).await.expect_err("refused");
        assert_eq!(error, CallError::Provider(ProviderError::Unauthorised));
    }
    assert_eq!(world.last().outcome, "unauthorised");
}

#[tokio::test]
async fn a_breach_of_the_contract_names_the_field() {
    for (id, raw, says) in [
        ("a1", "{", "the returned `raw` is not JSON"),
        ("", "{}", "the returned `id` is empty"),
        ("a\u{1b}1", "{}", "the returned `id` holds control characters"),
    ] {
        let world = world(RuntimeLimits::default(), None);
        world.serve(component(ANSWER, id, raw)).await;
        let error = world.runtime.validate(&cx(1)).await.expect_err("a breach");
        let CallError::Trap { message, .. } = error else { panic!("another error: {error:?}") };
        assert_eq!(message, says);
    }
}

#[tokio::test]
async fn what_is_not_there_is_named() {
    let world = world(RuntimeLimits::default(), None);
    let error = world.runtime.validate(&cx(1)).await.expect_err("nothing serves");
    assert_eq!(error, CallError::NotActive(plugin()));
    assert_eq!(world.last().digest, "");
    world.serve(component(ANSWER, "a1", "{}")).await;
    let page = PageRequest { token: None, limit: 1 };
    let error = world.runtime.list_event_types(&cx(1), page).await.expect_err("not exported");
    assert_eq!(error, CallError::NotOffered("catalog"));
}

#[tokio::test]
async fn traps_open_the_breaker_of_one_version_for_a_while() {
    let world = world(RuntimeLimits::default(), None);
    world
        .serve(component("(call $log (i32.const 4) (i32.const 512) (i32.const 6)) unreachable", "a1", "{}"))
        .await;
    for _ in 0..limits::BREAKER_TRAPS_MAX {
        let error = world.runtime.validate(&cx(1)).await.expect_err("traps");
        let CallError::Trap { message, log_tail } = error else { panic!("another error: {error:?}") };
        assert!(message.contains("unreachable"), "{message}");
        assert_eq!(log_tail, "Sample");
    }
    let open = CallError::BreakerOpen { retry_after_ms: limits::BREAKER_OPEN_MS_MIN };
    assert_eq!(world.runtime.validate(&cx(1)).await.expect_err("open"), open);
    world.clock.pass_ms(i64::try_from(limits::BREAKER_OPEN_MS_MIN).expect("small"));
    assert!(matches!(world.runtime.validate(&cx(1)).await, Err(CallError::Trap { .. })), "tried again");
    world.serve(component(ANSWER, "a2", "{}")).await;
    assert_eq!(world.runtime.validate(&cx(1)).await.expect("another version, other breakers").id, "a2");
}

#[tokio::test]
async fn a_tenant_that_has_all_its_permits_out_is_busy_and_others_are_not() {
    let limits = RuntimeLimits { concurrent_per_tenant: 1, permit_wait_ms: 20, ..RuntimeLimits::default() };
    let world = world(limits, None);
    world.serve(component(WAITS, "a1", "{}")).await;
    let first = begin(&world, 1).await;
    assert!(matches!(world.runtime.validate(&cx(1)).await, Err(CallError::Busy { .. })));
    let other = begin(&world, 2).await;
    world.state.go_on.add_permits(2);
    for call in [first, other] {
        assert_eq!(call.await.expect("ended").expect("answers").id, "a1");
    }
    world.state.go_on.add_permits(1);
    assert_eq!(world.runtime.validate(&cx(1)).await.expect("the permit came back").id, "a1");
}

#[tokio::test]
async fn a_call_ends_on_the_version_it_began_with() {
    let world = world(RuntimeLimits::default(), None);
    world.serve(component(WAITS, "old", "{}")).await;
    let under_way = begin(&world, 1).await;
    let new = world.serve(component(ANSWER, "new", "{}")).await;
    assert_eq!(world.runtime.validate(&cx(1)).await.expect("answers").id, "new");
    for n in 0..4 {
        world.serve(component(ANSWER, &format!("newer{n}"), "{}")).await;
    }
    world.runtime.deactivate(&new.manifest.id);
    world.state.go_on.add_permits(1);
    assert_eq!(under_way.await.expect("ended").expect("not dropped").id, "old");
    assert!(matches!(world.runtime.validate(&cx(1)).await, Err(CallError::NotActive(_))));
}

#[tokio::test]
async fn a_call_whose_caller_goes_away_is_recorded_and_gives_its_permit_back() {
    let limits = RuntimeLimits { concurrent_per_tenant: 1, ..RuntimeLimits::default() };
    let world = world(limits, None);
    world.serve(component(WAITS, "a1", "{}")).await;
    let call = begin(&world, 1).await;
    call.abort();
    assert!(call.await.expect_err("aborted").is_cancelled());
    let record = world.last();
    assert_eq!((record.outcome, record.error), ("dropped", None));
    world.state.go_on.add_permits(1);
    assert_eq!(world.runtime.validate(&cx(1)).await.expect("the permit came back").id, "a1");
}
