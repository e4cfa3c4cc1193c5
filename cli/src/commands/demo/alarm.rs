//! The second half of the story: an alarm opens an incident, and a workflow does what a person did before.

use muster_domain::workflow::WorkflowDefinition;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::cloudwatch::{CloudWatch, FIRES, HEADER, IS_OVER};
use super::nodes::Nodes;
use super::person::{Person, list, part, text};
use super::receiver::{Receiver, Signature};
use super::story::{LOOK, PATIENCE, expect, unexpected};
use super::timeline::moment;
use super::{ALARM_SECRET, DemoError, tell, workflows};

pub(super) struct AlarmScene<'a> {
    /// Writes the workflows.
    pub(super) ann: &'a Person,
    pub(super) cloudwatch: &'a CloudWatch,
    pub(super) receiver: &'a Receiver,
    /// The approved one.
    pub(super) runbook: &'a str,
}

/// What the scene leaves behind.
pub(super) struct Alarmed {
    pub(super) hook: String,
    pub(super) workflow: String,
    pub(super) incident: String,
    /// Of the workflow.
    pub(super) execution: String,
    /// Of the runbook.
    pub(super) child: String,
}

impl AlarmScene<'_> {
    pub(super) async fn play(&self) -> Result<Alarmed, DemoError> {
        let hook = self.make_hook().await?;
        let workflow = self.write_workflows().await?;
        let incident = self.fire(&hook).await?;
        let execution = self.explain(&incident).await?;
        let child = self.follow(&execution).await?;
        self.check_call(&child)?;
        let alarmed = Alarmed { hook, workflow, incident, execution, child };
        self.fire_again(&alarmed).await?;
        self.end(&alarmed).await?;
        Ok(alarmed)
    }

    async fn make_hook(&self) -> Result<String, DemoError> {
        let hook = json!({
            "name": "CloudWatch",
            "teamId": "payments",
            "source": "cloudwatch",
            "scheme": {"type": "header", "name": HEADER},
            "secrets": [ALARM_SECRET],
        });
        let hook = self.ann.post("/api/integrations", &hook).await?.expect(201)?;
        let path = text(&hook, "/deliveryPath").to_owned();
        tell(&format!("\n7. {} makes an address for alarms: {path}", self.ann.name))?;
        Ok(path)
    }

    /// One that the alarm is meant for, and one that it is not.
    async fn write_workflows(&self) -> Result<String, DemoError> {
        let workflow: WorkflowDefinition = workflows::restart_on_alarm(self.runbook)?;
        let other = workflows::of_another_service(&workflow);
        let meant = self.write(&serde_json::to_value(&workflow).unwrap_or_default()).await?;
        self.write(&other).await?;
        Ok(meant)
    }

    async fn write(&self, definition: &Value) -> Result<String, DemoError> {
        let workflow = self.ann.post("/api/workflows", definition).await?.expect(201)?;
        let (id, name) = (text(&workflow, "/id"), text(&workflow, "/name"));
        tell(&format!("   and writes the workflow \"{name}\": {id}"))?;
        Ok(id.to_owned())
    }

    async fn fire(&self, hook: &str) -> Result<String, DemoError> {
        let taken = self.cloudwatch.report(hook, FIRES).await?;
        expect("the alarm", &json!(1), part(&taken, "/accepted"))?;
        let incident = text(&taken, "/incidents/0").to_owned();
        let opened = self.incident(&incident).await?;
        expect("the incident's status", &json!("OPEN"), part(&opened, "/status"))?;
        expect("the service", &json!("checkout"), part(&opened, "/metadata/service"))?;
        let (title, priority) = (text(&opened, "/title"), text(&opened, "/priority"));
        tell(&format!("8. An alarm of CloudWatch opens an incident: {priority}, \"{title}\", {incident}"))?;
        Ok(incident)
    }

    /// Tells why each workflow was started or not; the execution of the one that was.
    async fn explain(&self, incident: &str) -> Result<String, DemoError> {
        tell("9. Which workflows does it start, and why?")?;
        let decisions = self.decisions(incident).await?;
        for decision in &decisions {
            tell(&format!("     {}: {}", text(decision, "/workflowName"), text(decision, "/outcome")))?;
            list(decision, "/reasons")
                .iter()
                .try_for_each(|reason| tell(&format!("       {}", predicate(reason))))?;
        }
        let of = |outcome: &str| decisions.iter().find(|decision| text(decision, "/outcome") == outcome);
        match (of("MATCHED"), of("NOT_MATCHED")) {
            (Some(matched), Some(_)) => Ok(text(matched, "/executionId").to_owned()),
            (None, _) | (_, None) => {
                Err(unexpected("the decisions", "one that matched, and one not", &format!("{decisions:?}")))
            }
        }
    }

    /// Both workflows are asked once the incident's event has gone its way.
    async fn decisions(&self, incident: &str) -> Result<Vec<Value>, DemoError> {
        let path = format!("/api/incidents/{incident}/decisions");
        let until = Instant::now() + PATIENCE;
        loop {
            let page = self.ann.get(&path).await?.expect(200)?;
            let decisions = list(&page, "/items");
            if decisions.len() == 2 {
                return Ok(decisions.to_vec());
            }
            if Instant::now() >= until {
                return Err(unexpected("the decisions", "two", &page.to_string()));
            }
            sleep(LOOK).await;
        }
    }

    /// Tells what becomes of the nodes, as it does; the execution of the runbook.
    async fn follow(&self, execution: &str) -> Result<String, DemoError> {
        tell(&format!("10. The workflow runs: {execution}"))?;
        let path = format!("/api/executions/{execution}");
        let mut nodes = None;
        let until = Instant::now() + PATIENCE;
        loop {
            let seen = self.ann.get(&path).await?.expect(200)?;
            let nodes = nodes.get_or_insert_with(|| Nodes::new(moment(text(&seen, "/createdAt"))));
            nodes.news(&seen).iter().try_for_each(|line| tell(line))?;
            match text(&seen, "/status") {
                "COMPLETED" => return self.child(&seen).await,
                "PENDING" | "RUNNING" if Instant::now() < until => sleep(LOOK).await,
                status => return Err(unexpected("the workflow", "COMPLETED", status)),
            }
        }
    }

    /// The condition was asked, the delay was waited for, and the runbook did the rest.
    async fn child(&self, execution: &Value) -> Result<String, DemoError> {
        let nodes = list(execution, "/steps");
        let node = |id: &str| nodes.iter().find(|node| text(node, "/id") == id).unwrap_or(&Value::Null);
        for (id, expected) in
            [("urgent", "SUCCEEDED"), ("settle", "SUCCEEDED"), ("restart", "SUCCEEDED"), ("leave", "SKIPPED")]
        {
            expect(id, &json!(expected), part(node(id), "/status"))?;
        }
        let child = text(node("restart"), "/executionId").to_owned();
        let ran = self.ann.get(&format!("/api/executions/{child}")).await?.expect(200)?;
        expect("the runbook's end", &json!("SUCCESS"), part(&ran, "/status"))?;
        expect("what started the runbook", part(execution, "/id"), part(&ran, "/workflowExecutionId"))?;
        Ok(child)
    }

    /// The service was told to restart once, and knows by whom.
    fn check_call(&self, child: &str) -> Result<(), DemoError> {
        let calls = self.receiver.calls();
        let of_child: Vec<_> = calls.iter().filter(|call| call.id.starts_with(child)).collect();
        match of_child.as_slice() {
            [call] if call.signature == Signature::Valid && call.answer.is_success() => {
                tell(&format!("    The service got one call: {}, signature valid", call.request))
            }
            calls => Err(unexpected("the receiver", "one signed call", &format!("{calls:?}"))),
        }
    }

    /// The same delivery again, as senders do whose answer was lost.
    async fn fire_again(&self, alarmed: &Alarmed) -> Result<(), DemoError> {
        let calls = self.receiver.calls().len();
        let repeated = self.cloudwatch.report(&alarmed.hook, FIRES).await?;
        expect("the repeated alarm", &json!(0), part(&repeated, "/accepted"))?;
        let reason = text(&repeated, "/ignored/0/reason").to_owned();
        self.nothing_more(alarmed, calls).await?;
        tell(&format!("11. The same alarm comes a second time and starts nothing: {reason}"))
    }

    async fn nothing_more(&self, alarmed: &Alarmed, calls: usize) -> Result<(), DemoError> {
        let path = format!("/api/incidents/{}/runbooks/executions", alarmed.incident);
        let executions = self.ann.get(&path).await?.expect(200)?;
        let mut ids: Vec<&str> = list(&executions, "/items").iter().map(id).collect();
        ids.sort_unstable();
        let mut expected = [alarmed.execution.as_str(), &alarmed.child];
        expected.sort_unstable();
        expect("the incident's executions", &json!(expected), &json!(ids))?;
        expect("its decisions", &json!(2), &json!(self.decisions(&alarmed.incident).await?.len()))?;
        expect("calls of the service", &json!(calls), &json!(self.receiver.calls().len()))
    }

    async fn end(&self, alarmed: &Alarmed) -> Result<(), DemoError> {
        let taken = self.cloudwatch.report(&alarmed.hook, IS_OVER).await?;
        expect("the incident that is over", &json!([alarmed.incident]), part(&taken, "/incidents"))?;
        let resolved = self.incident(&alarmed.incident).await?;
        expect("the incident's status", &json!("RESOLVED"), part(&resolved, "/status"))?;
        tell("12. CloudWatch says that the alarm is over: the incident is RESOLVED")
    }

    async fn incident(&self, id: &str) -> Result<Value, DemoError> {
        self.ann.get(&format!("/api/incidents/{id}")).await?.expect(200)
    }
}

/// One thing that was asked of the incident.
fn predicate(reason: &Value) -> String {
    let seen = reason.get("seen").map_or_else(|| "nothing".to_owned(), Value::to_string);
    let verdict = if *part(reason, "/holds") == true { "holds" } else { "does not hold" };
    format!("{} must be {}: {seen}, {verdict}", text(reason, "/name"), part(reason, "/expected"))
}

fn id(execution: &Value) -> &str {
    text(execution, "/id")
}
