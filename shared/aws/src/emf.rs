//! Metrics for CloudWatch in the embedded metric format: a line of JSON on standard output, from which CloudWatch makes
//! metrics, so that no invocation waits for another service.

use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use muster_app::metrics::{
    Counter, Metrics, OLDEST_APPROVAL_AGE, OLDEST_OWED_AGE, OLDEST_PAUSED_AGE, WAITING_FOR_REVIEW,
};
use muster_app::sweep::Swept;
use muster_domain::time::Time;
use serde_json::{Map, Value, json};

/// The namespace of all metrics; the alarms of `infra/template.yaml` name it.
const NAMESPACE: &str = "Muster";

/// Reports what was counted since it last did.
#[derive(Debug)]
pub(crate) struct Reporter {
    environment: String,
    metrics: Arc<Metrics>,
    reported: Mutex<[u64; Counter::ALL.len()]>,
}

/// One value of one metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Measured {
    name: &'static str,
    unit: &'static str,
    value: u64,
}

impl Measured {
    /// What a sweep found. The age of the most overdue item is reported at zero too: silence is what its alarm rings for.
    /// Executions that wait for a person, paused ones among them, are seen once an hour each; none is not reported.
    pub(crate) fn of_sweep(swept: &Swept) -> Vec<Self> {
        let seconds = |name, millis: u64| Self { name, unit: "Seconds", value: millis / 1_000 };
        let review = Self { name: WAITING_FOR_REVIEW, unit: "Count", value: swept.waiting_for_review };
        let waiting = [
            review,
            seconds(OLDEST_PAUSED_AGE, swept.oldest_paused_ms),
            seconds(OLDEST_APPROVAL_AGE, swept.oldest_asked_ms),
        ];
        let waiting = waiting.into_iter().filter(|one| one.value > 0);
        [seconds(OLDEST_OWED_AGE, swept.oldest_overdue_ms)].into_iter().chain(waiting).collect()
    }
}

impl Reporter {
    pub(crate) fn new(environment: String, metrics: Arc<Metrics>) -> Self {
        Self { environment, metrics, reported: Mutex::default() }
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Writes one line of what changed and of `gauges`; none if there is nothing to say.
    pub(crate) fn report(&self, at: Time, gauges: &[Measured]) {
        let mut measured = self.changes();
        measured.extend_from_slice(gauges);
        if !measured.is_empty() {
            let line = line(&self.environment, at, &measured);
            // Metrics that cannot be written must not fail the work that they count.
            let _ = writeln!(std::io::stdout().lock(), "{line}");
        }
    }

    fn changes(&self) -> Vec<Measured> {
        let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        let mut changes = Vec::new();
        for (counter, reported) in Counter::ALL.into_iter().zip(reported.iter_mut()) {
            let now = self.metrics.value(counter);
            let value = now - std::mem::replace(reported, now);
            if value > 0 {
                changes.push(Measured { name: counter.name(), unit: "Count", value });
            }
        }
        changes
    }
}

/// The dimension is the environment alone: each further one is a metric more to pay for and to add up in every alarm.
/// Level and timestamp are Lambda's, which files a record without them anew.
fn line(environment: &str, at: Time, measured: &[Measured]) -> String {
    let definition = |one: &Measured| json!({"Name": one.name, "Unit": one.unit});
    let directive = json!({
        "Namespace": NAMESPACE,
        "Dimensions": [["Environment"]],
        "Metrics": measured.iter().map(definition).collect::<Vec<_>>(),
    });
    let mut line = Map::new();
    line.insert("_aws".into(), json!({"Timestamp": at.millis(), "CloudWatchMetrics": [directive]}));
    line.insert("Environment".into(), environment.into());
    line.insert("level".into(), "INFO".into());
    line.insert("timestamp".into(), at.to_string().into());
    line.extend(measured.iter().map(|one| (one.name.to_owned(), Value::from(one.value))));
    Value::Object(line).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_what_cloudwatch_reads() {
        let at = Time::from_millis(1_772_366_400_000);
        let mut measured = vec![Measured { name: "Attempts", unit: "Count", value: 3 }];
        measured.extend(Measured::of_sweep(&Swept::default()));
        let line: Value = serde_json::from_str(&line("test", at, &measured)).unwrap();
        let expected = json!({
            "_aws": {
                "Timestamp": 1_772_366_400_000_i64,
                "CloudWatchMetrics": [{
                    "Namespace": "Muster",
                    "Dimensions": [["Environment"]],
                    "Metrics": [
                        {"Name": "Attempts", "Unit": "Count"},
                        {"Name": "OldestOwedAgeSeconds", "Unit": "Seconds"},
                    ],
                }],
            },
            "Environment": "test",
            "level": "INFO",
            "timestamp": "2026-03-01T12:00:00.000Z",
            "Attempts": 3,
            "OldestOwedAgeSeconds": 0,
        });
        assert_eq!(line, expected);
    }

    #[test]
    fn only_what_changed_since_the_last_time_is_reported() {
        let metrics = Arc::new(Metrics::default());
        let reporter = Reporter::new("test".into(), Arc::clone(&metrics));
        let names =
            |changes: Vec<Measured>| changes.into_iter().map(|one| (one.name, one.value)).collect::<Vec<_>>();
        assert_eq!(names(reporter.changes()), []);
        metrics.count(Counter::Attempts);
        metrics.count(Counter::Attempts);
        metrics.count(Counter::JobsFailed);
        assert_eq!(names(reporter.changes()), [("Attempts", 2), ("JobsFailed", 1)]);
        metrics.count(Counter::Attempts);
        assert_eq!(names(reporter.changes()), [("Attempts", 1)]);
        assert_eq!(names(reporter.changes()), []);
    }

    #[test]
    fn nobody_who_waits_is_no_metric_and_somebody_is() {
        let check = |swept: &Swept, expected: &[(&str, u64)]| {
            let measured = Measured::of_sweep(swept);
            let named: Vec<_> = measured.iter().map(|one| (one.name, one.value)).collect();
            assert_eq!(named, expected);
        };
        check(&Swept::default(), &[("OldestOwedAgeSeconds", 0)]);
        let swept = Swept {
            waiting_for_review: 2,
            oldest_paused_ms: 3_700_000,
            oldest_asked_ms: 65_999,
            oldest_overdue_ms: 1_000,
            ..Swept::default()
        };
        check(
            &swept,
            &[
                ("OldestOwedAgeSeconds", 1),
                ("WaitingForReview", 2),
                ("OldestPausedAgeSeconds", 3_700),
                ("OldestApprovalAgeSeconds", 65),
            ],
        );
    }
}
