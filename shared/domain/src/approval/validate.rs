//! What makes a gate valid: that it can be answered, that it ends, and that it is small enough to store.

use std::collections::BTreeSet;

use super::{Approver, GateSpec, Level, OnExpiry};
use crate::fault::Fault;
use crate::ids::UserId;
use crate::schema::ParameterSchema;

pub const MAX_LEVELS: usize = 5;
/// Of one level or one rung.
pub const MAX_APPROVERS: usize = 20;
/// Of one level.
pub const MAX_NEEDED: u32 = 20;
/// Over all levels: a ledger is one item of the table.
pub const MAX_NEEDED_IN_ALL: u32 = 32;
pub const MAX_RUNGS: usize = 5;
/// Seven days.
pub const MAX_EXPIRY_SECONDS: u64 = 7 * 24 * 3_600;

impl GateSpec {
    /// All that is wrong with a gate that stands at `at`; `covers_only_low_risk` tells whether every step that it covers
    /// is of low risk.
    pub fn faults(&self, at: &str, covers_only_low_risk: bool) -> Vec<Fault> {
        let mut faults = Vec::new();
        self.check_levels(at, &mut faults);
        self.check_expiry(at, &mut faults);
        self.check_escalation(at, &mut faults);
        if self.on_expiry == OnExpiry::Proceed && !covers_only_low_risk {
            let message =
                "may be `proceed` only if every covered step has the riskLevel low; use deny or escalate";
            faults.push(Fault::new(format!("{at}/onExpiry"), message));
        }
        if let Some(Err(found)) = self.form.as_ref().map(ParameterSchema::compile) {
            faults.extend(found.into_iter().map(|fault| fault.under(&format!("{at}/form"))));
        }
        faults
    }

    fn check_levels(&self, at: &str, faults: &mut Vec<Fault>) {
        if self.levels.is_empty() || self.levels.len() > MAX_LEVELS {
            let message = format!("has {} levels; 1 to {MAX_LEVELS} are allowed", self.levels.len());
            faults.push(Fault::new(format!("{at}/levels"), message));
        }
        for (position, level) in self.levels.iter().enumerate() {
            let at = format!("{at}/levels/{position}");
            check_approvers(&format!("{at}/of"), &level.of, faults);
            self.check_needed(&format!("{at}/needed"), level, faults);
        }
        self.check_needed_in_all(&format!("{at}/levels"), faults);
    }

    fn check_needed(&self, at: &str, level: &Level, faults: &mut Vec<Fault>) {
        let could = self.people_of(std::slice::from_ref(level));
        if level.needed == 0 || level.needed > MAX_NEEDED {
            faults.push(Fault::new(at, format!("is {}; 1 to {MAX_NEEDED} are allowed", level.needed)));
        } else if let Some(could) = could.filter(|could| *could < level.needed) {
            let message = format!("is {}, but only {could} people could ever answer", level.needed);
            faults.push(Fault::new(at, message));
        }
    }

    /// One person counts once over all levels. Of a single level its own check tells as much.
    fn check_needed_in_all(&self, at: &str, faults: &mut Vec<Fault>) {
        let needed = self.levels.iter().map(|level| level.needed).fold(0, u32::saturating_add);
        if needed > MAX_NEEDED_IN_ALL {
            let message = format!("need {needed} people in all; at most {MAX_NEEDED_IN_ALL} are allowed");
            faults.push(Fault::new(at, message));
        } else if let Some(could) = self.people_of(&self.levels).filter(|could| *could < needed)
            && self.levels.len() > 1
        {
            let message = format!(
                "need {needed} different people in all, but only {could} could ever answer: one person counts once"
            );
            faults.push(Fault::new(at, message));
        }
    }

    /// How many people could ever answer these levels; `None` if that depends on who is in a group, or nobody is named, which
    /// is a fault of its own.
    fn people_of(&self, levels: &[Level]) -> Option<u32> {
        let approvers = levels.iter().flat_map(|level| &level.of);
        let escalated = self.escalation.iter().flat_map(|rung| &rung.to);
        let users: Option<BTreeSet<&UserId>> = approvers.chain(escalated).map(user_of).collect();
        users.filter(|users| !users.is_empty()).map(|users| u32::try_from(users.len()).unwrap_or(u32::MAX))
    }

    fn check_expiry(&self, at: &str, faults: &mut Vec<Fault>) {
        if self.expires_in_seconds == 0 || self.expires_in_seconds > MAX_EXPIRY_SECONDS {
            let message = format!("is {}; 1 to {MAX_EXPIRY_SECONDS} are allowed", self.expires_in_seconds);
            faults.push(Fault::new(format!("{at}/expiresInSeconds"), message));
        }
        if self.on_expiry == OnExpiry::Escalate && self.escalation.is_empty() {
            let message = "is `escalate`, but there is no escalation; name whom to ask under `escalation`";
            faults.push(Fault::new(format!("{at}/onExpiry"), message));
        }
    }

    fn check_escalation(&self, at: &str, faults: &mut Vec<Fault>) {
        if self.escalation.len() > MAX_RUNGS {
            let message = format!("has {} rungs; at most {MAX_RUNGS} are allowed", self.escalation.len());
            faults.push(Fault::new(format!("{at}/escalation"), message));
        }
        let mut before = 0;
        for (position, rung) in self.escalation.iter().enumerate() {
            let at = format!("{at}/escalation/{position}");
            check_approvers(&format!("{at}/to"), &rung.to, faults);
            if rung.after_seconds <= before || rung.after_seconds >= self.expires_in_seconds {
                let message = format!(
                    "is {}; it must be more than {before} and less than expiresInSeconds, {}",
                    rung.after_seconds, self.expires_in_seconds
                );
                faults.push(Fault::new(format!("{at}/afterSeconds"), message));
            }
            before = rung.after_seconds;
        }
    }
}

fn check_approvers(at: &str, approvers: &[Approver], faults: &mut Vec<Fault>) {
    if approvers.is_empty() || approvers.len() > MAX_APPROVERS {
        let message = format!("names {} approvers; 1 to {MAX_APPROVERS} are allowed", approvers.len());
        faults.push(Fault::new(at, message));
    }
}

const fn user_of(approver: &Approver) -> Option<&UserId> {
    match approver {
        Approver::User(user) => Some(user),
        Approver::Role { .. } | Approver::PlatformAdmin => None,
    }
}
