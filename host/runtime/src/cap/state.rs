//! `berth:provider/state`: the small store of a connection, through the port that the server fulfils.

use berth_model::{limits, outbound::provider};

use crate::{
    contract::bindings::berth::provider::state::{Host, StateError},
    sandbox::Sandbox,
};

impl Host for Sandbox {
    async fn get(&mut self, key: String) -> wasmtime::Result<Result<Option<Vec<u8>>, StateError>> {
        self.count_host_call()?;
        if !is_key(&key) {
            return Ok(Err(StateError::TooLarge));
        }
        Ok(self.state.get(self.cx.tenant, self.cx.connection, &key).await.map_err(told))
    }

    async fn set(&mut self, key: String, value: Vec<u8>) -> wasmtime::Result<Result<(), StateError>> {
        self.count_host_call()?;
        if !is_key(&key) || value.len() > limits::STATE_VALUE_BYTES_MAX {
            return Ok(Err(StateError::TooLarge));
        }
        Ok(self.state.set(self.cx.tenant, self.cx.connection, &key, value).await.map_err(told))
    }

    async fn delete(&mut self, key: String) -> wasmtime::Result<Result<(), StateError>> {
        self.count_host_call()?;
        if !is_key(&key) {
            return Ok(Err(StateError::TooLarge));
        }
        Ok(self.state.delete(self.cx.tenant, self.cx.connection, &key).await.map_err(told))
    }
}

const fn is_key(key: &str) -> bool {
    !key.is_empty() && key.len() <= limits::STATE_KEY_BYTES_MAX
}

const fn told(error: provider::StateError) -> StateError {
    match error {
        provider::StateError::TooLarge => StateError::TooLarge,
        provider::StateError::Full => StateError::Full,
        provider::StateError::Unavailable => StateError::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_1_to_128_bytes() {
        assert!(!is_key(""));
        assert!(is_key(&"k".repeat(limits::STATE_KEY_BYTES_MAX)));
        assert!(!is_key(&"k".repeat(limits::STATE_KEY_BYTES_MAX + 1)));
    }
}
