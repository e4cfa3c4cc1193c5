//! What happens without anybody's asking: lost nudges, alarms of monitoring, what comes of age, and what fails too often.

use std::time::Duration;

use muster_domain::execution::ExecutionStatus;
use serde_json::{Value, json};

use super::accepting::{execution_of, phased};
use super::stage::Stage;
use crate::lambda::installation::calling;
use crate::lambda::samples::sample;

const LONG_AGO: Duration = Duration::from_secs(600);
const HALF_AN_HOUR: Duration = Duration::from_secs(30 * 60);

impl Stage {
    pub(super) async fn work_everything_off(&self) {
        self.take_alarms().await;
        self.repair_lost_nudges().await;
        self.start_what_came_of_age().await;
        self.bury_dead_letters().await;
        self.hold_and_leave_a_target().await;
        let told: Vec<String> =
            self.receiver.received().iter().map(|received| received.uri.path().to_owned()).collect();
        for path in ["/restart", "/once", "/refused", "/teams", "/notify"] {
            assert!(told.iter().any(|one| one == path), "nobody called {path}: {told:?}");
        }
    }

    /// Of CloudWatch, twice, and of every other sender that puts its events on a bus.
    async fn take_alarms(&self) {
        let names =
            ["eventbridge/cloudwatch-alarm", "eventbridge/cloudwatch-alarm", "sources/aws-health-event-open"];
        let others = [
            "sources/cloudwatch-event-ok",
            "sources/datadog-bus-triggered",
            "sources/pagerduty-bus-triggered",
        ];
        for name in names.into_iter().chain(others) {
            let taken = self.function("muster-matcher").answer(&sample(name)).await;
            assert!(taken["taken"].is_object(), "{name}: {taken}");
        }
        self.work_off().await;
    }

    async fn repair_lost_nudges(&self) {
        let execution = self.installation.accepted(LONG_AGO, calling(&self.receiver.url("/restart"))).await;
        let incident = self.installation.opened(LONG_AGO).await;
        let swept = self.sweep().await;
        assert!(swept["nudged"].as_u64() >= Some(2), "{swept}");
        self.work_off().await;
        let stored = self.installation.stored(&execution).await.value;
        assert_eq!(stored.status(), ExecutionStatus::Success, "{:?}", stored.state);
        assert_eq!(self.installation.first_event(&incident).await.due_at, None);
    }

    /// For incidents of a team, and for all.
    async fn start_what_came_of_age(&self) {
        self.installation.opened(HALF_AN_HOUR).await;
        for team in [json!("payments"), Value::Null] {
            let nodes =
                json!([{"type": "trigger", "id": "start"}, {"type": "delay", "id": "wait", "seconds": 1}]);
            let workflow = json!({
                "name": "Wait", "teamId": team, "trigger": {"type": "age", "ageThresholdMinutes": 25},
                "definition": {"nodes": nodes, "edges": [{"from": "start", "to": "wait"}]},
            });
            self.created("/api/workflows", &workflow).await;
        }
        assert_eq!(self.sweep().await["aged"], 2);
        self.work_off().await;
    }

    /// A target is held by the worker, and left again by whoever ends the execution: a person, or the end of dead letters.
    async fn hold_and_leave_a_target(&self) {
        let mut definition = phased(&json!([{"id": "settle", "type": "delay", "seconds": 1}]));
        definition["limits"] =
            json!({"target": "checkout", "concurrencyPerTarget": 1, "executionsPerHour": 100});
        let runbook = self.approved(&definition).await;
        let execute = format!("POST /api/runbooks/{runbook}/execute");
        let cancelled = execution_of(&self.ask(&execute, &json!({})).await);
        self.work_off().await;
        self.ask(&format!("POST /api/executions/{cancelled}/cancel"), &json!({})).await;
        let dead = execution_of(&self.ask(&execute, &json!({})).await);
        self.work_off().await;
        self.bury(&dead).await;
    }

    /// A dead letter ends an execution only once nothing is due of it any more.
    async fn bury(&self, execution: &str) {
        let run = json!({"v": 1, "job": "run", "execution": execution}).to_string();
        let id = execution.parse().unwrap();
        for _ in 0..100 {
            self.deliver("muster-dead-letter", &run).await;
            if self.installation.stored(&id).await.value.status() == ExecutionStatus::Failed {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{execution} did not end");
    }

    async fn bury_dead_letters(&self) {
        let execution = self.installation.accepted(LONG_AGO, calling(&self.receiver.url("/restart"))).await;
        let run = json!({"v": 1, "job": "run", "execution": execution}).to_string();
        self.deliver("muster-dead-letter", &run).await;
        let stored = self.installation.stored(&execution).await.value;
        assert_eq!(stored.status(), ExecutionStatus::Failed, "{:?}", stored.state);
        for name in ["jobs/deliver", "jobs/notify"] {
            self.deliver("muster-dead-letter", &sample(name).to_string()).await;
        }
    }
}
