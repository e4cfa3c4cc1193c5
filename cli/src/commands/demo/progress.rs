//! A run of phases as lines of the story: what each call was answered, who is asked, and what is taken back.

use muster_domain::time::Time;
use serde_json::Value;

use super::cluster::Call;
use super::person::{list, text};
use super::timeline::moment;

/// What has been told so far.
pub(super) struct Progress {
    start: Time,
    entries: usize,
}

impl Progress {
    pub(super) fn new(start: Time) -> Self {
        Self { start, entries: 0 }
    }

    /// The lines that were not told yet.
    pub(super) fn news(&mut self, execution: &Value, calls: &[Call]) -> Vec<String> {
        let trail = list(execution, "/trail");
        let new = trail.iter().skip(self.entries);
        let lines = new.filter_map(|entry| {
            let line = happened(entry, execution, calls)?;
            let after = moment(text(entry, "/at")).since(self.start).as_secs_f64();
            Some(format!("  {after:>+8.3} s  {line}"))
        });
        let lines = lines.collect();
        self.entries = trail.len();
        lines
    }
}

/// What a newcomer needs; the rest of the trail is for those who prove it.
fn happened(entry: &Value, execution: &Value, calls: &[Call]) -> Option<String> {
    let step = text(entry, "/step");
    Some(match text(entry, "/event") {
        "armed" => {
            let step = step.strip_suffix(".undo").unwrap_or(step);
            format!("{step}: what takes it back is stored, before it is called")
        }
        "outcome" => format!("{step}: {}", outcome(entry, execution, calls)),
        "asked" => format!("{step}: people are asked"),
        "decided" => format!("{step}: {}", text(entry, "/verdict")),
        "unwinding" => {
            format!("what was done is taken back, the last first, because {}", text(entry, "/reason"))
        }
        "ended" => format!("ended: {}", text(entry, "/status")),
        _ => return None,
    })
}

/// The call as the cluster got it, and its answer.
fn outcome(entry: &Value, execution: &Value, calls: &[Call]) -> String {
    let attempt = attempt_id(entry, execution).unwrap_or_default();
    match calls.iter().find(|call| call.attempt == attempt) {
        Some(call) => format!("{}, answered {}", call.request, call.answer.as_u16()),
        None => text(entry, "/outcome").to_owned(),
    }
}

fn attempt_id<'e>(entry: &Value, execution: &'e Value) -> Option<&'e str> {
    let step = list(execution, "/steps").iter().find(|step| step.get("id") == entry.get("step"))?;
    let attempts = list(step, "/attempts").iter();
    let attempt = attempts.into_iter().find(|attempt| attempt.get("number") == entry.get("attempt"))?;
    Some(text(attempt, "/attemptId"))
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use serde_json::json;

    use super::*;

    #[test]
    fn each_thing_that_matters_is_told_once() {
        let at = |second: u8| format!("2026-03-01T12:00:0{second}.250Z");
        let start = moment("2026-03-01T12:00:00.000Z");
        let execution = json!({
            "steps": [{"id": "drain", "attempts": [{"number": 1, "attemptId": "ex_1.drain.1"}]}],
            "trail": [
                {"at": at(0), "event": "claimed", "by": "local-1", "epoch": 1},
                {"at": at(0), "event": "armed", "step": "drain.undo", "request": "00"},
                {"at": at(1), "event": "outcome", "step": "drain", "attempt": 1, "outcome": "500"},
                {"at": at(1), "event": "unwinding", "reason": "the receiver answered 500"},
                {"at": at(2), "event": "outcome", "step": "drain.undo", "attempt": 1, "outcome": "200"},
                {"at": at(3), "event": "ended", "status": "ROLLED_BACK"},
            ],
        });
        let call = Call {
            attempt: "ex_1.drain.1".into(),
            request: "POST /nodes/n1/drain".into(),
            answer: StatusCode::INTERNAL_SERVER_ERROR,
            came: start,
            left: start,
        };
        let mut progress = Progress::new(start);
        assert_eq!(
            progress.news(&execution, &[call]),
            [
                "    +0.250 s  drain: what takes it back is stored, before it is called",
                "    +1.250 s  drain: POST /nodes/n1/drain, answered 500",
                "    +1.250 s  what was done is taken back, the last first, because the receiver answered 500",
                "    +2.250 s  drain.undo: 200",
                "    +3.250 s  ended: ROLLED_BACK",
            ]
        );
        assert!(progress.news(&execution, &[]).is_empty());
    }
}
