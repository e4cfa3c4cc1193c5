//! Pause, abort, kill and kill switches while targets hang: nothing begins any more, what is in flight is listed until it ends, and that
//! takes 30 s at most. `stop_times` measures it.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use super::hanging::Hanging;
use crate::http::phases::{because, read, stored};
use crate::http::{ann, bob, executed, text, with};
use crate::support::world::{Engine, World};

/// How soon every stop takes effect (INVARIANTS, G3).
pub(super) const BOUND: Duration = Duration::from_secs(30);
/// The paths of a run that never answer; those of undos do.
pub(super) const SILENT: [&str; 6] = ["/first", "/a", "/b", "/c", "/cordon", "/drain"];

/// Who asks for what, and of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    Pause,
    Abort,
    Kill,
    /// The kill switch of everything.
    SwitchGlobal,
    SwitchTeam,
    SwitchRunbook,
}

/// What the stop is asked of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// The execution that calls.
    Itself,
    /// The execution that waits for it, or what stops that.
    Parent,
}

/// Every stop there is.
pub(super) const SCOPES: [(Ask, Of); 10] = [
    (Ask::Pause, Of::Itself),
    (Ask::Abort, Of::Itself),
    (Ask::Kill, Of::Itself),
    (Ask::SwitchRunbook, Of::Itself),
    (Ask::SwitchTeam, Of::Itself),
    (Ask::SwitchGlobal, Of::Itself),
    (Ask::Pause, Of::Parent),
    (Ask::Abort, Of::Parent),
    (Ask::Kill, Of::Parent),
    (Ask::SwitchRunbook, Of::Parent),
];

/// Runbooks whose every call hangs, and one that runs them as a step.
pub(super) struct Stage {
    pub(super) hanging: Hanging,
    runbook: String,
    parent: String,
}

/// A run, and what started it.
pub(super) struct Running {
    pub(super) execution: String,
    pub(super) parent: Option<String>,
}

/// What a stop was seen to do.
pub(super) struct Effect {
    /// From the request until nothing was in flight.
    pub(super) latency: Duration,
    /// Calls in flight when it was asked for.
    pub(super) in_flight: usize,
}

/// A step that goes on when its call was not answered twice. Attempts last differently long.
fn hangs(world: &World, id: &str, seconds: u64) -> Value {
    json!({
        "id": id, "type": "diagnostic", "action": {"type": "webhook", "url": world.receiver.url(&format!("/{id}"))},
        "timeoutSeconds": seconds, "retry": {"maxAttempts": 2, "baseDelayMs": 1000}, "onFailure": "continue",
    })
}

fn acts(world: &World, id: &str, seconds: u64) -> Value {
    let undo = json!({"type": "webhook", "url": world.receiver.url(&format!("/un{id}"))});
    with(hangs(world, id, seconds), json!({"type": "remediation", "undo": undo}))
}

fn definition(world: &World) -> Value {
    let sides = [hangs(world, "a", 20), hangs(world, "b", 13), hangs(world, "c", 7)];
    let group = json!({"parallel": {"id": "sides", "join": "all", "onFailure": "continue", "steps": sides}});
    json!({
        "name": "Calls nobody who answers", "teamId": "ops",
        "phases": [
            {"id": "look", "steps": [hangs(world, "first", 20), group]},
            {"id": "act", "steps": [acts(world, "cordon", 20), acts(world, "drain", 17)]},
        ],
    })
}

impl Stage {
    pub(super) async fn on(engine: Engine) -> Self {
        let hanging = Hanging::on(engine, &SILENT).await;
        let world = &hanging.world;
        let runbook = stored(world, definition(world)).await;
        let action = json!({"type": "runbook", "runbookId": runbook, "wait": true});
        let steps = json!([{"id": "sub", "type": "runbook", "action": action}]);
        let parent =
            json!({"name": "Starts another", "teamId": "ops", "phases": [{"id": "run", "steps": steps}]});
        let parent = stored(world, parent).await;
        Self { hanging, runbook, parent }
    }

    fn world(&self) -> &World {
        &self.hanging.world
    }

    /// A run that has gone on for this long.
    pub(super) async fn running(&self, of: Of, span: Duration) -> Running {
        let runbook = match of {
            Of::Itself => &self.runbook,
            Of::Parent => &self.parent,
        };
        let started = executed(self.world(), runbook, json!({})).await;
        self.hanging.passes(span).await;
        match of {
            Of::Itself => Running { execution: started, parent: None },
            Of::Parent => {
                let execution = self.child_of(&started).await;
                Running { execution, parent: Some(started) }
            }
        }
    }

    async fn child_of(&self, parent: &str) -> String {
        text(&read(self.world(), parent).await["steps"][0]["executionId"])
    }

    /// Stops a run, and looks on until it has been in effect for long.
    pub(super) async fn stops(&self, ask: Ask, running: &Running) -> Effect {
        let asked_at = self.hanging.now();
        self.asks(ask, running).await;
        let listed = self.listed(&running.execution).await;
        assert_eq!(listed, self.hanging.in_flight(), "what is in flight is listed");
        let before = self.hanging.arrived_but("/un");
        let mut latency = Duration::ZERO;
        while !self.listed(&running.execution).await.is_empty() {
            assert!(latency < BOUND, "inv_g3: {ask:?} is in effect after 30 s at the latest");
            self.hanging.passes(self.hanging.until_next_end()).await;
            latency = self.hanging.now().since(asked_at);
        }
        self.stays_so(ask, running, before).await;
        self.as_stored(ask, running, latency).await;
        Effect { latency, in_flight: listed.len() }
    }

    async fn asks(&self, ask: Ask, running: &Running) {
        let id = running.parent.as_ref().unwrap_or(&running.execution);
        let runbook = if running.parent.is_some() { &self.parent } else { &self.runbook };
        match ask {
            Ask::Pause => self.steers(id, "pause").await,
            Ask::Abort => self.steers(id, "abort").await,
            Ask::Kill => self.steers(id, "cancel").await,
            Ask::SwitchGlobal => self.switches("global", true).await,
            Ask::SwitchTeam => self.switches("team:ops", true).await,
            Ask::SwitchRunbook => self.switches(&format!("runbook:{runbook}"), true).await,
        }
    }

    async fn steers(&self, execution: &str, verb: &str) {
        ann(self.world()).post(&format!("/api/executions/{execution}/{verb}"), because()).await.expect(200);
    }

    async fn switches(&self, scope: &str, engaged: bool) {
        let set = json!({"engaged": engaged, "reason": "a drill"});
        bob(self.world()).put(&format!("/api/kill-switches/{scope}"), set).await.expect(200);
    }

    /// The attempts that the API shows as in flight, undos left out.
    async fn listed(&self, execution: &str) -> Vec<String> {
        let shown = read(self.world(), execution).await;
        let steps = shown["steps"].as_array().unwrap().iter();
        let steps = steps.filter(|step| !text(&step["id"]).ends_with(".undo"));
        let attempts = steps.filter_map(|step| step["attempts"].as_array()).flatten();
        let open = attempts.filter(|attempt| attempt.get("outcome").is_none());
        let mut open: Vec<String> = open.map(|attempt| text(&attempt["attemptId"])).collect();
        open.sort();
        open
    }

    /// Long after, and with the sweeper about, nothing of what was to come has begun.
    async fn stays_so(&self, ask: Ask, running: &Running, before: usize) {
        for _ in 0..4 {
            self.hanging.passes(BOUND).await;
            self.world().app.sweep().await.unwrap();
        }
        self.hanging.passes(BOUND).await;
        assert_eq!(self.hanging.arrived_but("/un"), before, "inv_g3: {ask:?} lets nothing begin");
        let now = text(&read(self.world(), &running.execution).await["status"]);
        let expected: &[&str] = match ask {
            Ask::Pause => &["PAUSED"],
            // What was aborted before it did anything has nothing to take back.
            Ask::Abort => &["ROLLED_BACK", "CANCELLED"],
            Ask::Kill => &["CANCELLED"],
            Ask::SwitchGlobal | Ask::SwitchTeam | Ask::SwitchRunbook => &["FAILED"],
        };
        assert!(expected.contains(&now.as_str()), "{ask:?}: {now}");
    }

    /// The stored latency is the one that was seen. A switch is no request of one execution, and leaves none.
    async fn as_stored(&self, ask: Ask, running: &Running, seen: Duration) {
        let shown = read(self.world(), &running.execution).await;
        let member = match ask {
            Ask::Pause => "pause",
            Ask::Abort | Ask::Kill => "stop",
            Ask::SwitchGlobal | Ask::SwitchTeam | Ask::SwitchRunbook => {
                return assert!(text(&shown["error"]).contains("kill switch"), "{shown}");
            }
        };
        let latency = Duration::from_millis(shown[member]["latencyMs"].as_u64().unwrap());
        assert_eq!(latency, seen, "{ask:?}");
        assert!(shown[member]["quiescedAt"].is_string());
    }

    /// Puts the stage in order for another run.
    pub(super) async fn clears(&self, ask: Ask, running: &Running) {
        match ask {
            Ask::Pause => self.steers(running.parent.as_ref().unwrap_or(&running.execution), "cancel").await,
            Ask::Abort | Ask::Kill => {}
            Ask::SwitchGlobal => self.switches("global", false).await,
            Ask::SwitchTeam => self.switches("team:ops", false).await,
            Ask::SwitchRunbook => {
                let runbook = if running.parent.is_some() { &self.parent } else { &self.runbook };
                self.switches(&format!("runbook:{runbook}"), false).await;
            }
        }
        self.hanging.passes(BOUND).await;
        let id = running.parent.as_ref().unwrap_or(&running.execution);
        let shown = read(self.world(), id).await;
        assert!(shown["endedAt"].is_string(), "{shown}");
    }
}

#[rstest]
#[tokio::test]
async fn inv_g3_every_stop_at_every_scope_takes_effect_within_30_s_while_targets_hang(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let stage = Stage::on(engine).await;
    for (ask, of) in SCOPES {
        // Five seconds into the attempts of the group: three calls are in flight, and the longest has 15 s to go.
        let running = stage.running(of, Duration::from_secs(46)).await;
        let effect = stage.stops(ask, &running).await;
        assert_eq!(effect.in_flight, 3, "{ask:?} of {of:?}");
        assert!(effect.latency > Duration::from_secs(10), "{ask:?} of {of:?}: {:?}", effect.latency);
        stage.clears(ask, &running).await;
    }
}
