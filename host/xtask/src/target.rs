//! The wasm target: the ordinary rustup one, or a small fallback where rustup cannot have it.

use std::{path::Path, process::Command};

use crate::run::{Advice, output, step};

/// The target that components are built for.
pub(crate) const TARGET: &str = "wasm32-wasip2";

/// Oldest compiler that components build with.
const NEEDED: &str = env!("CARGO_PKG_RUST_VERSION");

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
    let known = || output(Command::new("apt-cache").args(["show", "--no-all-versions", "rustc-web"]));
    // A fresh machine may not know its packages yet.
    let description = known().or_else(|| {
        step("fetch the list of packages", Command::new("apt-get").arg("update")).ok()?;
        known()
    });
    let offered = description.as_deref().and_then(packaged_version);
    if offered.is_none_or(|version| Some(version) < release(NEEDED)) {
        let there = offered.map_or_else(|| "none".to_owned(), |(major, minor)| format!("{major}.{minor}"));
        return Err(format!(
            "{advice}. (Debian's rustc-web could do it from {NEEDED} on; here it is {there}.)"
        ));
    }
    println!(
        "==> FALLBACK: building the standard library from Debian's packages, since rustup has no {TARGET} here"
    );
    let packages = ["install", "-y", "--no-install-recommends", "wasi-libc", "rustc-web", "rust-web-src"];
    step("install wasi-libc, rustc-web and rust-web-src", Command::new("apt-get").args(packages))
        .map_err(|_| advice)?;
    let version = output(Command::new("rustc").arg("-vV")).unwrap_or_default();
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.ok_or("rustc -vV names no host")?;
    Ok(Toolchain::Debian { linkers: format!("{sysroot}/lib/rustlib/{host}/bin") })
}

/// The release in the description of a Debian package: `Version: 1.85.0+dfsg3-1`.
fn packaged_version(description: &str) -> Option<(u32, u32)> {
    description.lines().find_map(|line| release(line.strip_prefix("Version: ")?))
}

/// Major and minor number of a version.
fn release(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.').map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packaged_compiler_that_is_too_old_is_seen() {
        let description = "Package: rustc-web\nVersion: 1.85.0+dfsg3-1~deb12u3\nArchitecture: amd64\n";
        assert_eq!(packaged_version(description), Some((1, 85)));
        assert!(packaged_version(description) < release("1.95"));
        assert!(release("1.100") > release("1.95.1"));
        assert_eq!(packaged_version("Package: rustc-web\n"), None);
        assert!(release(NEEDED).is_some());
    }
}
