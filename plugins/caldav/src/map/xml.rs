//! What servers answer: `multistatus` and `error` (RFC 4918 sections 14.16 and 14.5).

use berth_sdk::{Result, log, types::ProviderError};
use roxmltree::{Document, Node, ParsingOptions};

const DAV: &str = "DAV:";
const CALDAV: &str = "urn:ietf:params:xml:ns:caldav";
/// Most nodes of an answer: twice what its 4 MiB hold in the shortest usual form.
const NODES_MAX: u32 = 400_000;

/// A whole `multistatus`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Multistatus {
    pub(crate) resources: Vec<Resource>,
    /// Where the next `sync-collection` goes on (RFC 6578).
    pub(crate) sync_token: Option<String>,
}

/// One `response` of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Resource {
    /// As the server wrote it.
    pub(crate) href: String,
    /// The status of the whole resource, where it has one.
    pub(crate) status: Option<u16>,
    found: Vec<Value>,
}

/// A property that the resource has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Value {
    name: String,
    text: String,
    hrefs: Vec<String>,
    /// Names of all elements inside, and the `name` attributes of components.
    inside: Vec<String>,
}

impl Resource {
    fn value(&self, name: &str) -> Option<&Value> {
        self.found.iter().find(|value| value.name == name)
    }

    /// Is there a property of this name, empty or not?
    pub(crate) fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    /// The text of a property, if there is any.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.value(name).map(|value| value.text.as_str()).filter(|text| !text.is_empty())
    }

    /// The addresses in a property.
    pub(crate) fn hrefs(&self, name: &str) -> &[String] {
        self.value(name).map_or(&[], |value| &value.hrefs)
    }

    /// Is there an element, or a component, of this name inside a property?
    pub(crate) fn contains(&self, name: &str, inside: &str) -> bool {
        self.value(name).is_some_and(|value| value.inside.iter().any(|n| n == inside))
    }
}

fn document(text: &str) -> std::result::Result<Document<'_>, roxmltree::Error> {
    Document::parse_with_options(text, ParsingOptions { nodes_limit: NODES_MAX, ..ParsingOptions::default() })
}

/// Read a `multistatus`. Anything else is no usable answer.
pub(crate) fn multistatus(text: &str) -> Result<Multistatus> {
    let read = document(text).map_err(|e| e.to_string()).and_then(|document| {
        let root = document.root_element();
        if !root.has_tag_name((DAV, "multistatus")) {
            return Err("the root is no multistatus".to_owned());
        }
        let mut all = Vec::new();
        for response in children(root, "response") {
            let before = all.len();
            all.extend(resources(response));
            if all.len() == before {
                return Err("a response has no href".to_owned());
            }
        }
        let sync_token = child(root, "sync-token").map(text_of).filter(|token| !token.is_empty());
        Ok(Multistatus { resources: all, sync_token })
    });
    read.map_err(|why| {
        log::warn(&format!("the answer is not the multistatus expected: {why}"));
        ProviderError::Unavailable(None)
    })
}

/// The precondition that a refusal names: `valid-sync-token`, `no-uid-conflict`, …
pub(crate) fn condition(body: &[u8]) -> Option<String> {
    let document = document(std::str::from_utf8(body).ok()?).ok()?;
    let root = Some(document.root_element()).filter(|root| root.has_tag_name((DAV, "error")))?;
    let own = |node: &Node<'_, '_>| matches!(node.tag_name().namespace(), Some(DAV | CALDAV));
    root.children().find(|node| node.is_element() && own(node)).map(|node| node.tag_name().name().to_owned())
}

fn children<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(move |child| child.has_tag_name((DAV, name)))
}

fn child<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> Option<Node<'a, 'i>> {
    children(node, name).next()
}

/// Direct text, in pieces where there are comments or CDATA in between.
fn text_of(node: Node<'_, '_>) -> String {
    let pieces: String = node.children().filter(Node::is_text).filter_map(|piece| piece.text()).collect();
    pieces.trim().to_owned()
}

/// `HTTP/1.1 404 Not Found`.
fn status(node: Node<'_, '_>) -> Option<u16> {
    text_of(child(node, "status")?).split(' ').nth(1)?.parse().ok()
}

/// One for each address: several share an answer that is only a status.
fn resources(response: Node<'_, '_>) -> impl Iterator<Item = Resource> {
    let mut found = Vec::new();
    for propstat in children(response, "propstat") {
        if status(propstat).is_none_or(|status| (200..300).contains(&status))
            && let Some(properties) = child(propstat, "prop")
        {
            let known = |node: &Node<'_, '_>| matches!(node.tag_name().namespace(), Some(DAV | CALDAV));
            found.extend(properties.children().filter(known).map(value));
        }
    }
    let status = status(response);
    children(response, "href").map(move |href| Resource { href: text_of(href), status, found: found.clone() })
}

fn value(property: Node<'_, '_>) -> Value {
    let elements = || property.descendants().skip(1).filter(Node::is_element);
    let names = elements().map(|node| node.tag_name().name());
    let components = elements().filter_map(|node| node.attribute("name"));
    Value {
        name: property.tag_name().name().to_owned(),
        text: text_of(property),
        hrefs: elements().filter(|node| node.has_tag_name((DAV, "href"))).map(text_of).collect(),
        inside: names.chain(components).map(str::to_owned).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_that_are_there() {
        let text = r#"<?xml version="1.0" encoding="utf-8"?>
            <d:multistatus xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav" xmlns:x="urn:x">
            <d:response><d:href> /eve/work/ </d:href>
            <d:propstat><d:prop><d:displayname>Work &amp; <![CDATA[<play>]]></d:displayname>
            <d:resourcetype><d:collection/><c:calendar/></d:resourcetype>
            <c:supported-calendar-component-set><c:comp name="VEVENT"/></c:supported-calendar-component-set>
            <c:calendar-home-set><d:href>/eve/</d:href><d:href>/team/</d:href></c:calendar-home-set>
            <x:displayname>Other</x:displayname></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat>
            <d:propstat><d:prop><d:sync-token/></d:prop><d:status>HTTP/1.1 404 Not Found</d:status></d:propstat>
            </d:response>
            <d:response><d:href>/eve/work/gone.ics</d:href><d:href>/eve/work/too.ics</d:href><d:status>HTTP/1.1 404 Not Found</d:status></d:response>
            <d:sync-token>urn:token:1</d:sync-token></d:multistatus>"#;
        let answer = multistatus(text).unwrap();
        assert_eq!(answer.sync_token.as_deref(), Some("urn:token:1"));
        let [work, gone, too] = answer.resources.as_slice() else { panic!("{answer:?}") };
        assert_eq!((work.href.as_str(), work.status), ("/eve/work/", None));
        assert_eq!(work.text("displayname"), Some("Work & <play>"));
        assert!(work.contains("resourcetype", "calendar") && !work.contains("resourcetype", "principal"));
        assert!(work.contains("supported-calendar-component-set", "VEVENT"));
        assert_eq!(work.hrefs("calendar-home-set"), ["/eve/", "/team/"]);
        assert!(!work.has("sync-token"), "it was not found");
        assert_eq!((gone.href.as_str(), gone.status), ("/eve/work/gone.ics", Some(404)));
        assert_eq!((too.href.as_str(), too.status), ("/eve/work/too.ics", Some(404)));
    }

    #[test]
    fn junk_is_no_usable_answer() {
        let deep = format!("<multistatus xmlns=\"DAV:\">{}", "<a>".repeat(200_000));
        let bomb = "<!DOCTYPE m [<!ENTITY a \"aaaa\">]><multistatus xmlns=\"DAV:\">&a;</multistatus>";
        let nameless = "<multistatus xmlns=\"DAV:\"><response/></multistatus>";
        for text in ["", "{}", "<html/>", "<multistatus/>", &deep, bomb, nameless] {
            assert_eq!(multistatus(text), Err(ProviderError::Unavailable(None)));
        }
    }

    #[test]
    fn preconditions_of_refusals() {
        let sabre = r#"<d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns"><s:message>no</s:message><d:valid-sync-token/></d:error>"#;
        assert_eq!(condition(sabre.as_bytes()).as_deref(), Some("valid-sync-token"));
        let uid =
            r#"<error xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><C:no-uid-conflict/></error>"#;
        assert_eq!(condition(uid.as_bytes()).as_deref(), Some("no-uid-conflict"));
        for text in ["", "{}", "<html/>", "<error xmlns=\"DAV:\"/>"] {
            assert_eq!(condition(text.as_bytes()), None);
        }
    }
}
