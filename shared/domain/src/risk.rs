//! How risky a run is (D4): the same facts always give the same score, with each factor that makes it up. A team's settings say
//! which score needs an approval, and which is refused.

use serde::{Deserialize, Serialize};

use crate::approval::{Approver, GateSpec};
use crate::fault::Fault;
use crate::runbook::phased::{PhasedRunbook, RiskLevel, Step, StepType};

/// The greatest score.
pub const MAX_SCORE: u32 = 100;
/// How many runs of the past count as a history.
pub const MIN_HISTORY: u32 = 5;
/// The most approvers that a policy names.
const MAX_APPROVERS: usize = 20;

/// The risk of a run, as it was found before the run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Risk {
    /// 0 to 100.
    pub score: u32,
    /// What makes the score up, the heaviest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub factors: Vec<Factor>,
    /// The approval that the team's policy demands at this score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub demands: Option<GateSpec>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Factor {
    pub name: String,
    pub points: u32,
    pub why: String,
}

/// What is known of a run beside its runbook.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// The environment, and whether it counts as production; `None` if the runbook names none.
    pub environment: Option<(String, bool)>,
    /// How many of the runbook's latest runs came to an end, and how many of these failed or were taken back.
    pub ended: u32,
    pub failed: u32,
}

/// What a team demands of risky runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RiskPolicy {
    /// From this score on, 1 to 100, one of `approvers` has to approve the run before its first step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval_from: Option<u32>,
    /// 1 to 20, if `approvalFrom` is given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvers: Vec<Approver>,
    /// From this score on, 1 to 100, a run is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_from: Option<u32>,
}

impl RiskPolicy {
    /// All that is wrong with it; `at` is where it stands.
    pub fn faults(&self, at: &str) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (name, score) in [("approvalFrom", self.approval_from), ("refusedFrom", self.refused_from)] {
            if score.is_some_and(|score| score == 0 || score > MAX_SCORE) {
                faults.push(Fault::new(format!("{at}/{name}"), format!("must be 1 to {MAX_SCORE}")));
            }
        }
        let named = self.approvers.len();
        if named > MAX_APPROVERS {
            let message = format!("names {named} approvers; at most {MAX_APPROVERS}");
            faults.push(Fault::new(format!("{at}/approvers"), message));
        }
        if self.approval_from.is_some() && named == 0 {
            let message = "names nobody; say who approves, as in `team:payments:admin`";
            faults.push(Fault::new(format!("{at}/approvers"), message));
        }
        faults
    }

    /// Why a run of this score is refused.
    pub fn refusal(&self, score: u32) -> Option<String> {
        let from = self.refused_from.filter(|from| score >= *from)?;
        Some(format!("its risk is {score}, and from {from} on the team refuses runs"))
    }

    /// The approval that a run of this score needs before its first step.
    pub fn demands(&self, score: u32) -> Option<GateSpec> {
        self.approval_from.filter(|from| score >= *from)?;
        Some(GateSpec::of_one(self.approvers.clone()))
    }
}

/// The risk of one run of a runbook.
pub fn assess(runbook: &PhasedRunbook, facts: &Facts) -> Risk {
    let steps: Vec<&Step> = runbook.steps().map(|(_, step)| step).collect();
    let mut factors: Vec<Factor> = [
        riskiest(&steps),
        further_changes(&steps),
        irreversible(&steps),
        environment(facts),
        unverified(runbook),
        unasked(&steps),
        history(facts),
    ]
    .into_iter()
    .flatten()
    .collect();
    factors.sort_by_key(|factor| std::cmp::Reverse(factor.points));
    let score = factors.iter().map(|factor| factor.points).sum::<u32>().min(MAX_SCORE);
    Risk { score, factors, demands: None }
}

fn factor(name: &str, points: u32, why: String) -> Option<Factor> {
    (points > 0).then(|| Factor { name: name.to_owned(), points, why })
}

fn riskiest(steps: &[&Step]) -> Option<Factor> {
    let riskiest = steps.iter().filter(|step| step.calls()).max_by_key(|step| step.risk_level)?;
    let (points, word) = match riskiest.risk_level {
        RiskLevel::Low => (5, "low"),
        RiskLevel::Medium => (20, "medium"),
        RiskLevel::High => (40, "high"),
        RiskLevel::Critical => (60, "critical"),
    };
    factor("riskiestStep", points, format!("step {} has the risk level {word}", riskiest.id))
}

/// Each change beyond the first is one more thing that can go wrong.
fn further_changes(steps: &[&Step]) -> Option<Factor> {
    let changes = steps.iter().filter(|step| step.kind == StepType::Remediation).count();
    let further = u32::try_from(changes.saturating_sub(1)).unwrap_or(u32::MAX);
    factor("changes", further.saturating_mul(2).min(10), format!("{changes} steps change something"))
}

fn irreversible(steps: &[&Step]) -> Option<Factor> {
    let names: Vec<&str> =
        steps.iter().filter(|step| step.irreversible.is_some()).map(|step| step.id.as_str()).collect();
    let further = u32::try_from(names.len().checked_sub(1)?).unwrap_or(u32::MAX);
    let points = further.saturating_mul(5).saturating_add(15).min(30);
    factor("irreversible", points, format!("nothing takes back {}", names.join(", ")))
}

fn environment(facts: &Facts) -> Option<Factor> {
    let (name, production) = facts.environment.as_ref()?;
    factor("production", if *production { 10 } else { 0 }, format!("{name} is production"))
}

fn unverified(runbook: &PhasedRunbook) -> Option<Factor> {
    let points = if runbook.verification.is_some() { 0 } else { 5 };
    factor("unverified", points, "nothing verifies whether it helped".into())
}

/// A dangerous step about which nobody is asked.
fn unasked(steps: &[&Step]) -> Option<Factor> {
    let asks = steps.iter().any(|step| step.kind == StepType::Approval);
    let dangerous = steps.iter().find(|step| step.calls() && step.risk_level >= RiskLevel::High)?;
    factor("unasked", if asks { 0 } else { 10 }, format!("nobody is asked before step {}", dangerous.id))
}

fn history(facts: &Facts) -> Option<Factor> {
    let Facts { ended, failed, .. } = facts;
    if *ended < MIN_HISTORY {
        return factor("unproven", 5, format!("{ended} runs have ended; {MIN_HISTORY} make a history"));
    }
    let percent = failed.saturating_mul(100) / ended;
    let points = match percent {
        0..20 => 0,
        20..50 => 10,
        _ => 20,
    };
    factor("history", points, format!("{failed} of the last {ended} runs failed or were taken back"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::runbook::RunbookDefinition;

    fn runbook(steps: Value, verified: bool) -> PhasedRunbook {
        let mut definition = json!({"name": "n", "phases": [{"id": "p", "name": "P", "steps": steps}]});
        if verified {
            let probe = json!({"url": "https://ops.example/health", "expect": "response.statusCode == 200"});
            definition["verification"] = json!({"probe": probe});
        }
        let definition: RunbookDefinition = serde_json::from_value(definition).expect("parses");
        assert_eq!(definition.faults(), []);
        definition.phased().expect("phased").clone()
    }

    fn remediation(id: &str, level: &str, reversible: bool) -> Value {
        let call = json!({"type": "webhook", "url": "https://ops.example/x"});
        let mut step =
            json!({"id": id, "name": id, "type": "remediation", "riskLevel": level, "action": call});
        if reversible {
            step["undo"] = call;
        } else {
            step["irreversible"] = json!({"reason": "it is gone"});
        }
        step
    }

    fn ask() -> Value {
        let level = json!({"of": ["team:ops:admin"], "needed": 1});
        json!({"id": "ask", "name": "Ask", "type": "approval", "approval": {"levels": [level]}})
    }

    fn proven() -> Facts {
        Facts { environment: None, ended: 10, failed: 0 }
    }

    fn check(steps: Value, facts: &Facts, expected: &[(&str, u32)]) {
        let risk = assess(&runbook(steps, true), facts);
        let seen: Vec<(&str, u32)> =
            risk.factors.iter().map(|factor| (factor.name.as_str(), factor.points)).collect();
        assert_eq!(seen, expected);
        assert_eq!(risk.score, expected.iter().map(|(_, points)| points).sum::<u32>().min(MAX_SCORE));
    }

    #[test]
    fn every_factor_counts_and_says_why() {
        check(json!([remediation("a", "low", true)]), &proven(), &[("riskiestStep", 5)]);
        check(json!([ask(), remediation("a", "critical", true)]), &proven(), &[("riskiestStep", 60)]);
        check(json!([remediation("a", "high", true)]), &proven(), &[("riskiestStep", 40), ("unasked", 10)]);
        check(
            json!([remediation("a", "low", true), remediation("b", "medium", false)]),
            &proven(),
            &[("riskiestStep", 20), ("irreversible", 15), ("changes", 2)],
        );
        let production = Facts { environment: Some(("live".into(), true)), ..proven() };
        check(
            json!([remediation("a", "low", true)]),
            &production,
            &[("production", 10), ("riskiestStep", 5)],
        );
        let staging = Facts { environment: Some(("staging".into(), false)), ..proven() };
        check(json!([remediation("a", "low", true)]), &staging, &[("riskiestStep", 5)]);
    }

    #[test]
    fn a_history_counts_from_its_least_size_on() {
        let with = |ended, failed, expected: &[(&str, u32)]| {
            let facts = Facts { environment: None, ended, failed };
            check(json!([ask(), remediation("a", "high", true)]), &facts, expected);
        };
        with(4, 4, &[("riskiestStep", 40), ("unproven", 5)]);
        with(10, 1, &[("riskiestStep", 40)]);
        with(10, 2, &[("riskiestStep", 40), ("history", 10)]);
        with(10, 5, &[("riskiestStep", 40), ("history", 20)]);
    }

    #[test]
    fn a_score_never_leaves_its_scale_and_what_is_unverified_counts() {
        let steps: Vec<Value> = (0..9).map(|n| remediation(&format!("s{n}"), "critical", false)).collect();
        let facts = Facts { environment: Some(("live".into(), true)), ended: 10, failed: 10 };
        let risk = assess(&runbook(json!(steps), false), &facts);
        assert_eq!(risk.score, MAX_SCORE);
        assert!(risk.factors.iter().any(|factor| factor.name == "unverified"));
        assert_eq!(risk, assess(&runbook(json!(steps), false), &facts), "the same facts, the same risk");
    }

    #[test]
    fn a_policy_demands_and_refuses_from_its_scores_on() {
        let policy: RiskPolicy = serde_json::from_value(
            json!({"approvalFrom": 50, "approvers": ["team:ops:admin"], "refusedFrom": 90}),
        )
        .expect("parses");
        assert_eq!(policy.faults("/risk"), []);
        assert_eq!((policy.demands(49), policy.refusal(89)), (None, None));
        assert!(policy.demands(50).is_some_and(|spec| spec.levels[0].of.len() == 1));
        assert!(policy.refusal(90).is_some());
        let wrong = RiskPolicy { approval_from: Some(0), approvers: Vec::new(), refused_from: Some(101) };
        let pointers: Vec<String> = wrong.faults("/risk").into_iter().map(|fault| fault.pointer).collect();
        assert_eq!(pointers, ["/risk/approvalFrom", "/risk/refusedFrom", "/risk/approvers"]);
    }
}
