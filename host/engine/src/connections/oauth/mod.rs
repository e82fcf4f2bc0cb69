//! OAuth 2 in the host: clients of operators, flows that people consent to, and tokens that renew themselves. Components see none
//! of it: a call gets a token that is good, or the reason why there is none.

mod authorising;
mod clients;
mod flows;
mod tokens;

pub use clients::NewOAuthClient;
pub use flows::{OAuthAnswer, OAuthReturn, OAuthStarted};

pub(crate) use authorising::Authorising;
pub(crate) use clients::oauth_credentials;
pub(crate) use flows::refused;
pub(crate) use tokens::Tokens;
