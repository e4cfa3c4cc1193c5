//! The header that every POST takes, for the OpenAPI document. `extract::sent` reads it.

use utoipa::IntoParams;

#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only describes the header")]
pub(crate) struct IdempotencyHeader {
    /// 1 to 255 printable ASCII characters. The same key with the same body is answered as the first time, for 48 hours,
    /// even if that answer was lost; with another body it is refused.
    #[param(rename = "Idempotency-Key", min_length = 1, max_length = 255)]
    idempotency_key: Option<String>,
}
