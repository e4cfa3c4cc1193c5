//! Approving and deprecating versions (A4). In AWS these run in the approval function, whose role alone may write decisions.

use muster_domain::digest::Digest;
use muster_domain::fault::Fault;
use muster_domain::ids::RunbookId;
use muster_domain::policy::{Action, Owner};
use muster_domain::runbook::lifecycle::LifecycleEvent;
use muster_domain::runbook::{Deprecation, Runbook, RunbookVersion, VersionDecision, VersionStatus};
use serde_json::json;

use crate::once::Decided;
use crate::runbooks::{RunbookDetail, audit_runbook, fact, refuse_faults};
use crate::table::{Key, Record, Versioned, Write};
use crate::{App, Caller, Error, SelfApproval};

/// The longest reason a person may give, in characters.
pub const MAX_REASON_CHARS: usize = 500;
/// The most versions of one runbook that may be APPROVED at once.
pub const MAX_APPROVED_VERSIONS: usize = 32;

impl App {
    /// Makes a DRAFT version runnable: the newest, or the one named. `digest`, if given, must be that of its content.
    pub async fn approve_runbook(
        &self,
        caller: &Caller,
        id: &RunbookId,
        version: Option<u32>,
        digest: Option<Digest>,
    ) -> Result<RunbookDetail, Error> {
        let decide = async || {
            let head = self.load_decidable(caller, id).await?;
            let number = version.unwrap_or(head.value.version);
            let draft = self.load_version(id, number).await?;
            move_status(&head.value, number, LifecycleEvent::Approve)?;
            self.refuse_own_work(caller, &draft)?;
            if digest.as_ref().is_some_and(|expected| *expected != draft.digest) {
                return Err(Error::Conflict(format!("version {number} has the digest {}", draft.digest)));
            }
            if head.value.approved.len() >= MAX_APPROVED_VERSIONS {
                let message = format!("{MAX_APPROVED_VERSIONS} versions are approved; deprecate some first");
                return Err(Error::Conflict(message));
            }
            Ok(self.approve(caller, head, draft))
        };
        let detail = self.once(caller, decide).await?.into_reply();
        self.newest(detail).await
    }

    fn approve(
        &self,
        caller: &Caller,
        head: Versioned<Runbook>,
        draft: RunbookVersion,
    ) -> Decided<RunbookDetail> {
        let now = self.clock.now();
        let user = &caller.principal.user;
        let decision = VersionDecision {
            runbook: draft.runbook.clone(),
            version: draft.version,
            digest: draft.digest,
            approved_by: user.clone(),
            approved_at: now,
            self_approved: draft.writers.contains(user),
            deprecated: None,
        };
        let mut runbook = Runbook { updated_at: now, ..head.value };
        runbook.approved.insert(draft.version);
        let facts = json!({
            "version": draft.version, "digest": draft.digest, "selfApproved": decision.self_approved,
        });
        let entry = audit_runbook(&mut runbook, fact("runbook.approved", user, facts), now);
        let writes = vec![Write::replace(runbook.clone(), head.version), Write::create(decision), entry];
        let reply = RunbookDetail { runbook, version: draft, revision: head.version.saturating_add(1) };
        Decided { reply, writes }
    }

    /// Takes approved versions out of use: the one named, or all of them. What has begun a call ends it; nothing begins another.
    pub async fn deprecate_runbook(
        &self,
        caller: &Caller,
        id: &RunbookId,
        version: Option<u32>,
        reason: Option<String>,
    ) -> Result<RunbookDetail, Error> {
        refuse_faults(reason_faults(reason.as_deref()))?;
        let decide = async || {
            let head = self.load_decidable(caller, id).await?;
            let numbers = match version {
                Some(number) => vec![number],
                None if head.value.approved.is_empty() => vec![head.value.version],
                None => head.value.approved.iter().copied().collect(),
            };
            for number in &numbers {
                move_status(&head.value, *number, LifecycleEvent::Deprecate)?;
            }
            self.deprecate(caller, head, &numbers, reason.clone()).await
        };
        let detail = self.once(caller, decide).await?.into_reply();
        self.newest(detail).await
    }

    async fn deprecate(
        &self,
        caller: &Caller,
        head: Versioned<Runbook>,
        numbers: &[u32],
        reason: Option<String>,
    ) -> Result<Decided<RunbookDetail>, Error> {
        let now = self.clock.now();
        let user = &caller.principal.user;
        let mut runbook = Runbook { updated_at: now, ..head.value };
        let mut writes = Vec::new();
        for number in numbers {
            let stored = self.table.get(&Key::Decision(runbook.id.clone(), *number)).await?;
            if let Some(found) = stored.map(|stored| stored.typed::<VersionDecision>()).transpose()? {
                let deprecated = Some(Deprecation { by: user.clone(), at: now, reason: reason.clone() });
                let decision = VersionDecision { deprecated, ..found.value };
                writes.push(Write::replace(Record::Decision(decision), found.version));
            }
            runbook.approved.remove(number);
            runbook.deprecated.insert(*number);
        }
        let facts = json!({"versions": numbers, "reason": reason});
        writes.push(audit_runbook(&mut runbook, fact("runbook.deprecated", user, facts), now));
        writes.push(Write::replace(runbook.clone(), head.version));
        let version = self.load_version(&runbook.id, runbook.version).await?;
        let revision = head.version.saturating_add(1);
        Ok(Decided { reply: RunbookDetail { runbook, version, revision }, writes })
    }

    /// Shows the newest version, whichever was decided about.
    async fn newest(&self, detail: RunbookDetail) -> Result<RunbookDetail, Error> {
        if detail.version.version == detail.runbook.version {
            return Ok(detail);
        }
        let version = self.load_version(&detail.runbook.id, detail.runbook.version).await?;
        Ok(RunbookDetail { version, ..detail })
    }

    async fn load_decidable(&self, caller: &Caller, id: &RunbookId) -> Result<Versioned<Runbook>, Error> {
        let head = self.load_runbook(id).await?;
        caller.principal.may(Action::DecideRunbook, &Owner::from(head.value.team.clone()))?;
        Ok(head)
    }

    fn refuse_own_work(&self, caller: &Caller, draft: &RunbookVersion) -> Result<(), Error> {
        match self.settings.self_approval {
            SelfApproval::Allowed => Ok(()),
            SelfApproval::Refused => {
                let writers: Vec<_> = draft.writers.iter().chain([&draft.author]).collect();
                Ok(caller.principal.may_approve_work_of(&writers)?)
            }
        }
    }
}

fn move_status(runbook: &Runbook, number: u32, event: LifecycleEvent) -> Result<VersionStatus, Error> {
    let missing = || Error::NotFound { kind: "version", id: format!("{number} of runbook {}", runbook.id) };
    let status = runbook.status_of(number).ok_or_else(missing)?;
    status
        .decide(event)
        .map_err(|refusal| Error::WrongLifecycle { message: refusal.to_string(), current: refusal.current })
}

pub(crate) fn reason_faults(reason: Option<&str>) -> Vec<Fault> {
    let length = reason.map_or(0, |reason| reason.chars().count());
    let fault =
        || Fault::new("/reason", format!("has {length} characters; at most {MAX_REASON_CHARS} are allowed"));
    (length > MAX_REASON_CHARS).then(fault).into_iter().collect()
}
