//! What a path names.

use axum::extract::{FromRequestParts, Path};
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::problem::{Kind, Problem};

/// The ids in a path. A text that cannot be an id names nothing: 404, as for an id that nothing has.
pub(crate) struct Named<T>(pub(crate) T);

impl<S, T> FromRequestParts<S> for Named<T>
where
    S: Send + Sync,
    T: DeserializeOwned + Send,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let ids = Path::<T>::from_request_parts(parts, state).await;
        let nothing = |_| Problem::new(Kind::NotFound, "nothing can have the id in this path");
        ids.map(|Path(ids)| Self(ids)).map_err(nothing)
    }
}
