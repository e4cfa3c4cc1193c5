//! Deliveries of monitoring tools at the real API function: verified over the bytes that the sender signed.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::installation::{Installation, SECRET_PREFIX};
use super::samples::{Answer, Request, sample};
use crate::support::lambda::Function;

const SECRET: &str = "canary-77b1";

/// As PagerDuty signs.
fn signature(secret: &str, bytes: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(bytes);
    let signature = mac.finalize().into_bytes();
    format!("v1={}", signature.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

/// The path of a new hook for PagerDuty.
async fn hook(installation: &Installation, api: &Function) -> String {
    installation.secrets.hold(&format!("{SECRET_PREFIX}hooks/pagerduty"), json!({"SecretString": SECRET}));
    let integration = json!({
        "name": "PagerDuty", "teamId": "payments", "source": "pagerduty",
        "scheme": {"type": "pagerduty"}, "secrets": ["hooks/pagerduty"],
    });
    let create = Request::sample("create-runbook").to("POST", "/api/integrations").with_body(&integration);
    create.send(api).await.expect(201)["deliveryPath"].as_str().unwrap().to_owned()
}

async fn incidents(api: &Function) -> Vec<Value> {
    let list = Request::sample("get-execution").to("GET", "/api/incidents");
    list.send(api).await.expect(200)["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_delivery_in_base64_is_verified_over_the_bytes_that_were_signed() {
    let installation = Installation::start().await;
    let api = installation.function("muster-api").await;
    let hook = hook(&installation, &api).await;
    // Written otherwise than any serializer would, so that nothing but the sender's own bytes has the signature.
    let bytes = format!("\t{:#}\r\n ", sample("sources/pagerduty-webhook-triggered")).into_bytes();
    let deliver = async |body: &[u8], signature: &str| -> Answer {
        let request = Request::sample("create-runbook").to("POST", &hook).without_claims();
        request.with_bytes(body).with_header("x-pagerduty-signature", signature).send(&api).await
    };

    let other_bytes = sample("sources/pagerduty-webhook-triggered").to_string().into_bytes();
    let text_of_gateway = BASE64_STANDARD.encode(&bytes).into_bytes();
    for (wrong, of) in [("guess", &bytes), (SECRET, &other_bytes), (SECRET, &text_of_gateway)] {
        let refused = deliver(&bytes, &signature(wrong, of)).await;
        assert_eq!(refused.expect(401)["type"], "/problems/unauthenticated");
    }
    deliver(&bytes, "").await.expect(401);
    assert_eq!(incidents(&api).await, [] as [Value; 0], "nothing was kept of them");

    let right = signature(SECRET, &bytes);
    let taken = deliver(&bytes, &right).await.expect(202);
    assert_eq!(taken["accepted"], 1, "{taken}");
    assert_eq!(deliver(&bytes, &right).await.expect(202)["accepted"], 0, "the sender's repeat");
    let [incident] = incidents(&api).await.try_into().unwrap();
    assert_eq!((&incident["id"], &incident["teamId"]), (&taken["incidents"][0], &json!("payments")));
    let sent = installation.sqs.take();
    let [nudge] = sent.as_slice() else { panic!("one event to deliver, not {sent:?}") };
    let job: Value = serde_json::from_str(&nudge.body).unwrap();
    assert_eq!((&job["job"], &job["incident"]), (&json!("deliver"), &incident["id"]));
    assert!(!Value::from(api.stop()).to_string().contains("canary"), "inv_f3: the log");
}
