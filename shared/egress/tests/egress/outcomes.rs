//! What is known after each kind of failure: nothing left, perhaps something did, or the receiver answered.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use muster_app::ports::{Call, Egress};
use muster_domain::outcome::Outcome;
use muster_domain::time::Time;
use muster_egress::{EgressPolicy, HttpEgress, Lookup};
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::receiver::{Behaviour, Receiver};
use crate::sender::{FixedSecrets, Names, Sender, answered, request};

async fn send_to(behaviour: Behaviour, scheme: &str) -> (Outcome, usize) {
    let receiver = Receiver::start(behaviour).await;
    let sender = Sender::allowing(&[format!("127.0.0.1:{}", receiver.port())]);
    let outcome = sender.send(&request(format!("{scheme}://127.0.0.1:{}/", receiver.port()))).await;
    (outcome, receiver.connections())
}

fn unsent(outcome: Outcome) -> String {
    let Outcome::Unsent { reason } = outcome else { panic!("{outcome:?}") };
    reason
}

fn unknown(outcome: Outcome) -> String {
    let Outcome::Unknown { reason } = outcome else { panic!("{outcome:?}") };
    reason
}

#[tokio::test]
async fn a_refused_connection_is_unsent() {
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let sender = Sender::allowing(&[address.to_string()]);
    let reason = unsent(sender.send(&request(format!("http://{address}/token=x"))).await);
    assert!(reason.starts_with("connecting failed: Connection refused"), "{reason}");
}

#[tokio::test]
async fn a_name_without_an_address_is_unsent() {
    for (names, expected) in [
        (Names::default(), "the host name could not be resolved: no such name"),
        (Names::answering(&[&[]]), "connecting failed: "),
    ] {
        let sender = Sender::with(&[], names, FixedSecrets::default());
        let reason = unsent(sender.send(&request("http://receiver.test/")).await);
        assert!(reason.starts_with(expected), "{reason}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_service_that_hangs_is_unsent_however_short_the_call() {
    struct Hanging;
    #[async_trait]
    impl Lookup for Hanging {
        async fn lookup(&self, _host: &str) -> io::Result<Vec<IpAddr>> {
            std::future::pending().await
        }
    }
    let secrets = Arc::new(FixedSecrets::default());
    let egress = HttpEgress::with_lookup(EgressPolicy::default(), secrets, Arc::new(Hanging)).unwrap();
    for (timeout, took) in [(1, 1), (20, 5)] {
        let begin = Instant::now();
        let timeout = Duration::from_secs(timeout);
        let request = request("http://receiver.test/");
        let call = Call {
            request: &request,
            idempotency_key: "k",
            attempt_id: "a",
            timeout,
            now: Time::EPOCH,
            callback: None,
        };
        assert_eq!(unsent(egress.send(call).await), "connecting timed out");
        assert_eq!(begin.elapsed().as_secs(), took);
    }
}

#[tokio::test]
async fn a_failed_tls_handshake_is_unsent() {
    for behaviour in [Behaviour::Blurt(b"HTTP/1.1 400 Bad Request\r\n\r\n"), Behaviour::Reset] {
        let (outcome, connections) = send_to(behaviour, "https").await;
        let reason = unsent(outcome);
        assert!(reason.starts_with("connecting failed: "), "{reason}");
        assert_eq!(connections, 1);
    }
}

#[tokio::test]
async fn a_tls_handshake_that_hangs_is_unsent() {
    let mut receiver = Receiver::start(Behaviour::Hang(b"")).await;
    let sender = Sender::allowing(&[format!("127.0.0.1:{}", receiver.port())]);
    for timeout in [Duration::from_secs(1), Duration::from_secs(20)] {
        let request = request(format!("https://127.0.0.1:{}/", receiver.port()));
        let arrival = async {
            receiver.connected().await;
            tokio::time::pause();
        };
        let (outcome, ()) = tokio::join!(sender.send_within(timeout, &request), arrival);
        assert_eq!(unsent(outcome), "connecting timed out");
        tokio::time::resume();
    }
}

#[tokio::test]
async fn inv_b1_a_connection_that_breaks_before_an_answer_is_unknown_and_not_tried_again() {
    for behaviour in [
        Behaviour::Reset,
        Behaviour::Answer(b""),
        Behaviour::Answer(b"HTTP/1.1 20"),
        Behaviour::Answer(b"SSH-2.0-OpenSSH_9.6\r\n"),
        Behaviour::Answer(b"\0\x01\x02\xff garbage"),
        Behaviour::Answer(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n"),
    ] {
        let (outcome, connections) = send_to(behaviour, "http").await;
        let reason = unknown(outcome);
        assert!(reason.starts_with("the connection failed before an answer: "), "{reason}");
        assert!(!reason.contains("127.0.0.1"), "{reason}");
        assert_eq!(connections, 1, "{behaviour:?}");
    }
}

#[tokio::test]
async fn a_url_that_no_request_line_can_hold_is_refused() {
    let sender = Sender::allowing(&[]);
    let outcome = sender.send(&request(format!("https://example.com/{}", "a".repeat(70_000)))).await;
    let reason = "the HTTP client cannot express the URL".into();
    assert_eq!(outcome, Outcome::Refused { reason });
    assert_eq!(sender.names.asked(), 0);
}

#[tokio::test]
async fn a_body_that_breaks_keeps_its_status_and_what_was_read() {
    for answer in [
        &b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf"[..],
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nnonsense",
    ] {
        let (outcome, _) = send_to(Behaviour::Answer(answer), "http").await;
        let expected =
            Outcome::Answered { status: 200, retry_after_ms: None, body: "half".into(), truncated: true };
        assert_eq!(outcome, expected);
    }
}

#[tokio::test]
async fn an_answer_is_kept_as_plain_text() {
    for (answer, expected) in [
        (&b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone"[..], answered(200, "done")),
        (b"HTTP/1.1 204 No Content\r\n\r\n", answered(204, "")),
        (b"HTTP/1.0 404 Not Found\r\n\r\nuntil the end", answered(404, "until the end")),
        (b"HTTP/1.1 500 X\r\nContent-Length: 9\r\n\r\na\0b\x1b[1m\r\n", answered(500, "ab[1m\n")),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n\xffa\xfe", answered(200, "\u{fffd}a\u{fffd}")),
    ] {
        assert_eq!(send_to(Behaviour::Answer(answer), "http").await.0, expected);
    }
}

#[tokio::test]
async fn retry_after_is_passed_on_in_both_forms() {
    for (answer, expected) in [
        (&b"HTTP/1.1 503 X\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n"[..], Some(7_000)),
        (
            b"HTTP/1.1 429 X\r\nRetry-After: Tue, 14 Nov 2023 22:13:30 GMT\r\nContent-Length: 0\r\n\r\n",
            Some(10_000),
        ),
        (b"HTTP/1.1 503 X\r\nRetry-After: whenever\r\nContent-Length: 0\r\n\r\n", None),
    ] {
        let outcome = send_to(Behaviour::Answer(answer), "http").await.0;
        let Outcome::Answered { retry_after_ms, .. } = outcome else { panic!("{outcome:?}") };
        assert_eq!(retry_after_ms, expected);
    }
}
