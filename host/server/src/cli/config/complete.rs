//! What can be set over the API can be set in a document: a member of a request that no document has is found here.

use crate::api::document;

/// Members of requests that a document has under another name, by the request; none: it has them in its `policy`, or as a key.
const OTHERWISE: [(&str, &str, &str); 12] = [
    ("ListingPatch", "slug", ""),
    ("ListingPatch", "connection_id", "connection"),
    ("ListingPatch", "booking_provider", "connection"),
    ("EventTypePatch", "slug", ""),
    ("EventTypePatch", "member_ids", "members"),
    ("EventTypePatch", "external_id", "external"),
    ("EventTypePatch", "price", ""),
    ("EventTypePatch", "questions", ""),
    ("MemberPatch", "user_id", ""),
    ("MemberPatch", "schedule_id", "schedule"),
    ("OwnTenantPatch", "default_connection_id", "default_connection"),
    ("EventTypePolicy", "schedule_id", "schedule"),
];

#[test]
fn a_document_has_all_that_requests_can_set() {
    let described = serde_json::to_value(document()).unwrap();
    let source = include_str!("document.rs");
    let mut lacking = Vec::new();
    for request in ["ListingPatch", "EventTypePatch", "MemberPatch", "OwnTenantPatch", "EventTypePolicy"] {
        let properties = &described["components"]["schemas"][request]["properties"];
        let properties = properties.as_object().unwrap_or_else(|| panic!("{request} is not described"));
        for name in properties.keys() {
            let other = OTHERWISE.iter().find(|(of, is, _)| of == &request && is == name);
            let name = other.map_or(name.as_str(), |(_, _, name)| name);
            if !name.is_empty() && !source.contains(&format!("pub(super) {name}:")) {
                lacking.push(format!("{request}.{name}"));
            }
        }
    }
    assert!(lacking.is_empty(), "no document can say: {lacking:?}");
}
