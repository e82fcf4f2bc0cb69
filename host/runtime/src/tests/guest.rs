//! Components from text: a core module whose `connection.validate` does as the test says.

use std::path::Path;

use wasmparser::{Parser, Payload};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::engine::COMPONENT_CORE_INSTANCES_MAX;

/// A manifest that asks for nothing.
pub(super) const MANIFEST: &str = "id = 'sample'\nversion = '1.0.0'\ncontract = '0.1'\nname = 'Sample'\n";

/// Returns the account that lies ready at address 8 (see [`component`]): `{ id, name: "Sample", raw }`.
pub(super) const ANSWER: &str = "(i32.const 0)";

/// A component that exports `connection`. `body` is the code of `validate`, which leaves the address of its answer;
/// `id` and `raw` are what it finds there.
pub(super) fn component(body: &str, id: &str, raw: &str) -> Vec<u8> {
    from_module(&module(body, id, raw))
}

/// Turn a core module into a component of the world `provider`.
pub(super) fn from_module(module: &str) -> Vec<u8> {
    let mut core = wat::parse_str(module).expect("a core module");
    let mut resolve = Resolve::default();
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
    let (package, _) = resolve.push_path(wit).expect("the contract");
    let world = resolve.select_world(&[package], Some("provider")).expect("its world");
    embed_component_metadata(&mut core, &resolve, world, StringEncoding::UTF8).expect("embedded");
    let mut encoder = ComponentEncoder::default();
    encoder.module(&core).expect("a module of this world");
    encoder.encode().expect("a component")
}

/// The largest component that is accepted, as far as the pool goes: core instances are added until there are as many as are allowed, with
/// memories and tables.
pub(super) fn crowded(mut component: Vec<u8>) -> Vec<u8> {
    let (mut modules, mut instances, mut depth) = (0_u8, 0, 0);
    for payload in Parser::new(0).parse_all(&component) {
        match payload.expect("a component") {
            Payload::ModuleSection { .. } => (modules, depth) = (modules + u8::from(depth == 0), depth + 1),
            Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) if depth > 0 => depth -= 1,
            Payload::InstanceSection(section) if depth == 0 => {
                let made = |instance: &_| matches!(instance, Ok(wasmparser::Instance::Instantiate { .. }));
                instances += section.into_iter().filter(made).count();
            }
            _ => {}
        }
    }
    let section = |component: &mut Vec<u8>, id: u8, content: &[u8]| {
        component.extend([id, u8::try_from(content.len()).ok().filter(|n| *n < 128).expect("short")]);
        component.extend(content);
    };
    for module in ["(module (memory 1) (table 9 funcref))", "(module (table 9 funcref))", "(module)"] {
        section(&mut component, 1, &wat::parse_str(module).expect("a module"));
    }
    let more = u8::try_from(usize::try_from(COMPONENT_CORE_INSTANCES_MAX).expect("small") - instances)
        .expect("some");
    let mut content = vec![more];
    for n in 0..more {
        // One with a memory, some with a table, the others with nothing; none is given anything.
        content.extend([0, modules + n.div_ceil(5).min(2), 0]);
    }
    section(&mut component, 2, &content);
    component
}

/// `result<account, provider-error>` in the canonical ABI: at 0 the case (0 is ok); at 8 `id`, 16 `name`, 24 `email`
/// (none), 36 `time-zone` (none), 48 `raw`; each text as address and length.
pub(super) fn module(body: &str, id: &str, raw: &str) -> String {
    let word = |n: usize| escaped(&u32::try_from(n).expect("small").to_le_bytes());
    let account = [word(256), word(id.len()), word(512), word(6)].concat();
    let raw_at = [word(1024), word(raw.len())].concat();
    format!(
        r#"(module
            (import "berth:provider/log@0.1.3" "write" (func $log (param i32 i32 i32)))
            (import "berth:provider/state@0.1.3" "get" (func $state (param i32 i32 i32)))
            (memory (export "memory") 1)
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
            (func $deeper (param i32) (result i32)
                (i32.add (i32.const 1) (call $deeper (i32.add (local.get 0) (i32.const 1)))))
            (func $validate (export "berth:provider/connection@0.1.3#validate") (result i32) {body})
            (data (i32.const 8) "{account}")
            (data (i32.const 48) "{raw_at}")
            (data (i32.const 256) "{}")
            (data (i32.const 512) "Sample")
            (data (i32.const 1024) "{}")
            (@custom "berth:manifest" {MANIFEST:?})
        )"#,
        escaped(id.as_bytes()),
        escaped(raw.as_bytes()),
    )
}

/// Bytes as a text format string has them.
fn escaped(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("\\{byte:02x}"))
}
