//! The OpenAPI 3.1 document: generated from the route table, checked in as `docs/openapi.json`, served from there.

mod statuses;

use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;

pub(crate) use self::statuses::{
    Conflicting, Failing, Missing, Reading, Sending, StaleEdit, Undelivered, Unproven, Unsigned,
};
use crate::problem::Details;
use crate::router::every_route;

/// The document as it is to be checked in: indented JSON with a last line end.
///
/// For tests. What runs serves what is checked in, and is free of the code that describes.
pub fn document() -> String {
    let (_, document) = OpenApiRouter::with_openapi(Base::openapi()).merge(every_route()).split_for_parts();
    // All names in the document are texts, so it always becomes JSON.
    let mut text = document.to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Muster",
        description = "Runbook automation for incident response. Every error is answered with problem details (RFC 9457). \
            Every POST takes an `Idempotency-Key`. Moments are RFC 3339 in UTC.",
    ),
    components(schemas(Details)),
    security(("bearer" = [])),
    modifiers(&Bearer),
)]
struct Base;

/// A token that names the caller and their groups.
struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

#[cfg(test)]
mod tests;
