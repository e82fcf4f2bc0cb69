//! The methods of the store, one file per resource, by the names that the resources have everywhere.

/// Carry out `work` of the shared query text in a transaction. PostgreSQL may have to repeat it: what it owns is named, so
/// that each try gets its own. Who places events is told that there may be one, whatever was written: nobody can forget it.
macro_rules! write_tx {
    ($store:expr, [$($owned:ident),*], |$q:ident, $conn:ident| $work:expr) => {
        carry_out!(write, $store, [$($owned),*], |$q, $conn| $work)
            .inspect(|_| $store.written.notify_one())
    };
}

/// The same for statements of which each stands alone, and that only a fault of the database refuses: nothing but what they do
/// themselves is to be undone, so they need no transaction around them.
macro_rules! write_auto {
    ($store:expr, [$($owned:ident),*], |$q:ident, $conn:ident| $work:expr) => {
        carry_out!(write_auto, $store, [$($owned),*], |$q, $conn| $work)
    };
}

macro_rules! carry_out {
    ($way:ident, $store:expr, [$($owned:ident),*], |$q:ident, $conn:ident| $work:expr) => {
        match &$store.engine {
            $crate::Engine::Sqlite(engine) => {
                use $crate::sqlite::queries as $q;
                engine.$way(move |$conn| Box::pin(async move { $work.await })).await
            }
            $crate::Engine::Postgres(engine) => {
                use $crate::postgres::queries as $q;
                engine
                    .$way(move |$conn| {
                        $(let $owned = $owned.clone();)*
                        Box::pin(async move { $work.await })
                    })
                    .await
            }
        }
    };
}

/// Carry out `work` of the shared query text, which only reads.
macro_rules! read {
    ($store:expr, |$q:ident, $conn:ident| $work:expr) => {
        match $store.engine_to_read() {
            $crate::Engine::Sqlite(engine) => {
                use $crate::sqlite::queries as $q;
                engine.read(move |$conn| Box::pin(async move { $work.await })).await
            }
            $crate::Engine::Postgres(engine) => {
                use $crate::postgres::queries as $q;
                engine.read(move |$conn| Box::pin(async move { $work.await })).await
            }
        }
    };
}

mod availability;
mod bookings;
mod calendars;
mod catalog;
mod connections;
mod customers;
mod events;
mod inbound;
mod jobs;
mod lifecycle;
mod mirror;
mod plugins;
mod privacy;
mod tenants;
