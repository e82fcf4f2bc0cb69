//! What a component may be, so that looking at it and compiling it is bounded. Each limit is several times what the largest honest
//! component has: a JavaScript engine of 13 MiB, and the first-party ones.

/// Processor time of one compilation, in seconds, all its threads together; the compiler is ended by the system when it is used up.
/// The largest honest component takes a third of it.
pub const COMPILE_CPU_SECONDS_MAX: u64 = 30;
/// How many times as long a compiler may take that was itself built without optimisation, in development.
pub const COMPILE_CPU_UNOPTIMISED: u64 = 10;
/// Address space of the process that compiles, in bytes: the largest honest component needs half of it.
pub const COMPILE_MEMORY_BYTES_MAX: u64 = 2 * 1024 * 1024 * 1024;
/// Longest wait for the process that compiles, in seconds. Its processor time is what bounds it; this is for a machine so busy that it
/// hardly gets any, and no fault of the component.
pub const COMPILE_WALL_SECONDS_MAX: u64 = 600;
/// Threads of a compilation: each reserves address space for itself, and more cores hardly make it faster.
pub const COMPILE_THREADS_MAX: usize = 8;
/// Longest text that the process that compiles may leave as its reason, in bytes.
pub const COMPILE_REASON_BYTES_MAX: usize = 4 * 1024;
/// How deep components and modules are nested in a component, itself counted: what tools write has two or three.
pub const COMPONENT_DEPTH_MAX: usize = 8;
/// Modules and components inside a component: what tools write has one for each interface and a few more.
pub const COMPONENT_PARTS_MAX: u64 = 128;
/// Instances that a component makes of them and of its imports; those that run are bounded by the pool.
pub const COMPONENT_INSTANCES_MAX: u64 = 1_024;
/// Types of all parts.
pub const COMPONENT_TYPES_MAX: u64 = 16_384;
/// Imports of all parts.
pub const COMPONENT_IMPORTS_MAX: u64 = 4_096;
/// Exports of all parts.
pub const COMPONENT_EXPORTS_MAX: u64 = 4_096;
/// Aliases and canonical functions of a component.
pub const COMPONENT_DEFINITIONS_MAX: u64 = 16_384;
/// Functions of all parts: a JavaScript engine has some ten thousand.
pub const COMPONENT_FUNCTIONS_MAX: u64 = 65_536;
/// Bytes of code of all functions: a JavaScript engine has eight million.
pub const COMPONENT_CODE_BYTES_MAX: u64 = 14 * 1024 * 1024;
/// Bytes of one function: a compiler's memory grows faster than this does. The loop of an interpreter is the largest honest one.
pub const COMPONENT_FUNCTION_BYTES_MAX: u64 = 512 * 1024;
/// Local variables of one function.
pub const COMPONENT_FUNCTION_LOCALS_MAX: u64 = 10_000;
/// Local variables of all functions.
pub const COMPONENT_LOCALS_MAX: u64 = 1_000_000;
/// Blocks inside one another in one function: a large `switch` has as many as it has cases.
pub const COMPONENT_BLOCK_DEPTH_MAX: u64 = 4_096;
/// Targets of one branch table.
pub const COMPONENT_BRANCH_TARGETS_MAX: u64 = 16_384;
/// Linear memories of all parts, before it is known how often each part is instantiated.
pub const COMPONENT_MEMORIES_SEEN_MAX: u64 = 16;
/// Tables of all parts, likewise.
pub const COMPONENT_TABLES_SEEN_MAX: u64 = 64;
/// Globals of all parts.
pub const COMPONENT_GLOBALS_MAX: u64 = 16_384;
/// Segments of data and of elements of all parts.
pub const COMPONENT_SEGMENTS_MAX: u64 = 32_768;
/// Custom sections of all parts: names, producers, the manifest, the contract.
pub const COMPONENT_CUSTOM_SECTIONS_MAX: u64 = 1_024;
/// Longest name of an import, an export or a custom section, in bytes.
pub const COMPONENT_NAME_BYTES_MAX: u64 = 1_024;
/// Components that one process has on their way in at the same time: each is in its memory.
pub const INSTALLATIONS_CONCURRENT_MAX: usize = 4;
/// How often whoever works on an installation says so, in seconds.
pub const INSTALLATION_SEEN_EVERY_SECONDS: u64 = 10;
/// How long after that an installation counts as left by a process that ended, in seconds: several times as long.
pub const INSTALLATION_SEEN_SECONDS: i64 = 60;
/// How long it is known how an installation went, in seconds: a week.
pub const INSTALLATIONS_KEPT_SECONDS: i64 = 7 * 86_400;
