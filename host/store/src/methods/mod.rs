//! The methods of the store, by resource. Each takes owned values into one transaction of whichever engine is open.

/// Run a query function of the open engine in a transaction of its own.
macro_rules! write {
    ($self:ident, ($($arg:ident),*), |$conn:ident, $queries:ident| $body:expr) => {
        match &$self.backend {
            Backend::Sqlite(engine) => {
                use crate::sqlite::queries as $queries;
                engine.write(move |$conn| Box::pin(async move { $body.await })).await
            }
            Backend::Postgres(engine) => {
                use crate::postgres::queries as $queries;
                engine
                    .write(move |$conn| {
                        // The transaction may be tried again, so it works on copies.
                        $(let $arg = Clone::clone(&$arg);)*
                        Box::pin(async move { $body.await })
                    })
                    .await
            }
        }
    };
}

/// Run a query function of the open engine that only reads.
macro_rules! read {
    ($self:ident, ($($arg:ident),*), |$conn:ident, $queries:ident| $body:expr) => {
        match &$self.backend {
            Backend::Sqlite(engine) => {
                use crate::sqlite::queries as $queries;
                engine.read(move |$conn| Box::pin(async move { $body.await })).await
            }
            Backend::Postgres(engine) => {
                use crate::postgres::queries as $queries;
                engine.read(move |$conn| Box::pin(async move { $body.await })).await
            }
        }
    };
}

mod bookings;
mod catalog;
mod connections;
mod idempotency;
mod plugins;
mod tenants;
