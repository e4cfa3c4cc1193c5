//! A signed request to invoke a function. The SDK's client for Lambda would be compiled for this one call.

use std::time::SystemTime;

use aws_sdk_dynamodb::config::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use aws_smithy_runtime_api::client::identity::Identity;
use serde_json::Value;

/// The header that asks for no answer but that the event was taken, as AWS's own services invoke functions.
const HEADER: (&str, &str) = ("x-amz-invocation-type", "Event");

/// Hands an event to a function.
pub(super) async fn invoke(endpoint: &str, function: &str, credentials: Credentials, event: &Value) {
    let url = format!("{endpoint}/2015-03-31/functions/{function}/invocations");
    let request = signed(&url, credentials, event.to_string());
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = http.execute(request.try_into().unwrap()).await.unwrap();
    assert_eq!(answer.status(), 202, "{}", answer.text().await.unwrap());
}

fn signed(url: &str, credentials: Credentials, body: String) -> http::Request<String> {
    let identity: Identity = credentials.into();
    let parameters = SigningParams::builder()
        .identity(&identity)
        .region(super::deployed::REGION)
        .name("lambda")
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()
        .unwrap()
        .into();
    let signable =
        SignableRequest::new("POST", url, [HEADER].into_iter(), SignableBody::Bytes(body.as_bytes()))
            .unwrap();
    let (signature, _) = sign(signable, &parameters).unwrap().into_parts();
    let mut request = http::Request::post(url).header(HEADER.0, HEADER.1).body(body).unwrap();
    signature.apply_to_request_http1x(&mut request);
    request
}
