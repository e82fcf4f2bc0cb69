//! Components that are made to cost much: to look at, to compile, or to keep. Bytes by hand, since no tool writes them.

use rand::{Rng, SeedableRng, rngs::StdRng};

/// A hostile component.
pub struct Monster {
    pub name: &'static str,
    pub bytes: Vec<u8>,
    /// What its refusal must say.
    pub says: &'static [&'static str],
}

const MANIFEST: &str = "id = 'monster'\nversion = '1.0.0'\ncontract = '0.1'\nname = 'Monster'\n";
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";
const MODULE: &[u8] = b"\0asm\x01\0\0\0";

fn leb(mut n: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let byte = u8::try_from(n & 0x7f).unwrap();
        n >>= 7;
        if n == 0 {
            bytes.push(byte);
            return bytes;
        }
        bytes.push(byte | 0x80);
    }
}

fn section(id: u8, content: &[u8]) -> Vec<u8> {
    [&[id], leb(content.len()).as_slice(), content].concat()
}

fn text(text: &str) -> Vec<u8> {
    [leb(text.len()).as_slice(), text.as_bytes()].concat()
}

fn custom(name: &str, data: &[u8]) -> Vec<u8> {
    section(0, &[text(name).as_slice(), data].concat())
}

/// So many of the same.
fn many(count: usize, each: &[u8]) -> Vec<u8> {
    [leb(count), each.repeat(count)].concat()
}

/// A function body: declared locals and code.
fn body(locals: &[u8], code: &[u8]) -> Vec<u8> {
    let whole = [locals, code, &[0x0b]].concat();
    [leb(whole.len()), whole].concat()
}

/// A module with functions of type `() -> ()`.
fn module(bodies: &[Vec<u8>]) -> Vec<u8> {
    let kinds = section(1, &[1, 0x60, 0, 0]);
    let functions = section(3, &many(bodies.len(), &[0]));
    let code = section(10, &[leb(bodies.len()), bodies.concat()].concat());
    [MODULE, &kinds, &functions, &code].concat()
}

/// These sections in a component whose outside is in order, so that whatever is wrong is found further in.
fn around(sections: &[u8]) -> Vec<u8> {
    let name = text("berth:provider/connection@0.1.3");
    let export = [&[1, 0], name.as_slice(), &[5, 0, 0]].concat();
    [
        COMPONENT,
        &custom("berth:manifest", MANIFEST.as_bytes()),
        sections,
        &section(5, &[1, 1, 0]),
        &section(11, &export),
    ]
    .concat()
}

fn of_module(module: &[u8]) -> Vec<u8> {
    around(&section(1, module))
}

fn of_bodies(bodies: &[Vec<u8>]) -> Vec<u8> {
    of_module(&module(bodies))
}

/// Components in components.
pub fn nested(depth: usize) -> Vec<u8> {
    let mut sizes = vec![COMPONENT.len()];
    for _ in 1..depth {
        let inner = *sizes.last().unwrap();
        sizes.push(COMPONENT.len() + 1 + leb(inner).len() + inner);
    }
    let mut bytes = Vec::new();
    for inner in sizes.iter().rev().skip(1) {
        bytes.extend([COMPONENT, &[4], &leb(*inner)].concat());
    }
    bytes.extend(COMPONENT);
    bytes
}

/// One function of about so many bytes.
pub fn one_function(bytes: usize) -> Vec<u8> {
    // i32.const 1, drop
    of_bodies(&[body(&[0], &[0x41, 1, 0x1a].repeat(bytes / 3))])
}

fn tiny_functions(count: usize) -> Vec<u8> {
    of_bodies(&vec![body(&[0], &[]); count])
}

fn types(count: usize) -> Vec<u8> {
    of_module(&[MODULE, &section(1, &many(count, &[0x60, 0, 0]))].concat())
}

/// Component types in component types, which a reader reads by recursion.
pub fn nested_types(depth: usize) -> Vec<u8> {
    let inner: Vec<u8> = [0x41, 1, 1].repeat(depth);
    around(&section(7, &[&[1], inner.as_slice(), &[0x41, 0]].concat()))
}

fn blocks(depth: usize) -> Vec<u8> {
    let code = [[0x02, 0x40].repeat(depth), vec![0x0b; depth]].concat();
    of_bodies(&[body(&[0], &code)])
}

fn branch_table(targets: usize) -> Vec<u8> {
    // i32.const 0, br_table 0 … 0
    let code = [&[0x41, 0, 0x0e], many(targets, &[0]).as_slice(), &[0]].concat();
    of_bodies(&[body(&[0], &code)])
}

fn locals(functions: usize, each: usize) -> Vec<u8> {
    let declared = [&[1], leb(each).as_slice(), &[0x7f]].concat();
    of_bodies(&vec![body(&declared, &[]); functions])
}

fn long_name(bytes: usize) -> Vec<u8> {
    let import = [&[1], text("env").as_slice(), &text(&"n".repeat(bytes)), &[0, 0]].concat();
    of_module(&[MODULE, &section(1, &[1, 0x60, 0, 0]), &section(2, &import)].concat())
}

fn custom_sections(count: usize) -> Vec<u8> {
    around(&custom("x", b"").repeat(count))
}

fn data_segments(count: usize) -> Vec<u8> {
    // active, at 0, empty
    let data = section(11, &many(count, &[0, 0x41, 0, 0x0b, 0]));
    of_module(&[MODULE, &section(5, &[1, 0, 1]), &data].concat())
}

fn globals(count: usize) -> Vec<u8> {
    of_module(&[MODULE, &section(6, &many(count, &[0x7f, 0, 0x41, 0, 0x0b]))].concat())
}

fn memories(count: usize) -> Vec<u8> {
    of_module(&[MODULE, &section(5, &many(count, &[0, 1]))].concat())
}

fn parts(count: usize) -> Vec<u8> {
    around(&section(1, MODULE).repeat(count))
}

fn instances(count: usize) -> Vec<u8> {
    around(&section(5, &many(count, &[1, 0])))
}

/// Loops in loops that each change every local: what a compiler keeps about them is their product. Everything below the limits that are
/// looked at before.
pub fn live_locals(loops: usize, each: usize, functions: usize) -> Vec<u8> {
    let declared = [&[1], leb(each).as_slice(), &[0x7f]].concat();
    let mut code = Vec::new();
    for n in 0..loops {
        // loop, local.get, i32.const 1, i32.add, local.set, for some of them
        code.extend([0x03, 0x40]);
        for k in 0..12 {
            let local = leb((n * 12 + k) % each);
            code.extend([&[0x20], local.as_slice(), &[0x41, 1, 0x6a, 0x21], &local].concat());
        }
    }
    for _ in 0..loops {
        // local.get 0, br_if 0, end
        code.extend([0x20, 0, 0x0d, 0, 0x0b]);
    }
    of_bodies(&vec![body(&declared, &code); functions])
}

/// All of them, in sizes that come from the seed.
pub fn all(seed: u64) -> Vec<Monster> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut near = |n: usize| random.random_range(n - n / 10..=n + n / 10);
    let mut monsters = Vec::new();
    let mut add = |name, bytes: Vec<u8>, says: &'static [&'static str]| {
        monsters.push(Monster { name, bytes, says });
    };
    add("nested components", nested(near(30_000)), &["nested more than"]);
    add("barely nested too deep", nested(9), &["nested more than"]);
    add("one function", one_function(near(5_600_000)), &["has a function of", "at most"]);
    add("a function barely too large", one_function(512 * 1024 + 3), &["has a function of", "at most"]);
    add("tiny functions", tiny_functions(near(900_000)), &["functions", "at most"]);
    add("types", types(near(900_000)), &["types", "at most"]);
    add("nested types", nested_types(near(1_000_000)), &["nested"]);
    add("blocks", blocks(near(100_000)), &["blocks nested", "at most"]);
    add("a branch table", branch_table(near(300_000)), &["branch table", "at most"]);
    add("locals of one", locals(1, near(40_000)), &["local variables", "at most"]);
    add("locals of many", locals(near(5_000), 9_999), &["local variables", "at most"]);
    add("locals beyond all counting", locals(3, 0xffff_ffff), &["local variables", "at most"]);
    add("a long name", long_name(near(90_000)), &["has a name of", "at most"]);
    add("custom sections", custom_sections(near(100_000)), &["custom sections", "at most"]);
    add("data segments", data_segments(near(90_000)), &["segments", "at most"]);
    add("globals", globals(near(500_000)), &["globals", "at most"]);
    add("memories", memories(near(80)), &["linear memories", "at most"]);
    add("parts", parts(near(100_000)), &["modules and components", "at most"]);
    add("instances", instances(near(500_000)), &["instances", "at most"]);
    add("two manifests", around(&custom("berth:manifest", b"id = 'other'")), &["two different manifests"]);
    add(
        "a section past the end",
        [COMPONENT, &[0, 0xff, 0xff, 0x7f]].concat(),
        &["is not valid WebAssembly"],
    );
    add("nothing inside", COMPONENT.to_vec(), &["has no manifest"]);
    add("zeroes", vec![0; near(1_000_000)], &["is not WebAssembly"]);
    let honest = of_bodies(&vec![body(&[0], &[0x41, 1, 0x1a]); 100]);
    let cut = random.random_range(9..honest.len() - 1);
    monsters.push(Monster { name: "cut short", bytes: honest[..cut].to_vec(), says: &[] });
    monsters
}

/// A component with some bytes changed, cut or repeated.
pub fn mutated(bytes: &[u8], random: &mut StdRng) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..random.random_range(1..20) {
        let at = random.random_range(8..bytes.len());
        match random.random_range(0..10) {
            0 => bytes.truncate(at.max(16)),
            1 => {
                let piece = bytes[at..(at + 64).min(bytes.len())].to_vec();
                let to = random.random_range(8..bytes.len());
                bytes.splice(to..to, piece);
            }
            _ => bytes[at] = random.random(),
        }
    }
    bytes
}
