//! `berth:provider/log`.

use crate::{
    contract::bindings::berth::provider::log::{Host, Level},
    sandbox::Sandbox,
};

impl Host for Sandbox {
    fn write(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        self.count_host_call()?;
        self.log().line(level, &message);
        Ok(())
    }
}
