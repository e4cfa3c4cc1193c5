//! A person of the demo: asks the server over HTTP with a token, as anybody would.

use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;

use super::DemoError;

pub(super) struct Person {
    pub(super) name: &'static str,
    pub(super) groups: &'static [&'static str],
    pub(super) token: String,
    pub(super) server: String,
    pub(super) http: Client,
}

/// What the server said.
pub(super) struct Answer {
    doing: String,
    pub(super) status: u16,
    pub(super) body: Value,
}

impl Person {
    pub(super) async fn get(&self, path: &str) -> Result<Answer, DemoError> {
        self.ask(Method::GET, path, |request| request).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Answer, DemoError> {
        self.ask(Method::POST, path, |request| request.json(body)).await
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        complete: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Result<Answer, DemoError> {
        let doing = format!("{}: {method} {path}", self.name);
        let request = self.http.request(method, format!("{}{path}", self.server)).bearer_auth(&self.token);
        Answer::to(doing, complete(request)).await
    }
}

impl Answer {
    /// Sends the request and reads what the server says.
    pub(super) async fn to(doing: String, request: RequestBuilder) -> Result<Self, DemoError> {
        let failed = |source| DemoError::Http { doing: doing.clone(), source };
        let response = request.send().await.map_err(failed)?;
        let status = response.status().as_u16();
        let body = response.json().await.map_err(failed)?;
        Ok(Self { doing, status, body })
    }

    /// The body, if the server answered as it should.
    pub(super) fn expect(self, status: u16) -> Result<Value, DemoError> {
        if self.status == status {
            return Ok(self.body);
        }
        Err(DemoError::Unexpected {
            doing: self.doing,
            expected: status.to_string(),
            seen: format!("{} {}", self.status, self.body),
        })
    }
}

/// The text at a JSON pointer of an answer; empty if there is none.
pub(super) fn text<'v>(body: &'v Value, pointer: &str) -> &'v str {
    body.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// What stands at a JSON pointer of an answer; `null` if nothing does.
pub(super) fn part<'v>(body: &'v Value, pointer: &str) -> &'v Value {
    body.pointer(pointer).unwrap_or(&Value::Null)
}

/// The list at a JSON pointer of an answer; empty if there is none.
pub(super) fn list<'v>(body: &'v Value, pointer: &str) -> &'v [Value] {
    part(body, pointer).as_array().map_or(&[], Vec::as_slice)
}
