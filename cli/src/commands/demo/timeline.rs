//! The execution's trail and the receiver's calls as lines of one story, in the order in which they happened.

use jiff::Timestamp;
use muster_domain::time::Time;
use serde_json::Value;

use super::person::text;
use super::receiver::{Received, Signature};

/// What has been told so far.
pub(super) struct Timeline {
    start: Time,
    entries: usize,
    calls: usize,
}

impl Timeline {
    pub(super) fn new(start: Time) -> Self {
        Self { start, entries: 0, calls: 0 }
    }

    /// The lines that were not told yet. A call is told before its outcome, and with it at the latest.
    pub(super) fn news(&mut self, execution: &Value, calls: &[Received]) -> Vec<String> {
        let trail = execution.pointer("/trail").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let mut calls = calls.iter().skip(self.calls).peekable();
        let mut lines = Vec::new();
        for entry in trail.iter().skip(self.entries) {
            let at = moment(text(entry, "/at"));
            let answered = text(entry, "/event") == "outcome";
            while let Some(call) = calls.next_if(|call| call.at < at || (call.at == at && answered)) {
                lines.push(self.line(call.at, &arrival(call)));
                self.calls += 1;
            }
            lines.push(self.line(at, &transition(entry)));
        }
        self.entries = trail.len();
        lines
    }

    fn line(&self, at: Time, line: &str) -> String {
        format!("  {:>+8.3} s  {line}", at.since(self.start).as_secs_f64())
    }
}

fn transition(entry: &Value) -> String {
    let number = |pointer: &str| entry.pointer(pointer).and_then(Value::as_u64).unwrap_or_default();
    match text(entry, "/event") {
        "accepted" => format!("accepted: stored, asked for by {}", text(entry, "/by")),
        "claimed" => format!("a worker takes it (epoch {})", number("/epoch")),
        "intent" => format!("attempt {}: the intent is stored, then the request is sent", number("/attempt")),
        "outcome" => format!("attempt {}: {}", number("/attempt"), text(entry, "/outcome")),
        "waiting" => {
            let wait = moment(text(entry, "/until")).since(moment(text(entry, "/at")));
            format!("waits {:.1} s before the next attempt", wait.as_secs_f64())
        }
        "ended" => format!("ended: {}", text(entry, "/status")),
        other => other.to_owned(),
    }
}

fn arrival(call: &Received) -> String {
    let signature = match call.signature {
        Signature::Valid => "signature valid",
        Signature::Invalid => "signature INVALID",
    };
    format!("    receiver: {}, {signature}, answers {}", call.request, call.answer)
}

/// A moment as the API writes it; the epoch if it is none.
pub(super) fn moment(text: &str) -> Time {
    let stamp: Result<Timestamp, _> = text.parse();
    Time::from_millis(stamp.map_or(0, Timestamp::as_millisecond))
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use serde_json::json;

    use super::*;

    fn entry(second: u8, event: Value) -> Value {
        let mut entry = json!({"at": format!("2026-03-01T12:00:0{second}.250Z")});
        entry.as_object_mut().unwrap().extend(event.as_object().unwrap().clone());
        entry
    }

    fn call(at: Time) -> Received {
        Received {
            at,
            request: "POST /restart".into(),
            id: "ex_1.webhook".into(),
            attempt: "ex_1.webhook.1".into(),
            body: "{}".into(),
            signature: Signature::Valid,
            answer: StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    #[test]
    fn each_event_is_told_once_in_the_order_of_time() {
        let start = moment("2026-03-01T12:00:00.000Z");
        let mut trail = vec![
            entry(0, json!({"event": "accepted", "by": "ann"})),
            entry(1, json!({"event": "claimed", "epoch": 1, "by": "local-1"})),
            entry(1, json!({"event": "intent", "step": "webhook", "attempt": 1, "request": "00"})),
            entry(3, json!({"event": "outcome", "step": "webhook", "attempt": 1, "outcome": "503"})),
            entry(3, json!({"event": "waiting", "until": "2026-03-01T12:00:04.500Z"})),
        ];
        let calls = [call(moment("2026-03-01T12:00:03.250Z"))];
        let mut timeline = Timeline::new(start);
        assert_eq!(
            timeline.news(&json!({"trail": trail}), &calls),
            [
                "    +0.250 s  accepted: stored, asked for by ann",
                "    +1.250 s  a worker takes it (epoch 1)",
                "    +1.250 s  attempt 1: the intent is stored, then the request is sent",
                "    +3.250 s      receiver: POST /restart, signature valid, answers 503 Service Unavailable",
                "    +3.250 s  attempt 1: 503",
                "    +3.250 s  waits 1.2 s before the next attempt",
            ]
        );
        trail.push(entry(5, json!({"event": "ended", "status": "SUCCESS"})));
        let news = timeline.news(&json!({"trail": trail}), &calls);
        assert_eq!(news, ["    +5.250 s  ended: SUCCESS"]);
        assert!(timeline.news(&json!({"trail": trail}), &calls).is_empty());
    }
}
