//! The only code that opens a connection to an address a user gave.
//!
//! A call passes these gates, in this order, and stops at the first that says no:
//!
//! 1. `target`: the URL's form, and its host where that is an address.
//! 2. `credentials`: the values of the secrets, read now and dropped with the call. A URL that is a secret passes the first gate
//!    after this one.
//! 3. `headers`: names and values that cannot end a line, and none that is ours.
//! 4. `resolver`: every answer of the name service; the addresses checked are the addresses dialled.
//! 5. `answer`: a bounded read of what came back.
//! 6. `redact`: no secret of this call is in what is handed back.
//!
//! Architecture invariant: no other crate of Muster opens a connection to an address out of a definition, and this crate makes
//! no decision about repeating: it says what is known of one attempt, as an [`Outcome`](muster_domain::outcome::Outcome).

pub use client::{BuildError, HttpEgress, LONGEST_CALL};
pub use local_secrets::{LocalSecrets, LocalSecretsError};
pub use policy::{AllowedTarget, EgressPolicy, InvalidTarget};
pub use refusal::Refusal;
pub use resolver::Lookup;

pub mod address;
mod answer;
mod client;
mod credentials;
mod dial;
mod failure;
mod headers;
mod local_secrets;
mod policy;
mod redact;
mod refusal;
mod resolver;
mod retry_after;
mod signature;
mod target;
