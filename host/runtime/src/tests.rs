//! The runtime as a whole, with small components made from text. What needs a real guest (requests, panics, output) is
//! tested in the top-level `tests`.

mod budgets;
mod calls;
mod guest;
mod loading;
mod world;
