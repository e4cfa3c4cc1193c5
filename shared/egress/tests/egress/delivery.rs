//! What arrives at a receiver that behaves.

use muster_domain::outcome::Outcome;
use muster_domain::request::{ContentType, HeaderValue, WebhookMethod};

use crate::receiver::{Behaviour, Receiver};
use crate::sender::{Sender, request};

#[tokio::test]
async fn a_request_arrives_as_it_was_rendered() {
    let mut receiver = Receiver::start(Behaviour::Echo).await;
    let sender = Sender::allowing(&[format!("127.0.0.1:{}", receiver.port())]);
    for (method, line) in [
        (WebhookMethod::Post, "POST /hook?a=%20b HTTP/1.1\r\n"),
        (WebhookMethod::Put, "PUT /hook?a=%20b HTTP/1.1\r\n"),
        (WebhookMethod::Patch, "PATCH /hook?a=%20b HTTP/1.1\r\n"),
        (WebhookMethod::Get, "GET /hook?a=%20b HTTP/1.1\r\n"),
    ] {
        let mut request = request(receiver.url() + "?a=%20b");
        request.method = method;
        request.content_type = ContentType::Text;
        request.body = "exactly\nthis é \0".into();
        request.headers = vec![("X-Team".into(), HeaderValue::Text("platform".into()))];
        let outcome = sender.send(&request).await;
        assert!(matches!(outcome, Outcome::Answered { status: 200, .. }), "{outcome:?}");
        let seen = receiver.request().await;
        assert!(seen.starts_with(line), "{seen}");
        assert!(seen.ends_with("\r\n\r\nexactly\nthis é \0"), "{seen}");
        for header in [
            "x-team: platform",
            "content-type: text/plain; charset=utf-8",
            "idempotency-key: ex_1.restart",
            "webhook-id: ex_1.restart",
            "webhook-timestamp: 1700000000",
            "muster-attempt-id: ex_1.restart.1",
            "content-length: 17",
            "connection: close",
        ] {
            assert_eq!(seen.matches(&format!("\r\n{header}\r\n")).count(), 1, "{header} in {seen}");
        }
    }
}

#[tokio::test]
async fn inv_e1_a_header_that_would_end_a_line_sends_nothing() {
    let receiver = Receiver::start(Behaviour::Echo).await;
    let sender = Sender::allowing(&[format!("127.0.0.1:{}", receiver.port())]);
    for (name, value) in [
        ("x-a", "1\r\nx-evil: 1"),
        ("x-a", "1\r\n\r\nPOST /evil HTTP/1.1"),
        ("x-a\r\nx-evil", "1"),
        ("x-a: 1\r\nx-evil", "1"),
        ("x-a", "\n"),
        ("x-a", "\0"),
        ("host", "169.254.169.254"),
        ("transfer-encoding", "chunked"),
        ("content-length", "0"),
    ] {
        let mut request = request(receiver.url());
        request.headers = vec![(name.into(), HeaderValue::Text(value.into()))];
        let outcome = sender.send(&request).await;
        assert!(matches!(outcome, Outcome::Refused { .. }), "{name:?}: {outcome:?}");
    }
    assert_eq!(receiver.connections(), 0);
}
