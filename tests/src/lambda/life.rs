//! One runbook from its draft to the end of its execution, through the functions that a client and the queue reach.

use serde_json::{Value, json};

use super::installation::{Installation, QUEUE_URL, calling};
use super::samples::{Request, batch, failures};
use crate::support::lambda::Function;
use crate::support::receiver::Receiver;
use crate::support::sqs::Sent;

#[tokio::test]
async fn a_runbook_lives_from_its_draft_to_the_end_of_its_execution() {
    let life = Life::begin().await;
    let runbook = life.create().await;
    life.approve(&runbook).await;
    let execution = life.execute(&runbook).await;
    let nudge = life.nudge(&execution);
    life.end(&execution, &nudge).await;
}

struct Life {
    installation: Installation,
    receiver: Receiver,
    api: Function,
    approval: Function,
    worker: Function,
}

impl Life {
    async fn begin() -> Self {
        let installation = Installation::start().await;
        Self {
            receiver: Receiver::start().await,
            api: installation.function("muster-api").await,
            approval: installation.function("muster-approval").await,
            worker: installation.function("muster-worker").await,
            installation,
        }
    }

    async fn create(&self) -> String {
        let definition = calling(&self.receiver.url("/restart"));
        let created =
            Request::sample("create-runbook").with_body(&definition).send(&self.api).await.expect(201);
        assert_eq!(created["approvalStatus"], "DRAFT");
        created["id"].as_str().unwrap().to_owned()
    }

    /// Another than the author must; until then it does not run.
    async fn approve(&self, runbook: &str) {
        let approve =
            || Request::sample("approve-runbook").to("POST", &format!("/api/runbooks/{runbook}/approve"));
        approve().by("ann", "[platform-admin]").send(&self.approval).await.expect(403);
        assert_eq!(asking_for(runbook).send(&self.api).await.expect(400)["currentStatus"], "DRAFT");
        assert_eq!(approve().send(&self.approval).await.expect(200)["approvalStatus"], "APPROVED");
    }

    async fn execute(&self, runbook: &str) -> String {
        let accepted = asking_for(runbook).send(&self.api).await;
        let location = accepted.headers["location"].as_str().unwrap().to_owned();
        let execution = accepted.expect(202)["execution"]["id"].as_str().unwrap().to_owned();
        assert_eq!(location, format!("/api/executions/{execution}"));
        assert_eq!(self.read(&execution).await["status"], "PENDING");
        execution
    }

    /// The one message that the execution sent, with the id of the request that asked for it.
    fn nudge(&self, execution: &str) -> Sent {
        let sent = self.installation.sqs.take();
        let [nudge] = sent.as_slice() else { panic!("one nudge, not {sent:?}") };
        assert_eq!((nudge.queue.as_str(), nudge.delay_seconds), (QUEUE_URL, 0));
        assert_eq!(nudge.group, "team:payments");
        let job: Value = serde_json::from_str(&nudge.body).unwrap();
        let correlation = "JKJaXmPLvHcESHA";
        assert_eq!(job, json!({"v": 1, "job": "run", "execution": execution, "correlationId": correlation}));
        nudge.clone()
    }

    /// The receiver is on loopback, and a function has no way to open that: the call is refused, and all of it recorded.
    async fn end(&self, execution: &str, nudge: &Sent) {
        assert_eq!(self.worker.answer(&batch([nudge.body.as_str()])).await, failures([]));
        let ended = self.read(execution).await;
        assert_eq!(ended["status"], "FAILED", "{ended}");
        assert!(ended["error"].as_str().unwrap().contains("the address 127.0.0.1 is"), "{ended}");
        assert_eq!(self.receiver.received().len(), 0);
        let actions = self.installation.proven(&execution.parse().unwrap()).await;
        assert_eq!(actions, ["execution.accepted", "execution.failed"]);
        assert_eq!(self.installation.sqs.take(), [], "what has ended needs no nudge");
    }

    async fn read(&self, execution: &str) -> Value {
        let read = Request::sample("get-execution").to("GET", &format!("/api/executions/{execution}"));
        read.send(&self.api).await.expect(200)
    }
}

fn asking_for(runbook: &str) -> Request {
    let execute = Request::sample("execute-runbook").to("POST", &format!("/api/runbooks/{runbook}/execute"));
    execute.with_body(&json!({"parameters": {}}))
}
