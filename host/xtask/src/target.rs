//! The wasm target: the ordinary rustup one, or a small fallback where rustup cannot have it.

use std::{path::Path, process::Command};

use crate::run::{Advice, output, step};

/// The target that components are built for.
pub(crate) const TARGET: &str = "wasm32-wasip2";

/// How components are compiled on this machine.
pub(crate) enum Toolchain {
    /// The toolchain's own target.
    Rustup,
    /// The standard library built from Debian's source against Debian's C library for WASI.
    Debian {
        /// Folder of the toolchain's linkers.
        linkers: String,
    },
}

/// Make sure that components can be built.
pub(crate) fn ensure() -> Result<Toolchain, Advice> {
    let sysroot = output(Command::new("rustc").args(["--print", "sysroot"]))
        .ok_or("rustc does not run; install Rust from your system or with rustup, then try again")?;
    let sysroot = sysroot.trim().to_owned();
    if Path::new(&sysroot).join("lib/rustlib").join(TARGET).join("lib").is_dir() {
        return Ok(Toolchain::Rustup);
    }
    println!("==> the target {TARGET} is missing; asking rustup for it");
    let added = Command::new("rustup").args(["target", "add", TARGET]).status();
    if added.is_ok_and(|status| status.success()) {
        return Ok(Toolchain::Rustup);
    }
    debian(&sysroot)
}

fn debian(sysroot: &str) -> Result<Toolchain, Advice> {
    let advice = format!(
        "rustup could not add it. Run `rustup target add {TARGET}` where you have a network, then try again"
    );
    let root = output(Command::new("id").arg("-u")).is_some_and(|id| id.trim() == "0");
    if !root || !Path::new("/etc/debian_version").exists() {
        return Err(advice);
    }
    println!(
        "==> FALLBACK: building the standard library from Debian's packages, since rustup has no {TARGET} here"
    );
    let packages = ["install", "-y", "wasi-libc", "rustc-web", "rust-web-src"];
    step("install wasi-libc, rustc-web and rust-web-src", Command::new("apt-get").args(packages))
        .map_err(|_| advice)?;
    Ok(Toolchain::Debian { linkers: format!("{sysroot}/lib/rustlib/x86_64-unknown-linux-gnu/bin") })
}

impl Toolchain {
    /// Prepare a `cargo build` for the target.
    pub(crate) fn apply(&self, command: &mut Command) {
        if let Self::Debian { linkers } = self {
            let path = std::env::var("PATH").unwrap_or_default();
            command
                .env("PATH", format!("{linkers}:{linkers}/gcc-ld:{path}"))
                .env("RUSTC", "/usr/bin/rustc")
                .env("RUSTC_BOOTSTRAP", "1")
                .env(
                    "RUSTFLAGS",
                    "-Clinker=wasm-component-ld -Clink-self-contained=no -Lnative=/usr/lib/wasm32-wasi \
                     -Clink-arg=/usr/lib/wasm32-wasi/crt1-reactor.o -Clink-arg=--wasi-adapter=reactor",
                )
                .arg("-Zbuild-std=std,panic_abort");
        }
    }
}
