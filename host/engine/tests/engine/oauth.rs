//! Consent, tokens that renew themselves, and what happens when they cannot.

use std::collections::BTreeMap;

use berth_engine::{Caller, NewConnection, NewOAuthClient, OAuthAnswer, OAuthStarted};
use berth_model::{
    connections::{
        connection::{ConnectionRecord, ConnectionStatus},
        oauth::TokenSet,
        secret::{Credentials, Secret},
    },
    problem::{Code, Problem},
};

use crate::{
    tokens::DOOR,
    world::{World, new_connection, world},
};

const RETURN: &str = "https://console.example/connected";

/// A world whose operator has registered a client, and whose provider looks at tokens.
pub(crate) async fn consenting() -> World {
    let world = world().await;
    register(&world, "made_up_client_secret").await;
    world
}

/// The operator gives the client this secret.
pub(crate) async fn register(world: &World, secret: &str) {
    let client = NewOAuthClient {
        client_id: "client_1".into(),
        client_secret: Some(Secret::new(secret.into())),
        endpoints: BTreeMap::new(),
        return_addresses: vec![RETURN.into()],
    };
    let plugin = "acme".parse().unwrap();
    world.engine.connections.set_oauth_client("operator", "req", &plugin, "oauth", client).await.unwrap();
}

async fn start(world: &World) -> OAuthStarted {
    let new = NewConnection { name: "Consented".into(), ..new_connection() };
    let to = Some(format!("{RETURN}?tab=1"));
    world.engine.connections.start_oauth(&world.caller, None, new, to).await.unwrap()
}

fn query(started: &OAuthStarted) -> BTreeMap<String, String> {
    started.url.query_pairs().into_owned().collect()
}

/// The provider has asked the person, who agreed.
pub(crate) fn consent(world: &World, started: &OAuthStarted, code: &str) -> OAuthAnswer {
    let query = query(started);
    world.tokens.state.lock().unwrap().codes.insert(code.to_owned(), query["code_challenge"].clone());
    OAuthAnswer { state: query["state"].clone(), code: Some(code.to_owned()), ..OAuthAnswer::default() }
}

/// A connection made by consent, on which the provider looks at tokens.
pub(crate) async fn consented(world: &World) -> ConnectionRecord {
    let started = start(world).await;
    let answer = consent(world, &started, "c1");
    let made = world.engine.connections.finish_oauth(answer, "req").await.result.unwrap();
    accept_what_was_given(world);
    made
}

fn accept_what_was_given(world: &World) {
    let given = world.tokens.state.lock().unwrap().given.clone();
    world.provider.state().accepted = Some(given);
}

/// From here on only tokens that are yet to be given are accepted.
fn accept_nothing_old(world: &World) {
    let next = (2..20).map(|n| format!("made_up_access_{n}"));
    let given = world.tokens.state.lock().unwrap().given.clone();
    world.provider.state().accepted = Some(next.filter(|token| !given.contains(token)).collect());
}

async fn health(world: &World, connection: &ConnectionRecord) -> (ConnectionRecord, Option<Problem>) {
    world.engine.connections.connection_health(&world.caller, connection.id).await.unwrap()
}

async fn stored(world: &World, connection: &ConnectionRecord) -> TokenSet {
    let credentials =
        world.engine.store().connection_credentials(world.caller.tenant, connection.id).await.unwrap();
    TokenSet::read(&credentials["oauth"]).unwrap()
}

#[tokio::test]
async fn a_person_consents_and_the_connection_is_made() {
    let world = consenting().await;
    let started = start(&world).await;
    let query = query(&started);
    assert_eq!(query["redirect_uri"], "https://booking.example/api/oauth/callback");
    assert_eq!((query["scope"].as_str(), query["code_challenge_method"].as_str()), ("read write", "S256"));
    let before = world.engine.connections.list_connections(&world.caller, None, 10).await.unwrap().len();

    let answer = consent(&world, &started, "c1");
    let ended = world.engine.connections.finish_oauth(answer.clone(), "req").await;
    let made = ended.result.unwrap();
    assert_eq!(
        (made.id, ended.return_to.as_deref()),
        (started.connection, Some("https://console.example/connected?tab=1"))
    );
    assert_eq!(made.credential_names, ["api-key", "oauth", "webhook-secret"]);
    assert_eq!(
        world.engine.connections.list_connections(&world.caller, None, 10).await.unwrap().len(),
        before + 1
    );
    let consents = world.engine.connections.connection_consents(&world.caller, made.id).await.unwrap();
    assert_eq!((consents.len(), consents[0].state, consents[0].renews), (1, "valid", true));

    // A state is good for one use.
    let again = world.engine.connections.finish_oauth(answer, "req").await;
    assert_eq!(again.result.unwrap_err().code, Code::ConsentExpired);
}

#[tokio::test]
async fn flows_end_without_a_connection_when_they_should() {
    let world = consenting().await;
    let code_of = |ended: berth_engine::OAuthReturn| ended.result.unwrap_err().code;
    let before = world.engine.connections.list_connections(&world.caller, None, 10).await.unwrap().len();

    // The person said no.
    let state = query(&start(&world).await)["state"].clone();
    let no = OAuthAnswer { state, error: Some("access_denied".into()), ..OAuthAnswer::default() };
    assert_eq!(code_of(world.engine.connections.finish_oauth(no, "req").await), Code::ConsentRefused);
    // A code that somebody else's verifier belongs to.
    let (started, other) = (start(&world).await, start(&world).await);
    let theirs = consent(&world, &other, "c2");
    let mixed = OAuthAnswer { state: query(&started)["state"].clone(), ..theirs };
    assert_eq!(code_of(world.engine.connections.finish_oauth(mixed, "req").await), Code::ConsentRefused);
    // Nobody's state.
    let nobody = OAuthAnswer { state: "x".into(), code: Some("c".into()), ..OAuthAnswer::default() };
    assert_eq!(code_of(world.engine.connections.finish_oauth(nobody, "req").await), Code::ConsentExpired);
    // Too late.
    let started = start(&world).await;
    let late = consent(&world, &started, "c3");
    world.clock.pass_seconds(601);
    assert_eq!(code_of(world.engine.connections.finish_oauth(late, "req").await), Code::ConsentExpired);
    // The provider does not accept the fresh token.
    world.provider.state().accepted = Some(std::collections::BTreeSet::new());
    let started = start(&world).await;
    let refused = consent(&world, &started, "c4");
    assert_eq!(
        code_of(world.engine.connections.finish_oauth(refused, "req").await),
        Code::ProviderUnauthorised
    );
    assert_eq!(
        world.engine.connections.list_connections(&world.caller, None, 10).await.unwrap().len(),
        before
    );
}

#[tokio::test]
async fn what_is_wrong_is_said_before_anybody_consents() {
    let plain = world().await;
    let new = || NewConnection { name: "Consented".into(), ..new_connection() };
    let error = plain.engine.connections.start_oauth(&plain.caller, None, new(), None).await.unwrap_err();
    assert_eq!(error.code, Code::NoOAuthClient, "{error}");

    let world = consenting().await;
    let start = |new, to: Option<&str>| {
        world.engine.connections.start_oauth(&world.caller, None, new, to.map(str::to_owned))
    };
    let elsewhere = start(new(), Some("https://evil.example/connected")).await.unwrap_err();
    assert_eq!(elsewhere.errors[0].field, "/return_to");
    let unnamed = start(NewConnection { name: String::new(), ..new() }, None).await.unwrap_err();
    assert_eq!(unnamed.errors[0].field, "/name");
    let keyless = start(NewConnection { credentials: Credentials::new(), ..new() }, None).await.unwrap_err();
    assert_eq!(keyless.errors[0].field, "/credentials/api-key");
    assert!(world.tokens.asked().is_empty());
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends_and_the_new_refresh_token_is_kept() {
    let world = consenting().await;
    let connection = consented(&world).await;
    let first = stored(&world, &connection).await;
    accept_nothing_old(&world);
    for round in 1..=3 {
        world.clock.pass_seconds(3_590);
        assert!(health(&world, &connection).await.1.is_none(), "round {round}");
    }
    assert_eq!(
        world.tokens.asked(),
        ["authorization_code", "refresh_token", "refresh_token", "refresh_token"]
    );
    let last = stored(&world, &connection).await;
    assert_ne!(last.refresh_token, first.refresh_token, "each is good for one use");
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_and_the_call_made_again() {
    let world = consenting().await;
    let connection = consented(&world).await;
    world.clock.pass_seconds(60);
    accept_nothing_old(&world);
    assert!(health(&world, &connection).await.1.is_none());
    assert_eq!(world.tokens.asked(), ["authorization_code", "refresh_token"]);

    // What is refused although it is new is refused for another reason: the provider is not asked for token after token.
    world.provider.state().accepted = Some(std::collections::BTreeSet::new());
    for _ in 0..3 {
        let (shown, problem) = health(&world, &connection).await;
        assert_eq!(
            (shown.status, problem.unwrap().code),
            (ConnectionStatus::Unauthorised, Code::ProviderUnauthorised)
        );
    }
    assert_eq!(world.tokens.asked().len(), 2);
}

#[tokio::test]
async fn many_callers_of_two_replicas_renew_a_token_once() {
    let world = consenting().await;
    let connection = consented(&world).await;
    accept_nothing_old(&world);
    world.clock.pass_seconds(3_590);
    let replica = world.replica();
    // All are on their way before the first is answered.
    let closed = world.tokens.door.acquire_many(DOOR).await.unwrap();
    let calls = (0..20).map(|n| {
        let engine = if n % 2 == 0 { &world.engine } else { &replica };
        engine.connections.connection_health(&world.caller, connection.id)
    });
    let (answers, ()) = tokio::join!(futures_util::future::join_all(calls), async {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        drop(closed);
    });
    assert!(answers.iter().all(|answer| answer.as_ref().unwrap().1.is_none()), "{answers:?}");
    assert_eq!(world.tokens.asked(), ["authorization_code", "refresh_token"]);
}

#[tokio::test]
async fn a_clients_secret_is_rotated_while_tokens_are_renewed() {
    let world = consenting().await;
    let connection = consented(&world).await;
    accept_nothing_old(&world);
    world.clock.pass_seconds(3_590);
    // The renewal is under way with the secret before when there is another one, at the provider and here.
    let closed = world.tokens.door.acquire_many(DOOR).await.unwrap();
    world.tokens.knocks.forget_permits(9);
    let (shown, ()) = tokio::join!(health(&world, &connection), async {
        world.tokens.knocks.acquire().await.unwrap().forget();
        world.tokens.state.lock().unwrap().secret = Some("made_up_next_secret");
        register(&world, "made_up_next_secret").await;
        drop(closed);
    });
    assert!(shown.1.is_none() && shown.0.status == ConnectionStatus::Healthy, "{shown:?}");
    assert_eq!(world.tokens.asked(), ["authorization_code", "refresh_token", "refresh_token"]);

    // A person comes back in this moment.
    let started = start(&world).await;
    let answer = consent(&world, &started, "c2");
    let closed = world.tokens.door.acquire_many(DOOR).await.unwrap();
    world.tokens.knocks.forget_permits(9);
    world.provider.state().accepted = None;
    let (finished, ()) = tokio::join!(world.engine.connections.finish_oauth(answer, "req"), async {
        world.tokens.knocks.acquire().await.unwrap().forget();
        world.tokens.state.lock().unwrap().secret = Some("made_up_last_secret");
        register(&world, "made_up_last_secret").await;
        drop(closed);
    });
    finished.result.unwrap();

    // Rotated at the provider first: what is refused until then is not over.
    world.clock.pass_seconds(3_590);
    world.tokens.state.lock().unwrap().secret = Some("made_up_later_secret");
    let (shown, problem) = health(&world, &connection).await;
    assert_eq!(shown.status, ConnectionStatus::Unauthorised);
    assert_eq!(problem.unwrap().code, Code::ProviderUnauthorised);
    assert!(shown.status_detail.unwrap().contains("OAuth client is refused"));
    register(&world, "made_up_later_secret").await;
    let (shown, problem) = health(&world, &connection).await;
    assert!(problem.is_none() && shown.status == ConnectionStatus::Healthy);
}

#[tokio::test]
async fn a_consent_that_is_over_is_said_and_can_be_given_again() {
    let world = consenting().await;
    let connection = consented(&world).await;
    world
        .tokens
        .state
        .lock()
        .unwrap()
        .answers
        .push_back((400, r#"{"error":"invalid_grant","error_description":"withdrawn"}"#));
    world.clock.pass_seconds(3_590);
    let (shown, problem) = health(&world, &connection).await;
    assert_eq!(problem.unwrap().code, Code::ProviderUnauthorised);
    assert_eq!(shown.status, ConnectionStatus::Unauthorised);
    let read = world.engine.connections.connection(&world.caller, connection.id).await.unwrap();
    assert!(read.status_detail.as_ref().unwrap().contains("consent again"), "{:?}", read.status_detail);

    // Another account than the one whose bookings are here is refused.
    let restart = || world.engine.connections.restart_oauth(&world.caller, connection.id, None, None);
    let started = restart().await.unwrap();
    let answer = consent(&world, &started, "c2");
    world.provider.state().accepted = None;
    world.provider.state().account = Some("acc-2".into());
    let other = world.engine.connections.finish_oauth(answer, "req").await.result.unwrap_err();
    assert!(other.detail.contains("another account"), "{other}");

    world.provider.state().account = None;
    let started = restart().await.unwrap();
    let answer = consent(&world, &started, "c3");
    let mended = world.engine.connections.finish_oauth(answer, "req").await.result.unwrap();
    assert_eq!(
        (mended.id, mended.status, mended.status_detail),
        (connection.id, ConnectionStatus::Healthy, None)
    );
}

#[tokio::test]
async fn a_token_endpoint_that_does_not_answer_ends_no_consent() {
    let world = consenting().await;
    let connection = consented(&world).await;
    accept_nothing_old(&world);
    world.clock.pass_seconds(3_590);
    world.tokens.state.lock().unwrap().answers.push_back((503, ""));
    let (shown, problem) = health(&world, &connection).await;
    assert_eq!(
        (shown.status, problem.unwrap().code),
        (ConnectionStatus::Unavailable, Code::ProviderUnavailable)
    );
    assert!(health(&world, &connection).await.1.is_none(), "the same refresh token is still good");
}

#[tokio::test]
async fn scopes_that_are_missing_are_shown() {
    let world = consenting().await;
    world.tokens.state.lock().unwrap().scope = Some("read");
    let connection = consented(&world).await;
    let consents = world.engine.connections.connection_consents(&world.caller, connection.id).await.unwrap();
    assert_eq!(
        (consents[0].state, consents[0].missing_scopes.as_slice()),
        ("scopes_missing", &["write".to_owned()][..])
    );
}

#[tokio::test]
async fn a_consent_is_given_back() {
    let world = consenting().await;
    let connection = consented(&world).await;
    let refresh = stored(&world, &connection).await.refresh_token.unwrap();
    let after = world.engine.connections.revoke_consents(&world.caller, connection.id).await.unwrap();
    assert_eq!((after.status, after.credential_names.len()), (ConnectionStatus::Unauthorised, 2));
    assert_eq!(world.tokens.state.lock().unwrap().revoked, [refresh.expose()]);
    let again = world.engine.connections.revoke_consents(&world.caller, connection.id).await.unwrap_err();
    assert_eq!(again.code, Code::WrongState);

    // A connection that goes takes its consent along.
    let started = start(&world).await;
    let answer = consent(&world, &started, "c9");
    world.provider.state().accepted = None;
    let other = world.engine.connections.finish_oauth(answer, "req").await.result.unwrap();
    world.engine.connections.delete_connection(&world.caller, other.id, None).await.unwrap();
    assert_eq!(world.tokens.state.lock().unwrap().revoked.len(), 2);
}

#[tokio::test]
async fn the_tenants_own_client_is_enough_where_nobody_consents() {
    let world = world().await;
    let with = |text: &str| {
        let mut new = new_connection();
        new.credentials.insert("machine".into(), Secret::new(text.into()));
        new
    };
    let wrong = world
        .engine
        .connections
        .create_connection(&world.caller, with("client_2:wrong_made_up"))
        .await
        .unwrap_err();
    assert_eq!((wrong.code, wrong.errors[0].field.as_str()), (Code::ConsentRefused, "/credentials/machine"));
    let made = world
        .engine
        .connections
        .create_connection(&world.caller, with("client_2:made_up_client_secret"))
        .await
        .unwrap();
    accept_nothing_old(&world);
    world.provider.state().accepted.as_mut().unwrap().insert("made_up_access_1".into());
    assert!(health(&world, &made).await.1.is_none());
    world.clock.pass_seconds(3_590);
    accept_nothing_old(&world);
    assert!(health(&world, &made).await.1.is_none(), "the token is asked for anew, without a refresh token");
    assert_eq!(world.tokens.asked(), ["client_credentials", "client_credentials", "client_credentials"]);
}

#[tokio::test]
async fn a_credential_is_rotated_while_bookings_go_on() {
    let world = world().await;
    let patch = |key: &str| berth_engine::ConnectionPatch {
        credentials: Some(Credentials::from([("api-key".to_owned(), Secret::new(key.to_owned()))])),
        ..berth_engine::ConnectionPatch::default()
    };
    let caller: &Caller = &world.caller;
    world.provider.next(
        "validate",
        crate::provider::Fault::Before(berth_model::outbound::provider::CallError::Provider(
            berth_model::outbound::provider::ProviderError::Unauthorised,
        )),
    );
    let id = world.connection.id;
    assert!(
        world
            .engine
            .connections
            .update_connection(caller, id, patch("acme_wrong_made_up"), None)
            .await
            .is_err()
    );
    let credentials = || world.engine.store().connection_credentials(caller.tenant, id);
    assert_eq!(credentials().await.unwrap()["api-key"].expose(), "acme_test_not_a_real_key");
    world.engine.connections.update_connection(caller, id, patch("acme_next_made_up"), None).await.unwrap();
    assert_eq!(credentials().await.unwrap()["api-key"].expose(), "acme_next_made_up");
    assert_eq!(world.provider.count("subscribe"), 1, "the subscription stays");
}
