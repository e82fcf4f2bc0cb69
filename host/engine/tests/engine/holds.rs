//! Holding a slot and booking it.

use berth_engine::{HoldClaim, HoldRequest, ProviderChoice};
use berth_model::{connections::secret::Secret, limits, problem::Code, time::Instant};

use crate::world::{World, monday, world};

fn hold(w: &World, start: Instant) -> HoldRequest {
    HoldRequest {
        event_type: w.event_type.id,
        start,
        length_minutes: None,
        member: None,
        seconds: Some(60),
        token: None,
    }
}

#[tokio::test]
async fn only_the_holder_can_book_what_is_held() {
    let w = world().await;
    let (held, token) = w.engine.bookings.hold(&w.caller, hold(&w, monday("10:00"))).await.unwrap();
    let mut request = w.request(monday("10:00"));
    request.provider = Some(ProviderChoice::BuiltIn);
    let refused = w.engine.bookings.book(&w.caller, request.clone()).await.unwrap_err();
    assert_eq!(refused.code, Code::SlotTaken);
    let second = w.engine.bookings.hold(&w.caller, hold(&w, monday("10:00"))).await.unwrap_err();
    assert_eq!(second.code, Code::SlotTaken);

    let wrong = Secret::new("not_the_token_at_all".into());
    request.hold = Some(HoldClaim { id: held.id, token: wrong });
    assert_eq!(w.engine.bookings.book(&w.caller, request.clone()).await.unwrap_err().code, Code::HoldExpired);
    request.hold = Some(HoldClaim { id: held.id, token });
    let mut elsewhere = request.clone();
    elsewhere.start = monday("11:00");
    let problem = w.engine.bookings.book(&w.caller, elsewhere).await.unwrap_err();
    assert_eq!((problem.code, problem.errors[0].field.as_str()), (Code::Invalid, "/start"));
    let booked = w.engine.bookings.book(&w.caller, request.clone()).await.unwrap().booking;
    assert_eq!((booked.when, booked.member), (held.when, w.ana.id));
    assert_eq!(
        w.engine.bookings.book(&w.caller, request).await.unwrap_err().code,
        Code::HoldExpired,
        "consumed"
    );
}

#[tokio::test]
async fn a_hold_that_is_over_keeps_nobody_out() {
    let w = world().await;
    let (held, token) = w.engine.bookings.hold(&w.caller, hold(&w, monday("10:00"))).await.unwrap();
    let claim = HoldClaim { id: held.id, token };
    w.clock.pass_seconds(50);
    let extended = w.engine.bookings.extend_hold(&w.caller, &claim, Some(60)).await.unwrap();
    assert!(extended.expires_at > held.expires_at);
    w.clock.pass_seconds(50);
    assert_eq!(
        w.engine.bookings.held_slot(&w.caller, held.id).await.unwrap().expires_at,
        extended.expires_at
    );
    w.clock.pass_seconds(11);
    assert_eq!(w.engine.bookings.held_slot(&w.caller, held.id).await.unwrap_err().code, Code::NotFound);
    assert_eq!(
        w.engine.bookings.extend_hold(&w.caller, &claim, None).await.unwrap_err().code,
        Code::HoldExpired
    );
    w.booked(monday("10:00")).await;

    let (released, _) = w.engine.bookings.hold(&w.caller, hold(&w, monday("11:00"))).await.unwrap();
    w.engine.bookings.release_hold(&w.caller, released.id).await.unwrap();
    w.booked(monday("11:00")).await;
}

#[tokio::test]
async fn holds_are_bounded() {
    let w = world().await;
    for (seconds, token, field) in [
        (0, None, "/seconds"),
        (limits::HOLD_SECONDS_MAX + 1, None, "/seconds"),
        (60, Some("short"), "/token"),
        (60, Some("with a space in its middle"), "/token"),
    ] {
        let token = token.map(|token| Secret::new(token.to_owned()));
        let request = HoldRequest { seconds: Some(seconds), token, ..hold(&w, monday("10:00")) };
        let problem = w.engine.bookings.hold(&w.caller, request).await.unwrap_err();
        assert_eq!((problem.code, problem.errors[0].field.as_str()), (Code::Invalid, field));
    }
    let mut request = hold(&w, monday("10:00"));
    request.seconds = Some(limits::HOLD_SECONDS_MAX);
    request.token = Some(Secret::new("made_up_for_this_test".into()));
    let (held, token) = w.engine.bookings.hold(&w.caller, request).await.unwrap();
    let claim = HoldClaim { id: held.id, token };
    w.clock.pass_seconds(limits::HOLD_SECONDS_MAX - 1);
    w.engine.bookings.extend_hold(&w.caller, &claim, Some(limits::HOLD_SECONDS_MAX)).await.unwrap();
    w.clock.pass_seconds(10);
    let problem =
        w.engine.bookings.extend_hold(&w.caller, &claim, Some(limits::HOLD_SECONDS_MAX)).await.unwrap_err();
    assert_eq!(problem.errors[0].field, "/seconds", "an hour in all");
    let late = w.engine.bookings.hold(&w.caller, hold(&w, monday("13:00"))).await.unwrap_err();
    assert_eq!(late.code, Code::SlotTaken, "outside opening hours");
    assert_eq!(late.extra["alternatives"].as_array().unwrap().len(), 5);
}
