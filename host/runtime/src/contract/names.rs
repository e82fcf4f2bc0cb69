//! Names of the contract: which imports a component may have, which exports it must have, and the sentences for what is
//! wrong with either.

use wasmtime::component::Component;

/// Version of the contract that these bindings speak.
const CONTRACT: &str = "0.1.3";

/// An exported interface by its bare name: `bookings`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Interface(&'static str);

impl Interface {
    /// The interface of this name.
    pub(crate) const fn named(name: &'static str) -> Self {
        Self(name)
    }

    /// `berth:provider/booking-edits@0.1.3`, of `booking_edits`.
    fn full(self) -> String {
        format!("berth:provider/{}@{CONTRACT}", self.0.replace('_', "-"))
    }
}

/// Optional interfaces.
const OPTIONAL: &str = "catalog, availability, bookings, links, webhooks, clients, blocks, booking-edits";

/// WASI packages whose interfaces may be imported. The file system is among them because a standard library imports it
/// without being asked; it is empty.
const WASI_ALLOWED: [&str; 6] =
    ["wasi:cli/", "wasi:clocks/", "wasi:filesystem/", "wasi:http/", "wasi:io/", "wasi:random/"];

/// Interfaces of `berth:provider` that are imported.
const HOST_INTERFACES: [&str; 7] =
    ["types", "log", "settings", "state", "credentials", "zones", "recurrence"];

/// What the versions of the contract begin with that this host serves: additions keep it (see `tests/frozen`).
const SERVED: &str = "0.1.";

/// Is this the name of the one interface that every provider exports, of whatever version that this host serves?
pub(crate) fn is_connection(name: &str) -> bool {
    name.strip_prefix("berth:provider/connection@").is_some_and(|version| version.starts_with(SERVED))
}

/// Does the component export the interface?
pub(crate) fn exports(component: &Component, interface: Interface) -> bool {
    component.get_export_index(None, interface.full()).is_some()
}

/// Names of everything that the component exports.
pub(crate) fn exported(component: &Component) -> Vec<String> {
    let engine = component.engine();
    component.component_type().exports(engine).map(|(name, _)| name.to_owned()).collect()
}

/// Names of everything that the component imports, in its order.
pub(crate) fn imported(component: &Component) -> Vec<String> {
    let engine = component.engine();
    component.component_type().imports(engine).map(|(name, _)| name.to_owned()).collect()
}

/// What is wrong with an import, if anything.
pub(crate) fn import_problem(name: &str) -> Option<String> {
    if let Some(rest) = name.strip_prefix("berth:provider/") {
        let (interface, version) = rest.split_once('@').unwrap_or((rest, ""));
        if !HOST_INTERFACES.contains(&interface) {
            return Some(format!(
                "imports `{name}`, which this host does not offer; it offers {}",
                HOST_INTERFACES.join(", ")
            ));
        }
        if !version.starts_with(SERVED) {
            return Some(format!(
                "imports `{name}`; this host speaks version {CONTRACT} of berth:provider: build it against that"
            ));
        }
        return None;
    }
    if name.starts_with("wasi:sockets/") {
        return Some(format!(
            "imports `{name}`; sockets are refused. The usual cause is a crate that opens connections itself \
             (std::net, or an HTTP client with a `net`, `tcp` or `rustls` feature): switch that feature off and use \
             wasi:http"
        ));
    }
    if WASI_ALLOWED.iter().any(|allowed| name.starts_with(allowed)) {
        let version = name.split_once('@').map_or("", |(_, version)| version);
        return (!version.starts_with("0.2."))
            .then(|| format!("imports `{name}`; this host offers WASI 0.2: build it for wasm32-wasip2"));
    }
    Some(format!(
        "imports `{name}`, which is not offered. A component may import berth:provider ({}) and WASI 0.2 ({})",
        HOST_INTERFACES.join(", "),
        WASI_ALLOWED.map(|w| w.trim_end_matches('/')).join(", ")
    ))
}

/// The sentence for a component without `connection`.
pub(crate) fn no_connection(exported: &[String]) -> String {
    let found = if exported.is_empty() { "nothing".to_owned() } else { exported.join(", ") };
    format!(
        "does not export `{}`, which every provider must; it may also export {OPTIONAL}. It exports {found}",
        Interface("connection").full()
    )
}

/// The sentence for an interface that lacks a function.
pub(crate) fn incomplete(interface: Interface, error: &wasmtime::Error) -> String {
    format!("export `{}` is not complete: {error:#}", interface.full())
}

/// The sentence for a function of another type.
pub(crate) fn wrong_type(interface: Interface, error: &wasmtime::Error) -> String {
    format!(
        "export `{}` has another type than the contract: {error:#}. Build it against the wit/ of version {CONTRACT}",
        interface.full()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn older_components_have_the_interface_too() {
        for (name, is) in [
            ("berth:provider/connection@0.1.0", true),
            ("berth:provider/connection@0.1.1", true),
            ("berth:provider/connection@0.1.3", true),
            ("berth:provider/connection@0.2.0", false),
            ("berth:provider/connection", false),
            ("berth:provider/catalog@0.1.1", false),
        ] {
            assert_eq!(is_connection(name), is, "{name}");
        }
    }

    #[test]
    fn imports_are_allowed_by_list() {
        for good in [
            "berth:provider/types@0.1.0",
            "berth:provider/log@0.1.0",
            "berth:provider/zones@0.1.3",
            "wasi:http/outgoing-handler@0.2.12",
            "wasi:filesystem/preopens@0.2.3",
            "wasi:cli/environment@0.2.0",
        ] {
            assert_eq!(import_problem(good), None, "{good}");
        }
        for (bad, says) in [
            ("berth:provider/log@0.2.0", "version 0.1.3"),
            ("berth:provider/files@0.1.0", "does not offer"),
            ("wasi:sockets/tcp@0.2.0", "sockets are refused"),
            ("wasi:http/types@0.3.0", "WASI 0.2"),
            ("wasi:keyvalue/store@0.2.0", "not offered"),
            ("env", "not offered"),
        ] {
            let problem = import_problem(bad).expect(bad);
            assert!(problem.contains(says), "{problem}");
        }
    }
}
