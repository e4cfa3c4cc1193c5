//! The HTTP API: routes, what they take and give, problem details, identity from claims, and the OpenAPI document.
//!
//! Architecture invariant: nothing is decided here. A handler parses, asks one use case of `muster-app`, and shows its
//! answer. Who may do what is the domain's policy, which every use case asks itself; this crate only makes sure that somebody
//! is known. The router expects a verified [`Principal`](muster_domain::policy::Principal) in the request's extensions, which
//! an outer layer of the composition root puts there.

mod extract;
pub mod identity;
mod layers;
#[cfg(feature = "local-identity")]
pub mod local_identity;
mod openapi;
mod problem;
mod route_table;
mod router;
mod routes;
mod types;
pub mod yaml;

pub use self::identity::{IdentityError, principal_from_claims};
pub use self::openapi::document;
pub use self::router::{HttpSettings, api_router, approval_router, router};
