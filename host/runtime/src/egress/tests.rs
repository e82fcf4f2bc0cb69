//! The whole gate against real servers on the loopback interface.

mod addresses;
mod answers;
mod credentials;
mod limits;
mod tls;
mod world;
