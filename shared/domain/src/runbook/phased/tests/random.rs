//! Random valid definitions.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// What a random step is, before it knows where it stands.
#[derive(Debug, Clone)]
struct Sketch {
    kind: usize,
    /// Chooses among the places that come later.
    goto: usize,
    failure: usize,
    conditional: bool,
}

#[derive(Debug, Clone)]
enum Unit {
    Step(Sketch),
    Group { steps: Vec<Sketch>, failure: usize, goto: usize, join: usize },
}

fn sketch() -> impl Strategy<Value = Sketch> {
    (0..8_usize, 0..100_usize, 0..5_usize, any::<bool>())
        .prop_map(|(kind, goto, failure, conditional)| Sketch { kind, goto, failure, conditional })
}

fn unit() -> impl Strategy<Value = Unit> {
    let group = (vec(sketch(), 1..4), 0..5_usize, 0..100_usize, 0..3_usize)
        .prop_map(|(steps, failure, goto, join)| Unit::Group { steps, failure, goto, join });
    prop_oneof![3 => sketch().prop_map(Unit::Step), 1 => group]
}

/// Definitions that have no fault, with jumps, groups, approvals, undos, prerequisites and verification.
pub(crate) fn definitions() -> impl Strategy<Value = Value> {
    (vec(vec(unit(), 1..4), 1..4), any::<[bool; 3]>()).prop_map(
        |(phases, [rollback, probes, conditional])| {
            let probe = json!({"url": "https://ops.example/", "expect": "response.statusCode == 200"});
            let mut definition = json!({"name": "random", "rollback": {"onFailure": rollback}});
            if probes {
                definition["prerequisites"] =
                    json!([{"id": "up", "probe": probe}, {"id": "ok", "rule": "true"}]);
                definition["verification"] = json!({"probe": probe, "settleSeconds": 5});
            }
            definition["phases"] = Writer::new(&phases).phases(&phases, conditional);
            definition
        },
    )
}

/// Numbers units as they are written, so that jumps lead forward.
struct Writer {
    total: usize,
    unit: usize,
}

impl Writer {
    fn new(phases: &[Vec<Unit>]) -> Self {
        Self { total: phases.iter().map(Vec::len).sum(), unit: 0 }
    }

    fn phases(mut self, phases: &[Vec<Unit>], conditional: bool) -> Value {
        let phase = |(number, units): (usize, &Vec<Unit>)| {
            let steps: Vec<Value> = units.iter().map(|unit| self.unit(unit)).collect();
            let mut phase = json!({"id": format!("p{number}"), "steps": steps});
            if conditional {
                phase["when"] = json!("params.full == true");
            }
            phase
        };
        phases.iter().enumerate().map(phase).collect()
    }

    fn unit(&mut self, unit: &Unit) -> Value {
        let written = match unit {
            Unit::Step(sketch) => self.single(sketch),
            Unit::Group { steps, failure, goto, join } => {
                let members = steps.iter().enumerate();
                let members: Vec<Value> = members.map(|(place, sketch)| self.member(place, sketch)).collect();
                let mut group = json!({"id": self.id(), "steps": members});
                group["join"] = json!(["all", "noneFailed", "any"][*join]);
                self.add_failure(&mut group, *failure, *goto);
                json!({"parallel": group})
            }
        };
        self.unit += 1;
        written
    }

    fn single(&self, sketch: &Sketch) -> Value {
        let mut step = self.step(&self.id(), sketch.kind, sketch);
        self.add_failure(&mut step, sketch.failure, sketch.goto);
        step
    }

    /// In a group there is no branch, no delay, and no way out but that of the group.
    fn member(&self, place: usize, sketch: &Sketch) -> Value {
        let kind = if matches!(sketch.kind, 4 | 5) { 0 } else { sketch.kind };
        let mut step = self.step(&format!("{}-{place}", self.id()), kind, sketch);
        if sketch.failure == 1 {
            step["onFailure"] = json!("continue");
        }
        step
    }

    fn step(&self, id: &str, kind: usize, sketch: &Sketch) -> Value {
        let call = json!({"type": "webhook", "url": "https://ops.example/do"});
        let mut step = match kind {
            0 => json!({"type": "diagnostic", "action": call, "outputs": {"n": "body.n"}}),
            1 => json!({"type": "remediation", "action": call, "undo": call, "riskLevel": "high"}),
            2 => json!({"type": "check", "rule": "params.full == true"}),
            3 => json!({"type": "approval", "approval": {
                "levels": [{"of": ["platform-admin"], "needed": 1}], "expiresInSeconds": 60,
            }}),
            4 => json!({"type": "delay", "seconds": 1}),
            5 => json!({"type": "branch", "otherwise": self.target(sketch.goto), "branches": [
                {"when": "params.full == true", "goto": self.target(sketch.goto / 2)},
            ]}),
            6 => json!({"type": "notify", "action": jira()}),
            _ => json!({"type": "remediation", "action": call, "irreversible": {"reason": "x"}}),
        };
        step["id"] = json!(id);
        if sketch.conditional {
            step["when"] = json!("params.full == true");
        }
        step
    }

    fn add_failure(&self, holder: &mut Value, failure: usize, goto: usize) {
        let policy = match failure {
            0 => return,
            1 => json!("continue"),
            2 => json!("abort"),
            3 => json!("rollback"),
            _ => Value::Object(Map::from_iter([("goto".to_owned(), json!(self.target(goto)))])),
        };
        holder["onFailure"] = policy;
    }

    fn id(&self) -> String {
        format!("u{}", self.unit)
    }

    /// A later unit, or the end.
    fn target(&self, choice: usize) -> String {
        let later = self.total - self.unit - 1;
        match choice % (later + 1) {
            0 => "end".to_owned(),
            further => format!("u{}", self.unit + further),
        }
    }
}

fn jira() -> Value {
    json!({
        "type": "jira", "site": "https://acme.atlassian.net", "email": "ops@acme.example",
        "apiToken": {"$secret": "jira"}, "project": "OPS", "summary": "s", "description": "d",
    })
}
