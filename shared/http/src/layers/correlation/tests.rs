use std::io;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::routing::post;
use axum::{Router, middleware};
use serde_json::Value;
use tower::ServiceExt;

use super::*;

#[test]
fn a_valid_id_is_kept_and_any_other_is_replaced() {
    let of = |text: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, text.parse().expect("a header value"));
        CorrelationId::of(&headers).0
    };
    assert_eq!(of("Root-1_a.b"), "Root-1_a.b");
    assert_eq!(of(&"a".repeat(128)), "a".repeat(128));
    for text in ["", "a b", "a\"b", &"a".repeat(129)] {
        assert_eq!(of(text).len(), 26, "{text}");
    }
    assert_ne!(CorrelationId::new(), CorrelationId::new());
}

/// What is logged, kept for the test.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("not poisoned").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The log of one request by ann.
async fn logged(uri: &str, body: &'static str) -> String {
    let lines = Lines::default();
    let sink = lines.clone();
    let subscriber = tracing_subscriber::fmt().json().with_writer(move || sink.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let router =
        Router::new().route("/things/{id}", post(|| async { "done" })).layer(middleware::from_fn(correlate));
    let mut request = Request::post(uri).header(HEADER, "drill-7").body(Body::from(body)).expect("a request");
    let ann = Principal::from_groups("ann".parse().expect("a user id"), []);
    request.extensions_mut().insert(ann);
    let response = router.oneshot(request).await.expect("an answer");
    assert_eq!(response.headers()[HEADER], "drill-7");
    let bytes = lines.0.lock().expect("not poisoned").clone();
    String::from_utf8(bytes).expect("text")
}

#[tokio::test]
async fn a_request_leaves_one_line_that_says_who_asked_what_and_how_it_ended() {
    let line = logged("/things/7", "").await;
    let record: Value = serde_json::from_str(&line).expect("one JSON object");
    let span = &record["span"];
    assert_eq!(span["correlation_id"], "drill-7");
    assert_eq!(span["user_id"], "ann");
    assert_eq!((&span["method"], &span["route"]), (&"POST".into(), &"/things/{id}".into()));
    assert_eq!(record["fields"]["status"], 200);
    assert!(record["fields"]["ms"].is_u64());
}

#[tokio::test]
async fn inv_f3_neither_query_nor_body_is_logged() {
    for uri in ["/things/7?token=hunter2", "/nothing/hunter2?token=hunter2"] {
        let line = logged(uri, "{\"password\": \"hunter2\"}").await;
        assert!(line.contains("drill-7") && !line.contains("hunter2"), "{line}");
    }
}
