//! Which kinds of events there are, for people, programs and the description of the interface.

use axum::Json;
use berth_model::events::{EventKind, data_schema, example, schema};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::{
    Modify, ToSchema,
    openapi::{RefOr, Schema},
};

use crate::http::{auth::AsTenant, problem::ApiResult};

/// A kind of events.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventKindView {
    #[schema(example = "booking.created")]
    kind: &'static str,
    /// What it is about.
    #[schema(example = "booking")]
    subject_kind: &'static str,
    description: &'static str,
    /// JSON Schema (draft 2020-12) of `data`.
    #[schema(value_type = Object)]
    data_schema: Value,
    /// An event of this kind.
    #[schema(value_type = Object)]
    example: Value,
}

/// All kinds.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventKinds {
    items: Vec<EventKindView>,
}

/// The kinds of events, each with a JSON Schema of its data and an example. Kinds, members of data and the names in them may be added;
/// what is there stays.
#[utoipa::path(get, path = "/api/events/kinds", operation_id = "event_kinds_list", tag = "events", responses((status = 200, body = EventKinds)))]
pub(crate) async fn list(_: AsTenant) -> ApiResult<Json<EventKinds>> {
    let show = |kind: &EventKind| EventKindView {
        kind: kind.as_str(),
        subject_kind: kind.subject().as_str(),
        description: kind.description(),
        data_schema: data_schema(*kind),
        example: example(*kind),
    };
    Ok(Json(EventKinds { items: EventKind::ALL.iter().map(show).collect() }))
}

/// Describes each kind as a schema of its own: an event is one of them.
pub(crate) struct Kinds;

fn name(kind: EventKind) -> String {
    format!("{kind:?}Event")
}

fn described(schema: Value) -> RefOr<Schema> {
    serde_json::from_value(schema).unwrap_or_else(|_| RefOr::T(Schema::default()))
}

impl Modify for Kinds {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let schemas = &mut openapi.components.get_or_insert_with(Default::default).schemas;
        for kind in EventKind::ALL {
            let mut of = schema(*kind);
            if let Some(fields) = of.as_object_mut() {
                fields.insert("description".to_owned(), kind.description().into());
                fields.insert("example".to_owned(), example(*kind));
            }
            schemas.insert(name(*kind), described(of));
        }
        let one_of: Vec<Value> = EventKind::ALL
            .iter()
            .map(|kind| json!({ "$ref": format!("#/components/schemas/{}", name(*kind)) }))
            .collect();
        let mapping: serde_json::Map<String, Value> = EventKind::ALL
            .iter()
            .map(|kind| (kind.as_str().to_owned(), format!("#/components/schemas/{}", name(*kind)).into()))
            .collect();
        let event = json!({
            "description": "Something that happened. Kinds may be added: pass over those that you do not know.",
            "oneOf": one_of,
            "discriminator": { "propertyName": "kind", "mapping": mapping },
        });
        schemas.insert("Event".to_owned(), described(event));
    }
}
