//! A caller of a running server, over the network and with a token.

use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;

use super::server::{Server, run, text};

#[derive(Clone)]
pub(crate) struct Person {
    http: Client,
    url: String,
    /// Empty: no token at all.
    token: String,
}

/// What the server said, or that it said nothing.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Person {
    /// With a token that `muster token` issues.
    pub(crate) fn of(server: &Server, user: &str, groups: &[&str]) -> Self {
        let data = server.data.to_str().unwrap();
        let mut arguments = vec!["token", "--data", data, "--user", user];
        arguments.extend(groups.iter().flat_map(|group| ["--group", group]));
        let issued = run(&arguments);
        assert!(issued.status.success(), "{}", text(&issued.stderr));
        Self::with_token(server, text(&issued.stdout).trim())
    }

    pub(crate) fn with_token(server: &Server, token: &str) -> Self {
        Self::at(&server.url, token)
    }

    /// Of any Muster, local or not.
    pub(crate) fn at(url: &str, token: &str) -> Self {
        let http = Client::builder().no_proxy().build().unwrap();
        Self { http, url: url.to_owned(), token: token.to_owned() }
    }

    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.try_send(Method::GET, path, None).await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.try_send(Method::POST, path, Some(body)).await.unwrap()
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        self.try_send(Method::PUT, path, Some(body)).await.unwrap()
    }

    /// With an `Idempotency-Key`.
    pub(crate) async fn post_once(&self, key: &str, path: &str, body: Value) -> Answer {
        let request = self.request(Method::POST, path).header("idempotency-key", key).json(&body);
        answer_to(request).await.unwrap()
    }

    /// `Err` if there was no whole answer, as when the server is killed.
    pub(crate) async fn try_post(&self, path: &str, body: Value) -> reqwest::Result<Answer> {
        self.try_send(Method::POST, path, Some(body)).await
    }

    async fn try_send(&self, method: Method, path: &str, body: Option<Value>) -> reqwest::Result<Answer> {
        let request = self.request(method, path);
        answer_to(match body {
            Some(body) => request.json(&body),
            None => request,
        })
        .await
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        if self.token.is_empty() { request } else { request.bearer_auth(&self.token) }
    }
}

async fn answer_to(request: RequestBuilder) -> reqwest::Result<Answer> {
    let response = request.send().await?;
    Ok(Answer { status: response.status().as_u16(), body: response.json().await? })
}

impl Answer {
    /// The body, if the status is this one.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }
}
