//! Faults of DynamoDB that no engine shows on demand, put between the real client and the engine.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::config::{HttpClient, RuntimeComponents, SharedHttpClient};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

use super::dynamo::plain_http;

/// What happens to one request instead of what should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Answered with this error; nothing is done.
    Refused(&'static str),
    /// A transaction is cancelled for these reasons; nothing is done.
    Cancelled(&'static [&'static str]),
    /// Done, but the answer never arrives.
    AnswerLost,
    /// A batch is answered with every key left unprocessed.
    Unprocessed,
    /// Answered with this row of an index, as it once was.
    Stale(Vec<(&'static str, String)>),
}

/// The faults to come, each for the next request of its operation, and the requests that were made.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults(Arc<Mutex<Script>>);

#[derive(Debug, Default)]
struct Script {
    coming: VecDeque<(&'static str, Fault)>,
    seen: Vec<(String, Value)>,
}

impl Faults {
    /// `times` requests for `operation` meet `fault`.
    pub(crate) fn expect(&self, operation: &'static str, fault: Fault, times: usize) {
        let faults = std::iter::repeat_n((operation, fault), times);
        self.0.lock().unwrap().coming.extend(faults);
    }

    /// How many faults have not happened.
    pub(crate) fn left(&self) -> usize {
        self.0.lock().unwrap().coming.len()
    }

    /// How many requests there were for `operation`.
    pub(crate) fn requests(&self, operation: &str) -> usize {
        self.bodies(operation).len()
    }

    /// The requests that there were for `operation`.
    pub(crate) fn bodies(&self, operation: &str) -> Vec<Value> {
        let script = self.0.lock().unwrap();
        let of_it = script.seen.iter().filter(|(seen, _)| seen == operation);
        of_it.map(|(_, body)| body.clone()).collect()
    }

    /// A client whose requests meet these faults.
    pub(crate) fn http(&self) -> SharedHttpClient {
        SharedHttpClient::new(FaultyClient { faults: self.clone(), sound: plain_http() })
    }

    fn next(&self, operation: &str, body: Value) -> Option<Fault> {
        let mut script = self.0.lock().unwrap();
        script.seen.push((operation.to_owned(), body));
        let place = script.coming.iter().position(|(expected, _)| *expected == operation)?;
        script.coming.remove(place).map(|(_, fault)| fault)
    }
}

#[derive(Debug)]
struct FaultyClient {
    faults: Faults,
    sound: SharedHttpClient,
}

impl HttpClient for FaultyClient {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        parts: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let sound = self.sound.http_connector(settings, parts);
        SharedHttpConnector::new(FaultyConnector { faults: self.faults.clone(), sound })
    }
}

#[derive(Debug)]
struct FaultyConnector {
    faults: Faults,
    sound: SharedHttpConnector,
}

impl HttpConnector for FaultyConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        let body: Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        match self.faults.next(&operation, body.clone()) {
            None => self.sound.call(request),
            Some(Fault::Refused(code)) => answer(400, error(code, json!({}))),
            Some(Fault::Cancelled(codes)) => {
                let reasons: Vec<Value> = codes.iter().map(|code| json!({ "Code": code })).collect();
                let reasons = json!({ "CancellationReasons": reasons });
                answer(400, error("TransactionCanceledException", reasons))
            }
            Some(Fault::AnswerLost) => lose_answer(self.sound.call(request)),
            Some(Fault::Unprocessed) => {
                answer(200, json!({"Responses": {}, "UnprocessedKeys": body["RequestItems"]}))
            }
            Some(Fault::Stale(row)) => answer(200, page_of(row)),
        }
    }
}

fn lose_answer(done: HttpConnectorFuture) -> HttpConnectorFuture {
    HttpConnectorFuture::new(async move {
        done.await?;
        Err(ConnectorError::io("the connection was reset".into()))
    })
}

fn answer(status: u16, body: Value) -> HttpConnectorFuture {
    let status = status.try_into().unwrap();
    let answer = HttpResponse::new(status, SdkBody::from(body.to_string()));
    HttpConnectorFuture::ready(Ok(answer))
}

fn error(code: &str, mut body: Value) -> Value {
    body["__type"] = format!("com.amazonaws.dynamodb.v20120810#{code}").into();
    body["message"] = "injected".into();
    body
}

fn page_of(row: Vec<(&'static str, String)>) -> Value {
    let attributes = row.into_iter().map(|(name, text)| (name.to_owned(), json!({ "S": text })));
    let row = Value::Object(attributes.collect());
    json!({"Items": [row], "Count": 1})
}
