//! What a receiver can make Muster hold, and for how long (INVARIANTS D5). Time is virtual from the moment the request arrived.

use std::time::Duration;

use muster_domain::outcome::Outcome;
use muster_egress::LONGEST_CALL;
use tokio::time::Instant;

use crate::receiver::{Behaviour, Receiver};
use crate::sender::{Sender, answered, request};

const BOUND: usize = 64 * 1024;
const NO_ANSWER: &str = "no answer in time";

async fn open(behaviour: Behaviour) -> (Receiver, Sender) {
    let receiver = Receiver::start(behaviour).await;
    let sender = Sender::allowing(&[format!("127.0.0.1:{}", receiver.port())]);
    (receiver, sender)
}

/// Sends, and lets time run as soon as the receiver has the request; returns how long it took.
async fn send_to_the_end(receiver: &mut Receiver, sender: &Sender, timeout: Duration) -> (Outcome, Duration) {
    let begin = Instant::now();
    let request = request(receiver.url());
    let arrival = async {
        receiver.request().await;
        tokio::time::pause();
    };
    let (outcome, ()) = tokio::join!(sender.send_within(timeout, &request), arrival);
    (outcome, begin.elapsed())
}

/// The body and whether it was cut.
fn read_body(outcome: Outcome, expected: u16) -> (String, bool) {
    let Outcome::Answered { status, body, truncated, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(status, expected);
    (body, truncated)
}

#[tokio::test]
async fn inv_d5_a_receiver_that_never_answers_is_left_at_the_timeout() {
    let (mut receiver, sender) = open(Behaviour::Hang(b"")).await;
    let (outcome, took) = send_to_the_end(&mut receiver, &sender, Duration::from_secs(7)).await;
    assert_eq!(outcome, Outcome::Unknown { reason: NO_ANSWER.into() });
    assert_eq!(took.as_secs(), 7);
    receiver.closed().await;
}

#[tokio::test]
async fn inv_d5_no_definition_can_ask_for_more_than_the_longest_call() {
    let (mut receiver, sender) = open(Behaviour::Hang(b"HTTP/1.1 200 OK\r\nX-Half")).await;
    let (outcome, took) = send_to_the_end(&mut receiver, &sender, Duration::MAX).await;
    assert_eq!(outcome, Outcome::Unknown { reason: NO_ANSWER.into() });
    assert_eq!(took.as_secs(), LONGEST_CALL.as_secs());
    assert_eq!(LONGEST_CALL.as_secs(), 20);
}

#[tokio::test]
async fn inv_d5_a_body_that_drips_is_cut_at_the_timeout_and_keeps_its_status() {
    let (mut receiver, sender) = open(Behaviour::Drip(b"HTTP/1.1 202 Accepted\r\n\r\n")).await;
    let (outcome, took) = send_to_the_end(&mut receiver, &sender, Duration::from_secs(20)).await;
    let (body, truncated) = read_body(outcome, 202);
    assert!(body.len() > 10 && body.bytes().all(|byte| byte == b'.'), "{body:?}");
    assert!(truncated);
    assert_eq!(took.as_secs(), 20);
    receiver.closed().await;
}

#[tokio::test]
async fn inv_d5_a_body_that_stops_is_cut_at_the_timeout() {
    let (mut receiver, sender) =
        open(Behaviour::Hang(b"HTTP/1.1 500 No\r\nContent-Length: 9\r\n\r\nhalf")).await;
    let (outcome, _) = send_to_the_end(&mut receiver, &sender, Duration::from_secs(3)).await;
    let expected =
        Outcome::Answered { status: 500, retry_after_ms: None, body: "half".into(), truncated: true };
    assert_eq!(outcome, expected);
}

#[tokio::test]
async fn inv_d5_an_endless_body_is_cut_at_the_bound_and_the_connection_closed() {
    for head in [&b"HTTP/1.1 200 OK\r\n\r\n"[..], b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999999\r\n\r\n"]
    {
        let (mut receiver, sender) = open(Behaviour::Endless(head, b"abcdefghijklmnop")).await;
        let (body, truncated) = read_body(sender.send(&request(receiver.url())).await, 200);
        assert_eq!((body.len(), truncated), (BOUND, true));
        receiver.closed().await;
    }
}

#[tokio::test]
async fn inv_d5_endless_chunks_are_cut_at_the_bound() {
    let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let (mut receiver, sender) = open(Behaviour::Endless(head, b"4\r\nabcd\r\n")).await;
    let (body, truncated) = read_body(sender.send(&request(receiver.url())).await, 200);
    assert_eq!((body.len(), truncated), (BOUND, true));
    receiver.closed().await;
}

#[tokio::test]
async fn inv_d5_a_body_at_the_bound_is_whole_and_one_byte_more_is_cut() {
    let (receiver, sender) = open(Behaviour::Recite).await;
    for (length, kept, cut) in [(BOUND, BOUND, false), (BOUND + 1, BOUND, true)] {
        let mut request = request(receiver.url());
        let body = "x".repeat(length);
        request.body = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}");
        let (body, truncated) = read_body(sender.send(&request).await, 200);
        assert_eq!((body.len(), truncated), (kept, cut));
    }
}

#[tokio::test]
async fn inv_d5_endless_headers_are_an_answer_that_cannot_be_read() {
    for (head, again) in [
        (&b"HTTP/1.1 200 OK\r\n"[..], &b"x-more: 1\r\n"[..]),
        (b"HTTP/1.1 200 OK\r\nx-long: ", b"aaaaaaaaaaaaaaaa"),
        (b"HTTP/1.1 200 ", b"reason reason reason "),
    ] {
        let (mut receiver, sender) = open(Behaviour::Endless(head, again)).await;
        let outcome = sender.send(&request(receiver.url())).await;
        assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}");
        receiver.closed().await;
    }
}

#[tokio::test]
async fn inv_d5_sixty_four_headers_are_read_and_one_more_is_not() {
    let (receiver, sender) = open(Behaviour::Recite).await;
    for (headers, readable) in [(64, true), (65, false)] {
        let mut request = request(receiver.url());
        let more = "x-more: 1\r\n".repeat(headers - 1);
        request.body = format!("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n{more}\r\n");
        let outcome = sender.send(&request).await;
        assert_eq!(matches!(outcome, Outcome::Answered { .. }), readable, "{headers}: {outcome:?}");
    }
}

#[tokio::test]
async fn inv_d5_a_compressed_body_is_not_unpacked_and_none_is_asked_for() {
    const GZIPPED: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 28\r\n\r\n\
        \x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x2b\xcd\x2b\x48\x4c\xce\x4e\x4d\x01\x00\x96\x62\x2f\xca\x08\x00\x00\x00";
    let (mut receiver, sender) = open(Behaviour::Answer(GZIPPED)).await;
    let (body, _) = read_body(sender.send(&request(receiver.url())).await, 200);
    assert!(body.contains('\u{fffd}') && !body.contains("unpacked"), "{body:?}");
    assert!(!receiver.request().await.to_lowercase().contains("accept-encoding"));
}

#[tokio::test]
async fn inv_d5_a_connection_is_never_kept() {
    let (receiver, sender) = open(Behaviour::Recite).await;
    for made in 1..=3 {
        let mut request = request(receiver.url());
        request.body = "HTTP/1.1 204 No Content\r\nConnection: keep-alive\r\n\r\n".into();
        assert_eq!(sender.send(&request).await, answered(204, ""));
        assert_eq!(receiver.connections(), made);
    }
}
