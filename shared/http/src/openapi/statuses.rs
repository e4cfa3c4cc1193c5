//! The refusals that routes have in common, declared once.

use std::collections::BTreeMap;

use utoipa::IntoResponses;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};

use crate::problem::MEDIA_TYPE;

/// What any route may answer that asks the table.
pub(crate) struct Failing;

/// What any route of the API may answer.
pub(crate) struct Reading;

/// What any route with a body may answer.
pub(crate) struct Sending;

/// What a route may answer that takes a delivery as it came.
pub(crate) struct Undelivered;

/// What a route may answer that a call's token proves.
pub(crate) struct Unproven;
/// Of what Slack sends.
pub(crate) struct Unsigned;

/// What a route may answer whose path names something.
pub(crate) struct Missing;

/// What a route may answer that moves something from one state to another.
pub(crate) struct Conflicting;

/// What a route may answer that takes `If-Match`.
pub(crate) struct StaleEdit;

type Responses = BTreeMap<String, RefOr<Response>>;

impl IntoResponses for Failing {
    fn responses() -> Responses {
        problems(&[
            ("500", "Muster failed"),
            ("503", "Not possible at the moment; `Retry-After` says when to try again"),
        ])
    }
}

impl IntoResponses for Reading {
    fn responses() -> Responses {
        let mut responses = Failing::responses();
        responses.extend(problems(&[
            ("400", "The input is not valid: `errors` names each place"),
            ("401", "No token, or none that is valid"),
            ("403", "The caller's groups do not allow it"),
        ]));
        responses
    }
}

impl IntoResponses for Sending {
    fn responses() -> Responses {
        let mut responses = Reading::responses();
        responses.extend(problems(&[
            ("413", "The body is larger than 128 KiB"),
            ("415", "The body is not said to be JSON"),
            ("422", "The `Idempotency-Key` was used with another body"),
        ]));
        responses
    }
}

impl IntoResponses for Undelivered {
    fn responses() -> Responses {
        problems(&[
            ("400", "It is in no shape that is known: `errors` says what to mend"),
            ("401", "It does not prove who sent it"),
            ("413", "It is larger than 256 KiB"),
        ])
    }
}

impl IntoResponses for Unproven {
    fn responses() -> Responses {
        problems(&[
            ("400", "The input is not valid: `errors` names each place"),
            ("401", "The token is not that of this step's call, whether there is such a step or not"),
            ("413", "The body is larger than 16 KiB"),
        ])
    }
}

impl IntoResponses for Unsigned {
    fn responses() -> Responses {
        problems(&[
            ("400", "It is no payload of Slack's: `errors` says what to mend"),
            ("401", "Slack did not sign it within the last 5 minutes, or the button is not one of Muster's"),
            ("413", "The body is larger than 128 KiB"),
        ])
    }
}

impl IntoResponses for Missing {
    fn responses() -> Responses {
        problems(&[("404", "What the path or the body names is not there")])
    }
}

impl IntoResponses for Conflicting {
    fn responses() -> Responses {
        problems(&[("409", "What is stored, a kill switch or a change freeze does not allow it now")])
    }
}

impl IntoResponses for StaleEdit {
    fn responses() -> Responses {
        problems(&[("412", "It was changed meanwhile: `currentETag` is what `If-Match` would have to say")])
    }
}

fn problems(statuses: &[(&str, &str)]) -> Responses {
    let problem = |description: &str| {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        ResponseBuilder::new().description(description).content(MEDIA_TYPE, content).build()
    };
    let statuses = statuses.iter();
    statuses.map(|(status, description)| ((*status).to_owned(), problem(description).into())).collect()
}
