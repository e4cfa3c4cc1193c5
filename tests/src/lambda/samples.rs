//! The samples under `events/`, and events made of them.

use std::fs;
use std::path::PathBuf;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use muster_app::job::{Job, MESSAGE_VERSION, Message};
use serde_json::{Value, json};

use crate::support::lambda::Function;

/// The sample `name`, as in `apigw/create-runbook`.
pub(crate) fn sample(name: &str) -> Value {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("../events").join(name).with_extension("json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// A request as API Gateway hands it to a function.
pub(crate) struct Request(Value);

/// What the client of API Gateway gets.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u64,
    pub(crate) headers: Value,
    pub(crate) body: Value,
}

impl Request {
    pub(crate) fn sample(name: &str) -> Self {
        Self(sample(&format!("apigw/{name}")))
    }

    pub(crate) fn to(mut self, method: &str, path: &str) -> Self {
        self.0["requestContext"]["http"]["method"] = json!(method);
        self.0["requestContext"]["http"]["path"] = json!(path);
        self.0["rawPath"] = json!(path);
        self
    }

    pub(crate) fn query(mut self, query: &str) -> Self {
        self.0["rawQueryString"] = json!(query);
        self
    }

    pub(crate) fn with_body(mut self, body: &Value) -> Self {
        self.0["headers"]["content-type"] = json!("application/json");
        self.0["body"] = json!(body.to_string());
        self
    }

    /// As API Gateway brings a body that it does not take for text.
    pub(crate) fn with_bytes(mut self, body: &[u8]) -> Self {
        self.0["headers"]["content-type"] = json!("application/octet-stream");
        self.0["body"] = json!(BASE64_STANDARD.encode(body));
        self.0["isBase64Encoded"] = json!(true);
        self
    }

    pub(crate) fn with_header(mut self, name: &str, value: &str) -> Self {
        self.0["headers"][name] = json!(value);
        self
    }

    /// With a verified token of this user. API Gateway writes a list of groups as `[a b]`.
    pub(crate) fn by(mut self, user: &str, groups: &str) -> Self {
        let claims = &mut self.0["requestContext"]["authorizer"]["jwt"]["claims"];
        claims["sub"] = json!(user);
        claims["cognito:groups"] = json!(groups);
        self
    }

    /// As on a route without an authorizer, whatever its headers say.
    pub(crate) fn without_claims(mut self) -> Self {
        self.0["requestContext"].as_object_mut().unwrap().remove("authorizer");
        self
    }

    pub(crate) async fn send(&self, function: &Function) -> Answer {
        let answer = function.answer(&self.0).await;
        let text = answer["body"].as_str().unwrap();
        let body = if text.is_empty() { Value::Null } else { serde_json::from_str(text).unwrap() };
        Answer { status: answer["statusCode"].as_u64().unwrap(), headers: answer["headers"].clone(), body }
    }
}

impl Answer {
    /// The body, if the status is this one.
    #[track_caller]
    pub(crate) fn expect(self, status: u64) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        self.body
    }
}

/// A batch of these bodies, with the ids `m0`, `m1` and so on.
pub(crate) fn batch<'b>(bodies: impl IntoIterator<Item = &'b str>) -> Value {
    let one = sample("sqs/one-job")["Records"][0].clone();
    let record = |(number, body): (usize, &str)| {
        let mut record = one.clone();
        record["messageId"] = json!(format!("m{number}"));
        record["body"] = json!(body);
        record
    };
    json!({"Records": bodies.into_iter().enumerate().map(record).collect::<Vec<_>>()})
}

/// What a function answers to a batch of which these ids failed.
pub(crate) fn failures<const N: usize>(ids: [&str; N]) -> Value {
    let ids: Vec<Value> = ids.into_iter().map(|id| json!({"itemIdentifier": id})).collect();
    json!({"batchItemFailures": ids})
}

#[test]
fn the_samples_of_jobs_are_what_is_sent() {
    let job = Job::Run { execution: "ex_01J9Z3W2B4C6D8E0F2G4H6J8K0".parse().unwrap() };
    let delivery = Job::Deliver { incident: "inc_01J9Z3X4C6D8E0F2G4H6J8K0M2".parse().unwrap(), seq: 3 };
    let notification = Job::Notify { execution: "ex_01J9Z3W2B4C6D8E0F2G4H6J8K0".parse().unwrap(), number: 1 };
    let asking = Job::Tell {
        execution: "ex_01J9Z3W2B4C6D8E0F2G4H6J8K0".parse().unwrap(),
        step: "ask".parse().unwrap(),
        round: 1,
        number: 1,
    };
    let message =
        |job: &Job, correlation_id| Message { v: MESSAGE_VERSION, job: job.clone(), correlation_id };
    let correlated = || Some("c-1".to_owned());
    for (name, message) in [
        ("jobs/run", message(&job, correlated())),
        ("jobs/run-without-correlation", message(&job, None)),
        ("jobs/deliver", message(&delivery, correlated())),
        ("jobs/notify", message(&notification, correlated())),
        ("jobs/tell", message(&asking, correlated())),
    ] {
        assert_eq!(serde_json::to_value(&message).unwrap(), sample(name), "{name}");
        assert_eq!(serde_json::from_value::<Message>(sample(name)).unwrap(), message, "{name}");
    }
}

#[test]
fn the_samples_of_batches_hold_the_samples_of_jobs() {
    let body = |name: &str, number: usize| {
        let text = sample(name)["Records"][number]["body"].as_str().unwrap().to_owned();
        serde_json::from_str::<Value>(&text).unwrap()
    };
    assert_eq!(body("sqs/one-job", 0), sample("jobs/run"));
    assert_eq!(body("sqs/dead-letter", 0), sample("jobs/run"));
    assert_eq!(body("sqs/poison-and-good", 1), sample("jobs/run"));
}
