//! The corpus three ways: written in the URL, answered by a name service, and as the target of a redirect.

use muster_domain::outcome::Outcome;

use crate::corpus::{self, ADDRESSES};
use crate::receiver::{Behaviour, Receiver};
use crate::sender::{FixedSecrets, Names, Sender, answered, request};

/// Nothing is ever dialled there: it stands beside a bad answer.
const GOOD: &str = "1.1.1.1";

#[tokio::test]
async fn inv_d1_no_address_of_the_corpus_is_called_as_a_literal() {
    let canary = Receiver::start(Behaviour::Recite).await;
    let sender = Sender::allowing(&[]);
    for host in corpus::hosts() {
        for scheme in ["http", "https"] {
            let url = format!("{scheme}://{host}:{}/", canary.port());
            assert_refused(&sender.send(&request(&url)).await, &url);
        }
    }
    assert_eq!((canary.connections(), sender.names.asked()), (0, 0));
}

#[tokio::test]
async fn inv_d2_no_address_of_the_corpus_is_called_as_an_answer_alone_or_beside_a_good_one() {
    let canary = Receiver::start(Behaviour::Recite).await;
    let sender = Sender::allowing(&[]);
    let url = format!("http://receiver.test:{}/", canary.port());
    for bad in ADDRESSES {
        for answer in [&[*bad][..], &[bad, GOOD], &[GOOD, bad], &[GOOD, bad, GOOD]] {
            sender.names.answer(&[answer]);
            assert_refused(&sender.send(&request(&url)).await, bad);
        }
    }
    assert_eq!(canary.connections(), 0);
}

#[tokio::test]
async fn inv_d3_no_address_of_the_corpus_is_called_as_a_redirects_target() {
    let canary = Receiver::start(Behaviour::Recite).await;
    let receiver = Receiver::start(Behaviour::Recite).await;
    let sender = Sender::allowing(&[format!("127.0.0.1:{}", receiver.port())]);
    for host in corpus::hosts() {
        for status in [302, 307, 308] {
            let outcome =
                redirect(&sender, &receiver, status, &format!("http://{host}:{}/", canary.port())).await;
            assert_eq!(outcome, answered(status, ""), "{host}");
        }
    }
    assert_eq!((canary.connections(), sender.names.asked()), (0, 0));
}

#[tokio::test]
async fn inv_d3_a_redirect_is_not_followed_even_to_an_open_target() {
    let other = Receiver::start(Behaviour::Recite).await;
    let receiver = Receiver::start(Behaviour::Recite).await;
    let sender = Sender::allowing(&[receiver.port(), other.port()].map(|port| format!("127.0.0.1:{port}")));
    for status in [301, 302, 303, 307, 308] {
        for target in [other.url(), receiver.url(), "/elsewhere".into()] {
            assert_eq!(redirect(&sender, &receiver, status, &target).await, answered(status, ""), "{target}");
        }
    }
    assert_eq!((other.connections(), receiver.connections()), (0, 15));
}

async fn redirect(sender: &Sender, receiver: &Receiver, status: u16, target: &str) -> Outcome {
    let mut request = request(receiver.url());
    request.body = format!("HTTP/1.1 {status} Elsewhere\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n");
    sender.send(&request).await
}

#[tokio::test]
async fn inv_d2_the_address_checked_is_the_address_dialled() {
    let mut receiver = Receiver::start(Behaviour::Echo).await;
    let target = format!("receiver.test:{}", receiver.port());
    // A name that changes its answer: a second lookup would dial where nothing listens.
    let names = Names::answering(&[&["127.0.0.1"], &["127.0.0.77"]]);
    let sender = Sender::with(std::slice::from_ref(&target), names, FixedSecrets::default());
    let outcome = sender.send(&request(format!("http://{target}/"))).await;
    assert!(matches!(outcome, Outcome::Answered { status: 200, .. }), "{outcome:?}");
    assert_eq!(sender.names.asked(), 1);
    assert!(receiver.request().await.contains(&format!("host: {target}\r\n")));
}

#[tokio::test]
async fn inv_d1_an_open_name_opens_no_other_port_and_no_other_name() {
    let open = Receiver::start(Behaviour::Echo).await;
    let closed = Receiver::start(Behaviour::Echo).await;
    let targets = ["localhost", "receiver.test", "127.0.0.1"].map(|host| format!("{host}:{}", open.port()));
    let sender = Sender::with(&targets, Names::answering(&[&["127.0.0.1"]]), FixedSecrets::default());
    for target in &targets {
        let outcome = sender.send(&request(format!("http://{target}/"))).await;
        assert!(matches!(outcome, Outcome::Answered { status: 200, .. }), "{target}: {outcome:?}");
    }
    for target in [
        format!("localhost:{}", closed.port()),
        format!("receiver.test:{}", closed.port()),
        format!("127.0.0.1:{}", closed.port()),
        // Names and addresses that lead to the open receiver, but were not opened themselves.
        format!("other.test:{}", open.port()),
        format!("a.receiver.test:{}", open.port()),
        format!("receiver.test.:{}", open.port()),
        format!("[::ffff:127.0.0.1]:{}", open.port()),
        format!("0.0.0.0:{}", open.port()),
    ] {
        assert_refused(&sender.send(&request(format!("http://{target}/"))).await, &target);
    }
    assert_eq!((open.connections(), closed.connections()), (3, 0));
}

fn assert_refused(outcome: &Outcome, what: &str) {
    let Outcome::Refused { reason } = outcome else { panic!("{what}: {outcome:?}") };
    assert!(!reason.contains("http"), "a reason must not hold the URL: {reason}");
}
