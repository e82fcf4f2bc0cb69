//! Where a booking goes, as callers say it: a provider's name, or a connection.

use berth_engine::ProviderChoice;
use berth_model::{
    id::ConnectionId,
    plugins::manifest::{BUILTIN, PluginId},
    problem::FieldError,
};

/// The choice that `provider` and `connection_id` make together; none if neither is given. The id of a connection is read as `provider`, too.
pub(crate) fn of(
    provider: Option<&str>,
    connection: Option<ConnectionId>,
) -> Result<Option<ProviderChoice>, FieldError> {
    let bad = |message: &str| Err(FieldError::new("/provider", message));
    let Some(provider) = provider else { return Ok(connection.map(ProviderChoice::Connection)) };
    if provider == BUILTIN {
        return match connection {
            None => Ok(Some(ProviderChoice::BuiltIn)),
            Some(_) => bad("is builtin, which has no connections: leave connection_id out"),
        };
    }
    if let Ok(id) = provider.parse::<ConnectionId>() {
        return match connection {
            Some(other) if other != id => bad("is another connection than connection_id"),
            _ => Ok(Some(ProviderChoice::Connection(id))),
        };
    }
    let Ok(name) = provider.parse::<PluginId>() else {
        return bad("must be the name of a provider, builtin, or the id of a connection");
    };
    Ok(Some(match connection {
        Some(id) => ProviderChoice::Of(id, name),
        None => ProviderChoice::Named(name),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_or_one_connection() {
        let id: ConnectionId = "0193b3f0-0000-7000-8000-000000000000".parse().unwrap();
        let other: ConnectionId = "0193b3f0-0000-7000-8000-000000000001".parse().unwrap();
        let name = || "acme".parse().unwrap();
        assert_eq!(of(None, None), Ok(None));
        assert_eq!(of(None, Some(id)), Ok(Some(ProviderChoice::Connection(id))));
        assert_eq!(of(Some("builtin"), None), Ok(Some(ProviderChoice::BuiltIn)));
        assert_eq!(of(Some("acme"), None), Ok(Some(ProviderChoice::Named(name()))));
        assert_eq!(of(Some("acme"), Some(id)), Ok(Some(ProviderChoice::Of(id, name()))));
        assert_eq!(of(Some(&id.to_string()), None), Ok(Some(ProviderChoice::Connection(id))), "as it was");
        assert_eq!(of(Some(&id.to_string()), Some(id)), Ok(Some(ProviderChoice::Connection(id))));
        for (provider, connection) in
            [("builtin", Some(id)), (&*id.to_string(), Some(other)), ("No Name", None), ("", None)]
        {
            assert_eq!(of(Some(provider), connection).unwrap_err().field, "/provider", "{provider}");
        }
    }
}
