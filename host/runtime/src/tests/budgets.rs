//! What a call may use, and what it is told when it takes more. Nothing here touches another call.

use berth_model::{
    limits,
    outbound::provider::{CallError, Providers},
};

use super::{
    guest::{ANSWER, component, crowded, from_module, module},
    world::{World, cx, world},
};
use crate::RuntimeLimits;

/// Serve a component with this body, call it once, and take the error.
async fn fails(limits: RuntimeLimits, body: &str) -> (std::sync::Arc<World>, CallError) {
    let world = world(limits, None);
    world.serve(component(body, "a1", "{}")).await;
    let error = world.runtime.validate(&cx(1)).await.expect_err("fails");
    (world, error)
}

#[track_caller]
fn exhausted(error: &CallError) -> &'static str {
    let CallError::Exhausted { limit, .. } = error else { panic!("another error: {error:?}") };
    limit
}

#[tokio::test]
async fn an_endless_loop_ends_and_another_call_proceeds() {
    let world = world(RuntimeLimits::default(), None);
    // Loops while the byte at 2000, which is 1 in the component that loops, is not 0.
    let body = "(loop $l (br_if $l (i32.load8_u (i32.const 2000)))) (i32.const 0)";
    let module = module(body, "a1", "{}")
        .replace("(data (i32.const 512)", "(data (i32.const 2000) \"\\01\") (data (i32.const 512)");
    let looping = from_module(&module.replace("'sample'", "'looping'"));
    world.serve(looping).await;
    world.serve(component(ANSWER, "a1", "{}")).await;
    let mut endless = cx(1);
    endless.plugin = "looping".parse().expect("an id");
    // One thread serves both: the other call gets its turn only if the loop yields.
    let (ended, other) = tokio::join!(world.runtime.validate(&endless), async {
        tokio::task::yield_now().await;
        let answer = world.runtime.validate(&cx(2)).await;
        let finished_first = world.calls.0.lock().expect("not poisoned").len() == 1;
        answer.map(|account| (account.id, finished_first))
    });
    assert_eq!(exhausted(&ended.expect_err("ends")), "cpu");
    assert_eq!(other.expect("answers"), ("a1".to_owned(), true));
}

#[tokio::test]
async fn memory_is_capped() {
    let (_, error) = fails(
        RuntimeLimits::default(),
        "(loop $l (drop (memory.grow (i32.const 16))) (br $l)) (unreachable)",
    )
    .await;
    assert_eq!(exhausted(&error), "memory");
}

#[tokio::test]
async fn the_stack_is_capped() {
    let (_, error) = fails(RuntimeLimits::default(), "(call $deeper (i32.const 0))").await;
    assert_eq!(exhausted(&error), "call stack");
}

#[tokio::test]
async fn host_calls_are_capped() {
    let body = "(loop $l (call $log (i32.const 2) (i32.const 512) (i32.const 6)) (br $l)) (unreachable)";
    let limits = RuntimeLimits { cpu_ticks: 1_000, ..RuntimeLimits::default() };
    let (_, error) = fails(limits, body).await;
    assert_eq!(exhausted(&error), "host calls");
    let CallError::Exhausted { log_tail, .. } = error else { unreachable!() };
    assert!(log_tail.starts_with("Sample\nSample"), "{log_tail}");
    assert!(log_tail.len() <= limits::CALL_LOG_TAIL_BYTES_MAX + 64);
}

#[tokio::test]
async fn results_are_capped() {
    // Grow to 8 MiB and say that the raw text is 5 MiB long.
    let body = "(drop (memory.grow (i32.const 128)))
        (i32.store (i32.const 52) (i32.const 5242880)) (i32.const 0)";
    let (_, error) = fails(RuntimeLimits::default(), body).await;
    assert_eq!(exhausted(&error), "result size");
}

#[tokio::test]
async fn wall_time_is_capped_and_opens_no_breaker() {
    let limits = RuntimeLimits { wall_ms: 50, ..RuntimeLimits::default() };
    let waits = "(call $state (i32.const 512) (i32.const 6) (i32.const 3000)) (i32.const 0)";
    let world = world(limits, None);
    world.serve(component(waits, "a1", "{}")).await;
    for _ in 0..=limits::BREAKER_TRAPS_MAX {
        let error = world.runtime.validate(&cx(1)).await.expect_err("nobody lets it go on");
        assert_eq!(exhausted(&error), "wall time");
    }
    world.state.go_on.add_permits(1);
    assert_eq!(world.runtime.validate(&cx(1)).await.expect("goes on").id, "a1");
}

/// Seventy-three sleeping calls of fourteen core instances filled the pool while permits were left.
#[tokio::test]
async fn sleeping_calls_of_the_largest_component_keep_nobody_else_out() {
    let limits = RuntimeLimits { wall_ms: 600_000, permit_wait_ms: 50, ..RuntimeLimits::default() };
    let world = world(limits, None);
    let waits = "(call $state (i32.const 512) (i32.const 6) (i32.const 3000)) (i32.const 0)";
    let module = module(waits, "a1", "{}").replace("'sample'", "'sleeps'");
    world.serve(crowded(from_module(&module))).await;
    world.serve(crowded(component(ANSWER, "a1", "{}"))).await;
    let sleeping = |tenant: u128| {
        let world = std::sync::Arc::clone(&world);
        tokio::spawn(async move {
            let mut cx = cx(tenant);
            cx.plugin = "sleeps".parse().expect("an id");
            world.runtime.validate(&cx).await
        })
    };
    let all = u128::try_from(limits::CALLS_CONCURRENT_MAX).expect("small");
    let each = u128::try_from(limits::CALLS_BACKGROUND_PER_TENANT_MAX).expect("small");
    let mut asleep: Vec<_> = (0..all).map(|n| sleeping(n / each)).collect();
    world.state.asked.acquire_many(u32::try_from(all).expect("small")).await.expect("open").forget();
    assert_eq!(world.runtime.validate(&cx(1_000)).await.expect("another tenant's").id, "a1");

    // What is over the limit is busy, and told when to try again.
    let busy = CallError::Busy { retry_after_ms: limits::CALL_PERMIT_WAIT_MS_MAX };
    assert_eq!(sleeping(0).await.expect("ended").expect_err("its share is used up"), busy);
    // So many tenants more find room for one call each, and the pool has it.
    let more = all / u128::try_from(limits::CALLS_FIRST_PARTS).expect("small");
    asleep.extend((0..more).map(|n| sleeping(2_000 + n)));
    world.state.asked.acquire_many(u32::try_from(more).expect("small")).await.expect("open").forget();
    assert_eq!(sleeping(9_000).await.expect("ended").expect_err("all is used up"), busy);
    world.state.go_on.add_permits(asleep.len());
    for call in asleep {
        assert_eq!(call.await.expect("ended").expect("answers").id, "a1");
    }
}
