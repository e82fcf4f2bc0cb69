//! `berth:provider/settings`: the connection's settings as JSON text.

use crate::{contract::bindings::berth::provider::settings::Host, sandbox::Sandbox};

impl Host for Sandbox {
    fn get(&mut self) -> wasmtime::Result<String> {
        self.count_host_call()?;
        Ok(self.cx.settings.to_string())
    }
}
