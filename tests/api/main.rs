//! The HTTP surface, by domain as everywhere; `http` has what belongs to none. Here is the client.

mod availability;
mod bookings;
mod calendars;
mod catalog;
mod connections;
mod customers;
mod described;
mod events;
mod fixtures;
mod http;
mod inbound;
mod jobs;
mod mirror;
mod monitoring;
mod plugins;
mod privacy;
mod shapes;
mod shop;
mod tenants;
mod walk;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode},
    response::Response,
};
use berth_engine::{NewKey, NewTenant, TENANT_SCOPES};
use berth_model::id::TenantId;
use berth_server::{App, router};
use berth_store::records::{BookingFilter, CustomerFilter};
use berth_tests::{TestClock, World, component};
use serde_json::{Value, json};
use tower::ServiceExt;

use self::described::described;

impl Answer {
    async fn of(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 16 * 1024 * 1024).await.unwrap();
        Self {
            status: parts.status,
            headers: parts.headers,
            body: serde_json::from_slice(&bytes).unwrap_or_default(),
            text: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }
}

struct Api {
    world: World,
    app: App,
    router: Router,
    key: String,
}

struct Answer {
    status: StatusCode,
    headers: axum::http::HeaderMap,
    body: Value,
    /// The body as it came.
    text: String,
}

impl Api {
    async fn new() -> Self {
        Self::over(World::new(3, TestClock::start(), &[]).await).await
    }

    async fn over(world: World) -> Self {
        let app = App::new(world.engine.clone(), world.random.clone(), 100_000, Vec::new());
        let router = router(app.clone());
        let key = key(&world, world.caller.tenant, TENANT_SCOPES).await;
        Self { world, app, router, key }
    }

    /// Another tenant, who is to see nothing.
    async fn other_tenant(&self) -> TenantId {
        let new = NewTenant { slug: "other".into(), name: "Other".into() };
        self.world.engine.tenants.create_tenant("t", "t", new).await.unwrap().id
    }

    /// By which customers of the tenant, and their guests, can be reached.
    async fn addresses(&self) -> Vec<String> {
        let (store, tenant) = (self.world.engine.store(), self.world.caller.tenant);
        let customers = store.customers(tenant, CustomerFilter::default(), 200).await.unwrap().items;
        let bookings = store.list_bookings(tenant, BookingFilter::default(), 200).await.unwrap();
        let mut all: Vec<String> =
            customers.into_iter().flat_map(|c| c.email.into_iter().chain(c.phone)).collect();
        for booking in bookings {
            all.extend(
                booking.attendee.email.into_iter().chain(booking.attendee.phone).chain(booking.guests),
            );
        }
        // However a number is written.
        all.iter().map(|address| address.trim_start_matches('+').to_owned()).collect()
    }

    async fn send(
        &self,
        method: &str,
        path: &str,
        key: Option<&str>,
        extra: &[(&str, &str)],
        body: Value,
    ) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.send_body(method, path, key, extra, body).await
    }

    async fn send_body(
        &self,
        method: &str,
        path: &str,
        key: Option<&str>,
        extra: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        // What happens later has a later time.
        self.world.clock.advance_ms(10);
        let mut request = Request::builder().method(method).uri(path);
        if let Some(key) = key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        for (name, value) in extra {
            request = request.header(*name, *value);
        }
        let response = self.router.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
        let answer = Answer::of(response).await;
        described(&self.router).await.hold(method, path, &answer);
        answer
    }

    /// A body as it stands, said to be JSON.
    async fn send_text(&self, method: &str, path: &str, key: &str, text: &str) -> Answer {
        let json = [("content-type", "application/json")];
        self.send_body(method, path, Some(key), &json, text.to_owned()).await
    }

    /// An answer that is no JSON.
    async fn bytes(&self, path: &str) -> Vec<u8> {
        let request = Request::builder().uri(path).header("authorization", format!("Bearer {}", self.key));
        let response = self.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert!(response.status().is_success(), "{path}: {}", response.status());
        to_bytes(response.into_body(), 16 * 1024 * 1024).await.unwrap().to_vec()
    }

    async fn ok(&self, method: &str, path: &str, body: Value) -> Value {
        let answer = self.send(method, path, Some(&self.key), &[], body).await;
        assert!(answer.status.is_success(), "{method} {path}: {} {}", answer.status, answer.body);
        answer.body
    }
}

async fn key(world: &World, tenant: TenantId, scopes: &[&str]) -> String {
    key_of(world, Some(tenant), scopes).await
}

async fn key_of(world: &World, tenant: Option<TenantId>, scopes: &[&str]) -> String {
    let scopes = scopes.iter().map(|s| (*s).to_owned()).collect();
    let new = NewKey {
        tenant,
        name: "test".to_owned(),
        scopes,
        requests_per_minute: None,
        sources: Vec::new(),
        expires_at: None,
    };
    world.engine.tenants.create_key("test", "test", new).await.unwrap().1.expose().to_owned()
}

fn booking(event_type: &Value, start: &str) -> Value {
    json!({
        "event_type": event_type, "start": start,
        "attendee": { "name": "Ada Nowak", "email": "ada@example.com", "time_zone": "Europe/Warsaw" },
    })
}

fn refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!(
        (answer.status.as_u16(), answer.body["code"].as_str()),
        (status, Some(code)),
        "{}",
        answer.body
    );
}
