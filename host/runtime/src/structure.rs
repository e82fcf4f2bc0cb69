//! The outside of an uploaded component, looked at without compiling it: is it one at all, and where is its manifest?

use berth_model::plugins::manifest::{MANIFEST_SECTION, Manifest};
use wasmparser::{Encoding, Parser, Payload};
use wasmtime::Engine;

/// Refuse what is no component. One sentence.
pub(crate) fn check_kind(bytes: &[u8]) -> Result<(), String> {
    if Engine::detect_precompiled(bytes).is_some() {
        return Err(
            "is compiled code (.cwasm), which this host only takes from itself: upload the .wasm".to_owned()
        );
    }
    if !bytes.starts_with(b"\0asm") {
        return Err("is not WebAssembly: upload the .wasm file that the build wrote".to_owned());
    }
    match Parser::new(0).parse_all(bytes).next() {
        Some(Ok(Payload::Version { encoding: Encoding::Component, .. })) => Ok(()),
        Some(Ok(_)) => Err(
            "is a core module, not a component: build it with `--target wasm32-wasip2`, or turn it into a component"
                .to_owned(),
        ),
        Some(Err(error)) => Err(format!("is not valid WebAssembly: {error}")),
        None => Err("is not WebAssembly: it is empty".to_owned()),
    }
}

/// Read the manifest from the custom section `berth:manifest`, of the component or of a module inside it (a Rust guest's
/// `link_section` lands there). All problems at once.
pub(crate) fn manifest(bytes: &[u8]) -> Result<Manifest, Vec<String>> {
    let mut found: Option<&[u8]> = None;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload {
            Ok(Payload::CustomSection(section)) if section.name() == MANIFEST_SECTION => {
                if found.is_some_and(|other| other != section.data()) {
                    return Err(vec![format!(
                        "has two different manifests in sections `{MANIFEST_SECTION}`"
                    )]);
                }
                found = Some(section.data());
            }
            Ok(_) => {}
            Err(error) => return Err(vec![format!("is not valid WebAssembly: {error}")]),
        }
    }
    let Some(data) = found else {
        return Err(vec![format!(
            "has no manifest: embed plugin.toml as the custom section `{MANIFEST_SECTION}` (the SDK does it)"
        )]);
    };
    let text = std::str::from_utf8(data).map_err(|_| vec!["manifest: is not UTF-8".to_owned()])?;
    berth_settings::read(text).map_err(|problems| problems.iter().map(|p| format!("manifest: {p}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "id = 'sample'\nversion = '1.0.0'\ncontract = '0.1'\nname = 'Sample'";

    fn wasm(wat: &str) -> Vec<u8> {
        wat::parse_str(wat).expect("wat")
    }

    #[test]
    fn kinds_are_told_apart() {
        assert_eq!(check_kind(&wasm("(component)")), Ok(()));
        let says = |bytes: &[u8]| check_kind(bytes).expect_err("refused");
        assert!(says(&wasm("(module)")).contains("core module"));
        assert!(says(b"").contains("not WebAssembly"));
        assert!(says(b"#!/bin/sh").contains("not WebAssembly"));
        assert!(says(b"\0asm\xff\xff\xff\xff").contains("not valid"));
        let engine = crate::engine::new().expect("an engine");
        let compiled = engine.precompile_component(&wasm("(component)")).expect("compiled");
        assert!(says(&compiled).contains("compiled code"));
    }

    #[test]
    fn manifest_is_found_at_the_top_and_inside() {
        let top = wasm(&format!("(component (@custom \"berth:manifest\" {MANIFEST:?}))"));
        let inside = wasm(&format!("(component (core module (@custom \"berth:manifest\" {MANIFEST:?})))"));
        for bytes in [top, inside] {
            assert_eq!(manifest(&bytes).expect("found").id.as_str(), "sample");
        }
    }

    #[test]
    fn manifest_problems_are_told() {
        let says = |wat: &str| manifest(&wasm(wat)).expect_err("refused").join("; ");
        assert!(says("(component)").contains("has no manifest"));
        assert!(says("(component (@custom \"berth:manifest\" \"\\ff\"))").contains("not UTF-8"));
        assert!(
            says("(component (@custom \"berth:manifest\" \"a\") (@custom \"berth:manifest\" \"b\"))")
                .contains("two")
        );
        let text = MANIFEST.replace("1.0.0", "1").replace("'0.1'", "'9.9'");
        let said = says(&format!("(component (@custom \"berth:manifest\" {text:?}))"));
        assert!(said.contains("manifest: version") && said.contains("manifest: contract"), "{said}");
    }
}
