//! The second scene: a runbook of phases. Looks are taken side by side, another person decides, a step fails and what was done is
//! taken back; the next run helps, and says so.

use muster_domain::runbook::PhasedRunbook;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::cluster::{Call, Cluster, Room};
use super::person::{Person, list, part, text};
use super::progress::Progress;
use super::story::{LOOK, PATIENCE, expect, unexpected};
use super::timeline::moment;
use super::{DemoError, tell};

/// The step that asks people.
const GATE: &str = "drain-ok";

pub(super) struct PhasesScene<'a> {
    /// Writes the runbook and runs it.
    pub(super) ann: &'a Person,
    /// Approves the version.
    pub(super) bob: &'a Person,
    /// Lets a run go on.
    pub(super) carl: &'a Person,
    pub(super) cluster: &'a Cluster,
    pub(super) definition: &'a PhasedRunbook,
}

/// What the scene leaves behind.
pub(super) struct Phased {
    pub(super) runbook: String,
    pub(super) incident: String,
    /// The run that was taken back.
    pub(super) undone: String,
    /// The run that helped.
    pub(super) resolved: String,
}

impl PhasesScene<'_> {
    pub(super) async fn play(&self) -> Result<Phased, DemoError> {
        tell("\nSecond scene: a runbook of phases, with people in the loop")?;
        tell(&format!("  (the cluster's API is on http://{})\n", self.cluster.address))?;
        let runbook = self.write().await?;
        let incident = self.open_incident().await?;
        let undone = self.fail(&runbook, &incident).await?;
        let resolved = self.succeed(&runbook, &incident).await?;
        Ok(Phased { runbook, incident, undone, resolved })
    }

    async fn write(&self) -> Result<String, DemoError> {
        let body = serde_json::to_value(self.definition).unwrap_or_default();
        let runbook = self.ann.post("/api/runbooks", &body).await?.expect(201)?;
        let id = text(&runbook, "/id").to_owned();
        self.bob.post(&format!("/api/runbooks/{id}/approve"), &json!({})).await?.expect(200)?;
        let phases = self.definition.phases.iter().map(|phase| phase.id.as_str());
        tell(&format!(
            "13. {} writes the runbook \"{}\", {} approves it. Its phases: {}",
            self.ann.name,
            self.definition.name,
            self.bob.name,
            phases.collect::<Vec<_>>().join(", ")
        ))?;
        Ok(id)
    }

    async fn open_incident(&self) -> Result<String, DemoError> {
        let incident = json!({
            "title": "Node n1 runs out of memory", "priority": "HIGH", "teamId": "payments",
            "metadata": {"service": "node-pool", "alert": "MemoryPressure"},
        });
        let incident = self.ann.post("/api/incidents", &incident).await?.expect(201)?;
        Ok(text(&incident, "/id").to_owned())
    }

    /// The run that cannot finish.
    async fn fail(&self, runbook: &str, incident: &str) -> Result<String, DemoError> {
        let run = self.begin("14", runbook, incident).await?;
        let mut progress = Progress::new(run.start);
        self.follow(&run.id, &mut progress, "WAITING").await?;
        self.compare_looks()?;
        let asked = self.asked(&run.id).await?;
        self.refuse_own(&run.id, &asked).await?;
        self.approve("16", &run.id, &asked).await?;
        let ended = self.follow(&run.id, &mut progress, "ROLLED_BACK").await?;
        self.compare_undos()?;
        expect("the reason", &json!(true), &json!(text(&ended, "/reason").contains("500")))?;
        Ok(run.id)
    }

    /// The run after the cluster was repaired.
    async fn succeed(&self, runbook: &str, incident: &str) -> Result<String, DemoError> {
        self.cluster.make(Room::Enough);
        tell("18. The cluster is repaired.")?;
        let run = self.begin("19", runbook, incident).await?;
        let mut progress = Progress::new(run.start);
        self.follow(&run.id, &mut progress, "WAITING").await?;
        let asked = self.asked(&run.id).await?;
        self.approve("20", &run.id, &asked).await?;
        let ended = self.follow(&run.id, &mut progress, "SUCCESS").await?;
        expect("the node", &json!("cordoned, without pods"), &json!(self.cluster.standing()))?;
        expect("the verdict", &json!("resolved"), part(&ended, "/verdict/is"))?;
        let because = text(&ended, "/verdict/because");
        tell(&format!(
            "21. Did it help? The probe was asked before and after. Verdict: resolved, {because}"
        ))?;
        Ok(run.id)
    }

    async fn begin(&self, number: &str, runbook: &str, incident: &str) -> Result<Run, DemoError> {
        let path = format!("/api/runbooks/{runbook}/execute");
        let accepted = self.ann.post(&path, &json!({"incidentId": incident})).await?.expect(202)?;
        let id = text(&accepted, "/execution/id").to_owned();
        tell(&format!("{number}. {} runs it for an incident: {id}", self.ann.name))?;
        let seen = self.ann.get(&format!("/api/executions/{id}")).await?.expect(200)?;
        let start = moment(text(&seen, "/createdAt"));
        Ok(Run { id, start })
    }

    /// Tells what happens until the run has this status.
    async fn follow(&self, id: &str, progress: &mut Progress, until: &str) -> Result<Value, DemoError> {
        let path = format!("/api/executions/{id}");
        let patience = Instant::now() + PATIENCE;
        loop {
            let seen = self.ann.get(&path).await?.expect(200)?;
            progress.news(&seen, &self.cluster.calls()).iter().try_for_each(|line| tell(line))?;
            match text(&seen, "/status") {
                status if status == until && !between(&seen) => return Ok(seen),
                "PENDING" | "RUNNING" | "WAITING" if Instant::now() < patience => sleep(LOOK).await,
                status => return Err(unexpected("the run", until, status)),
            }
        }
    }

    /// What was asked, and of whom.
    async fn asked(&self, execution: &str) -> Result<Value, DemoError> {
        let path = format!("/api/executions/{execution}/approvals");
        let approvals = self.carl.get(&path).await?.expect(200)?;
        let [asked] = list(&approvals, "/items") else {
            return Err(unexpected("the approvals", "one", &approvals.to_string()));
        };
        Ok(asked.clone())
    }

    async fn refuse_own(&self, execution: &str, asked: &Value) -> Result<(), DemoError> {
        let refused = self.decide(self.ann, execution, asked).await?.expect(403)?;
        let (name, detail) = (self.ann.name, text(&refused, "/detail"));
        tell(&format!("15. {name} asked for the run and tries to approve it herself: 403, {detail}"))
    }

    async fn approve(&self, number: &str, execution: &str, asked: &Value) -> Result<(), DemoError> {
        let decided = self.decide(self.carl, execution, asked).await?.expect(200)?;
        expect("the approval", &json!("APPROVED"), part(&decided, "/status"))?;
        let carl = self.carl;
        tell(&format!(
            "{number}. {} ({}) sees exactly what would be sent, and approves it:",
            carl.name,
            carl.groups.join(", ")
        ))?;
        list(asked, "/shown").iter().try_for_each(|shown| {
            tell(&format!("       {}: POST {}", text(shown, "/step"), text(shown, "/request/url")))
        })
    }

    async fn decide(
        &self,
        person: &Person,
        execution: &str,
        asked: &Value,
    ) -> Result<super::person::Answer, DemoError> {
        let path = format!("/api/executions/{execution}/steps/{GATE}/approve");
        let answer = json!({"digest": part(asked, "/digest"), "reason": "other nodes have room"});
        person.post(&path, &answer).await
    }

    /// The two looks of the group were in flight at once.
    fn compare_looks(&self) -> Result<(), DemoError> {
        let calls = self.cluster.calls();
        let look = |path: &str| calls.iter().find(|call| call.request.ends_with(path));
        match (look("/pods"), look("/events")) {
            (Some(one), Some(other)) if overlap(one, other) => tell(
                "      Both sides of the node were looked at at once; nothing is changed before people have agreed.",
            ),
            (one, other) => Err(unexpected("the looks", "two at once", &format!("{one:?}, {other:?}"))),
        }
    }

    /// What was done was taken back, the last first, and the node is as it was.
    fn compare_undos(&self) -> Result<(), DemoError> {
        let calls = self.cluster.calls();
        let changes = calls.iter().filter_map(|call| call.request.strip_prefix("POST /nodes/n1/"));
        let changes: Vec<&str> = changes.collect();
        expect("the changes", &json!(["cordon", "drain", "undrain", "uncordon"]), &json!(changes))?;
        let standing = self.cluster.standing();
        expect("the node", &json!("schedulable, with its pods"), &json!(standing))?;
        tell(&format!(
            "17. Of changes the cluster got: {}. The node is as before: {standing}",
            changes.join(", ")
        ))
    }
}

/// One run of the runbook.
struct Run {
    id: String,
    start: muster_domain::time::Time,
}

/// Waiting for something else than people, which ends by itself.
fn between(execution: &Value) -> bool {
    text(execution, "/status") == "WAITING" && text(execution, "/waitingOn") != "approval"
}

fn overlap(one: &Call, other: &Call) -> bool {
    one.came < other.left && other.came < one.left
}
