//! What happened, as readers are told it.

mod feed;
