//! Which failures are tried again, how often, and what a script is told in the end.

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::stub::Answer;
use super::*;

fn busy() -> Answer {
    Answer::problem(503, &json!({"title": "Muster cannot do this at the moment"}))
}

fn good() -> Answer {
    Answer::ok(&json!({}))
}

async fn check(line: &str, answers: &[Answer], code: u8, requests: usize) {
    let stub = Stub::with(answers.iter().cloned()).await;
    let ran = run_on(&stub, line).await;
    assert_eq!((ran.code, stub.lines().len()), (code, requests), "{line}: {}", ran.stderr);
}

#[tokio::test]
async fn inv_b5_a_post_is_repeated_under_the_same_key() {
    let stub = Stub::with([busy(), busy(), good()]).await;
    let ran = run_on(&stub, "runbook execute RB").await;
    let asked = stub.asked();
    assert_eq!((ran.code, asked.len()), (0, 3), "{}", ran.stderr);
    assert!(asked.iter().all(|again| again.header("idempotency-key") == asked[0].header("idempotency-key")));
    assert!(asked.iter().all(|again| again.line == asked[0].line));
    assert!(ran.stderr.contains("Muster cannot do this at the moment (503); trying again"), "{}", ran.stderr);
}

#[tokio::test]
async fn tries_are_bounded() {
    check("runbook get RB", &[busy()], 6, 4).await;
    check("runbook execute RB", &[busy()], 6, 4).await;
    check("kill-switch release global --reason x", &[busy()], 6, 4).await;
}

#[tokio::test]
async fn what_will_not_pass_is_not_repeated() {
    for (status, code) in [(400, 2), (401, 4), (403, 4), (404, 3), (409, 5), (412, 5), (422, 5), (500, 1)] {
        let answer = Answer::problem(status, &json!({"title": "No"}));
        check("runbook execute RB", &[answer, good()], code, 1).await;
    }
}

/// A server that takes the first request and hangs up, and answers all after it; and the keys of its requests.
async fn hanging_up_once() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let keys = Arc::<Mutex<Vec<String>>>::default();
    let seen = Arc::clone(&keys);
    tokio::spawn(async move {
        loop {
            let (mut connection, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 4096];
            let length = connection.read(&mut request).await.unwrap();
            let head = String::from_utf8_lossy(&request[..length]).into_owned();
            let key = head.lines().find_map(|line| line.strip_prefix("idempotency-key: "));
            seen.lock().unwrap().push(key.unwrap_or("none").to_owned());
            if seen.lock().unwrap().len() > 1 {
                let answer = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}";
                connection.write_all(answer).await.unwrap();
            }
        }
    });
    (url, keys)
}

#[tokio::test]
async fn inv_b5_an_answer_that_was_lost_is_asked_for_under_the_same_key() {
    let (url, keys) = hanging_up_once().await;
    let ran = run_alone(&format!("runbook approve RB --url {url}")).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let keys = keys.lock().unwrap();
    assert_eq!((keys.len(), &keys[0]), (2, &keys[1]));
    assert!(keys[0].starts_with("muster-"), "{keys:?}");
}

#[tokio::test]
async fn a_delete_whose_answer_was_lost_is_not_repeated() {
    let (url, keys) = hanging_up_once().await;
    let ran = run_alone(&format!("runbook delete RB --url {url}")).await;
    assert_eq!((ran.code, keys.lock().unwrap().len()), (6, 1), "{}", ran.stderr);
}

#[tokio::test]
async fn what_a_second_try_would_misreport_is_sent_once() {
    check("runbook delete RB", &[busy(), good()], 6, 1).await;
    check("runbook delete RB --if-match 7", &[busy(), good()], 6, 1).await;
}

#[tokio::test]
async fn an_answer_that_is_not_musters_is_told_as_such() {
    check("queue stats", &[Answer::plain(200, "<html>")], 1, 1).await;
    check("queue stats", &[Answer::plain(404, "<html>")], 2, 1).await;
    check("queue stats", &[Answer::plain(502, "<html>")], 6, 4).await;
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_the_token_goes_nowhere_else() {
    let elsewhere = Stub::with([good()]).await;
    let redirect = Answer::plain(307, "").with("location", elsewhere.url.clone());
    let stub = Stub::with([redirect]).await;
    let ran = run_on(&stub, "queue stats").await;
    assert_eq!((ran.code, stub.lines().len(), elsewhere.lines().len()), (2, 1, 0));
    assert!(ran.stderr.contains("redirects elsewhere"), "{}", ran.stderr);
}

#[tokio::test]
async fn nobody_listening_is_unavailable_and_the_token_is_not_told() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let ran = run_alone(&format!("queue stats --url http://{address} --token hunter2")).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (6, ""));
    assert!(ran.stderr.contains(&format!("error: http://{address} gave no answer: ")), "{}", ran.stderr);
    assert!(!ran.stderr.contains("hunter2"));
}

#[tokio::test]
async fn nothing_is_asked_when_the_token_cannot_be_read() {
    let ran = run_alone("queue stats --token-file no/such/file").await;
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("reading the token file no/such/file"), "{}", ran.stderr);
}
