//! What happens to every request, around its handler.

pub(crate) mod correlation;
pub(crate) mod require_principal;
pub(crate) mod security_headers;
