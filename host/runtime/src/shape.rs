//! How large and how deep a component is, looked at before a compiler sees it. One pass over its sections and instructions: linear in
//! its bytes, with a stack of its own instead of recursion, and ended by the first count that is over its limit. The contents of type
//! sections are not read here, because reading them recurses as deep as they are nested: that is left to the process that compiles.

use berth_model::limits;
use wasmparser::{Encoding, FunctionBody, Operator, Parser, Payload};

use crate::contract::names;

/// What is counted over all parts of a component, with its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Parts,
    Instances,
    Types,
    Imports,
    Exports,
    Definitions,
    Functions,
    CodeBytes,
    Locals,
    Memories,
    Tables,
    Globals,
    Segments,
    CustomSections,
}

/// How many kinds there are.
const KINDS: usize = 14;

impl Of {
    /// What it is called, and how many there may be.
    const fn limit(self) -> (&'static str, u64) {
        match self {
            Self::Parts => ("modules and components inside it", limits::COMPONENT_PARTS_MAX),
            Self::Instances => ("instances", limits::COMPONENT_INSTANCES_MAX),
            Self::Types => ("types", limits::COMPONENT_TYPES_MAX),
            Self::Imports => ("imports, all parts together", limits::COMPONENT_IMPORTS_MAX),
            Self::Exports => ("exports, all parts together", limits::COMPONENT_EXPORTS_MAX),
            Self::Definitions => ("aliases and canonical functions", limits::COMPONENT_DEFINITIONS_MAX),
            Self::Functions => ("functions", limits::COMPONENT_FUNCTIONS_MAX),
            Self::CodeBytes => ("bytes of code", limits::COMPONENT_CODE_BYTES_MAX),
            Self::Locals => ("local variables, all functions together", limits::COMPONENT_LOCALS_MAX),
            Self::Memories => ("linear memories", limits::COMPONENT_MEMORIES_SEEN_MAX),
            Self::Tables => ("tables", limits::COMPONENT_TABLES_SEEN_MAX),
            Self::Globals => ("globals", limits::COMPONENT_GLOBALS_MAX),
            Self::Segments => ("segments of data and elements", limits::COMPONENT_SEGMENTS_MAX),
            Self::CustomSections => ("custom sections", limits::COMPONENT_CUSTOM_SECTIONS_MAX),
        }
    }
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Shape {
    counts: [u64; KINDS],
    /// Parts that are open, the component itself among them.
    depth: usize,
    deepest: usize,
    largest_function: u64,
    most_locals: u64,
    longest_name: u64,
    largest_branch_table: u64,
    deepest_block: u64,
    /// Names of what the component itself imports and exports.
    imports: Vec<String>,
    exports: Vec<String>,
}

impl Shape {
    /// Look at a component. The sentence says what is too much of it.
    pub(crate) fn of(bytes: &[u8]) -> Result<Self, String> {
        let mut shape = Self::default();
        for payload in Parser::new(0).parse_all(bytes) {
            let payload = payload.map_err(|error| format!("is not valid WebAssembly: {error}"))?;
            shape.take(payload)?;
        }
        Ok(shape)
    }

    /// What is wrong with the names of its imports and exports: all of it at once.
    pub(crate) fn outside_problems(&self) -> Vec<String> {
        let mut problems: Vec<String> =
            self.imports.iter().filter_map(|name| names::import_problem(name)).collect();
        if !self.exports.iter().any(|name| names::is_connection(name)) {
            problems.push(names::no_connection(&self.exports));
        }
        problems
    }

    fn take(&mut self, payload: Payload<'_>) -> Result<(), String> {
        match payload {
            Payload::Version { encoding, .. } => self.enter(encoding),
            Payload::End(_) => {
                self.depth = self.depth.saturating_sub(1);
                Ok(())
            }
            Payload::TypeSection(section) => self.count(Of::Types, section.count()),
            Payload::CoreTypeSection(section) => self.count(Of::Types, section.count()),
            Payload::ComponentTypeSection(section) => self.count(Of::Types, section.count()),
            Payload::ImportSection(section) => {
                self.count(Of::Imports, section.count())?;
                for import in section.into_imports() {
                    let import = import.map_err(invalid)?;
                    self.name(import.module)?;
                    self.name(import.name)?;
                }
                Ok(())
            }
            Payload::ComponentImportSection(section) => {
                self.count(Of::Imports, section.count())?;
                for import in section {
                    let name = import.map_err(invalid)?.name.name;
                    self.name(name)?;
                    if self.depth == 1 {
                        self.imports.push(name.to_owned());
                    }
                }
                Ok(())
            }
            Payload::ExportSection(section) => {
                self.count(Of::Exports, section.count())?;
                for export in section {
                    self.name(export.map_err(invalid)?.name)?;
                }
                Ok(())
            }
            Payload::ComponentExportSection(section) => {
                self.count(Of::Exports, section.count())?;
                for export in section {
                    let name = export.map_err(invalid)?.name.name;
                    self.name(name)?;
                    if self.depth == 1 {
                        self.exports.push(name.to_owned());
                    }
                }
                Ok(())
            }
            Payload::FunctionSection(section) => self.count(Of::Functions, section.count()),
            Payload::CodeSectionEntry(body) => self.function(&body),
            Payload::TableSection(section) => self.count(Of::Tables, section.count()),
            Payload::MemorySection(section) => self.count(Of::Memories, section.count()),
            Payload::GlobalSection(section) => self.count(Of::Globals, section.count()),
            Payload::ElementSection(section) => self.count(Of::Segments, section.count()),
            Payload::DataSection(section) => self.count(Of::Segments, section.count()),
            Payload::InstanceSection(section) => self.count(Of::Instances, section.count()),
            Payload::ComponentInstanceSection(section) => self.count(Of::Instances, section.count()),
            Payload::ComponentAliasSection(section) => self.count(Of::Definitions, section.count()),
            Payload::ComponentCanonicalSection(section) => self.count(Of::Definitions, section.count()),
            Payload::CustomSection(section) => {
                self.count(Of::CustomSections, 1_u32)?;
                self.name(section.name())
            }
            _ => Ok(()),
        }
    }

    /// A part begins.
    fn enter(&mut self, encoding: Encoding) -> Result<(), String> {
        self.depth += 1;
        self.deepest = self.deepest.max(self.depth);
        if self.depth > limits::COMPONENT_DEPTH_MAX {
            let what = if encoding == Encoding::Component { "components" } else { "modules" };
            return Err(format!(
                "has {what} nested more than {} deep, which is not allowed",
                limits::COMPONENT_DEPTH_MAX
            ));
        }
        if self.depth > 1 { self.count(Of::Parts, 1_u32) } else { Ok(()) }
    }

    fn count(&mut self, of: Of, more: impl Into<u64>) -> Result<(), String> {
        let (what, most) = of.limit();
        let Some(count) = self.counts.get_mut(of as usize) else { return Ok(()) };
        *count = count.saturating_add(more.into());
        at_most(*count, most, || format!("has {count} {what}"))
    }

    fn name(&mut self, name: &str) -> Result<(), String> {
        let bytes = u64::try_from(name.len()).unwrap_or(u64::MAX);
        self.longest_name = self.longest_name.max(bytes);
        at_most(bytes, limits::COMPONENT_NAME_BYTES_MAX, || {
            let start = name.get(..name.floor_char_boundary(32)).unwrap_or_default();
            format!("has a name of {bytes} bytes, which begins with {start:?}")
        })
    }

    fn function(&mut self, body: &FunctionBody<'_>) -> Result<(), String> {
        let bytes = u64::try_from(body.as_bytes().len()).unwrap_or(u64::MAX);
        self.largest_function = self.largest_function.max(bytes);
        at_most(bytes, limits::COMPONENT_FUNCTION_BYTES_MAX, || {
            format!("has a function of {bytes} bytes: split it, or optimise for size")
        })?;
        self.count(Of::CodeBytes, bytes)?;
        let mut locals = 0_u64;
        for declared in body.get_locals_reader().map_err(invalid)? {
            locals = locals.saturating_add(declared.map_err(invalid)?.0.into());
        }
        self.most_locals = self.most_locals.max(locals);
        at_most(locals, limits::COMPONENT_FUNCTION_LOCALS_MAX, || {
            format!("has a function with {locals} local variables")
        })?;
        self.count(Of::Locals, locals)?;
        self.instructions(body)
    }

    /// Blocks in blocks, and the targets of branch tables. What cannot be read is left to the validator, which says where it is.
    fn instructions(&mut self, body: &FunctionBody<'_>) -> Result<(), String> {
        let Ok(reader) = body.get_operators_reader() else { return Ok(()) };
        let mut depth = 0_u64;
        for operator in reader {
            let Ok(operator) = operator else { return Ok(()) };
            match operator {
                Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => {
                    depth += 1;
                    self.deepest_block = self.deepest_block.max(depth);
                    at_most(depth, limits::COMPONENT_BLOCK_DEPTH_MAX, || {
                        format!("has a function with blocks nested {depth} deep")
                    })?;
                }
                Operator::End => depth = depth.saturating_sub(1),
                Operator::BrTable { targets } => {
                    let targets = u64::from(targets.len());
                    self.largest_branch_table = self.largest_branch_table.max(targets);
                    at_most(targets, limits::COMPONENT_BRANCH_TARGETS_MAX, || {
                        format!("has a branch table with {targets} targets")
                    })?;
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn at_most(found: u64, most: u64, what: impl FnOnce() -> String) -> Result<(), String> {
    if found <= most { Ok(()) } else { Err(format!("{}; at most {most} are allowed", what())) }
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn invalid(error: wasmparser::BinaryReaderError) -> String {
    format!("is not valid WebAssembly: {error}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(wat: &str) -> Result<Shape, String> {
        Shape::of(&wat::parse_str(wat).expect("wat"))
    }

    #[test]
    fn parts_are_counted_however_deep_they_are() {
        let shape = of("(component (core module) (component (core module (func) (func)) (component)))")
            .expect("small");
        assert_eq!((shape.deepest, shape.counts[Of::Parts as usize]), (3, 4));
        assert_eq!(shape.counts[Of::Functions as usize], 2);
    }

    #[test]
    fn depth_ends_at_its_limit() {
        let nested = |depth: usize| format!("{}{}", "(component ".repeat(depth), ")".repeat(depth));
        assert!(of(&nested(limits::COMPONENT_DEPTH_MAX)).is_ok());
        let said = of(&nested(limits::COMPONENT_DEPTH_MAX + 1)).expect_err("too deep");
        assert!(said.contains("nested more than 8 deep"), "{said}");
    }

    #[test]
    fn what_is_inside_a_function_is_counted() {
        let shape = of("(component (core module (func (local i32 i64) block loop end end i32.const 0 if end)
                (func block i32.const 0 br_table 0 0 1 end)))")
        .expect("small");
        assert_eq!((shape.deepest_block, shape.largest_branch_table, shape.most_locals), (2, 2, 2));
    }

    #[test]
    fn only_the_outside_counts_as_imports_and_exports() {
        let shape = of(
            "(component (import \"wasi:io/error@0.2.0\" (instance)) (component (import \"other\" (instance))))",
        )
        .expect("small");
        assert_eq!(shape.imports, ["wasi:io/error@0.2.0"]);
        let problems = shape.outside_problems();
        assert!(problems.len() == 1 && problems[0].contains("It exports nothing"), "{problems:?}");
    }

    #[test]
    fn honest_components_are_far_below_every_limit() {
        let folder = std::env::var_os("BERTH_COMPONENTS").map_or_else(
            || concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/components").into(),
            std::path::PathBuf::from,
        );
        let kinds = [
            Of::Parts,
            Of::Instances,
            Of::Types,
            Of::Imports,
            Of::Exports,
            Of::Definitions,
            Of::Functions,
            Of::CodeBytes,
            Of::Locals,
            Of::Memories,
            Of::Tables,
            Of::Globals,
            Of::Segments,
            Of::CustomSections,
        ];
        for file in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = file.file_name();
            let shape = Shape::of(&std::fs::read(file.path()).expect("read")).expect("honest");
            for kind in kinds {
                let (what, most) = kind.limit();
                let found = shape.counts[kind as usize];
                assert!(found * 3 <= most, "{}: {found} {what} of {most}", name.display());
            }
            for (what, found, most) in [
                ("bytes of a function", shape.largest_function, limits::COMPONENT_FUNCTION_BYTES_MAX),
                ("locals", shape.most_locals, limits::COMPONENT_FUNCTION_LOCALS_MAX),
                ("bytes of a name", shape.longest_name, limits::COMPONENT_NAME_BYTES_MAX),
                ("branch targets", shape.largest_branch_table, limits::COMPONENT_BRANCH_TARGETS_MAX),
                ("blocks", shape.deepest_block, limits::COMPONENT_BLOCK_DEPTH_MAX),
            ] {
                assert!(found * 3 <= most, "{}: {found} {what} of {most}", name.display());
            }
        }
    }

    proptest! {
        /// Whatever the bytes are, looking at them ends, and a refusal is a sentence and no dump.
        #[test]
        fn any_bytes_are_looked_at_in_peace(bytes in prop::collection::vec(any::<u8>(), 0..400), component in any::<bool>()) {
            let head: &[u8] = if component { b"\0asm\x0d\0\x01\0" } else { b"\0asm\x01\0\0\0" };
            if let Err(said) = Shape::of(&[head, &bytes].concat()) {
                prop_assert!(!said.is_empty() && said.len() < 2_000, "{said}");
            }
        }
    }
}
