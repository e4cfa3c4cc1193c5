//! Reading approvals, their ledgers, and who the people concerned are.

use std::collections::BTreeSet;

use muster_domain::approval::{Approval, Ledger, People};
use muster_domain::ids::{ExecutionId, StepId, UserId};

use super::GateDetail;
use crate::table::{Key, Versioned};
use crate::{App, Error};

impl App {
    pub(crate) async fn load_approval(
        &self,
        execution: &ExecutionId,
        step: &StepId,
        round: u32,
    ) -> Result<Option<Versioned<Approval>>, Error> {
        let stored = self.table.get(&Key::Approval(execution.clone(), step.clone(), round)).await?;
        Ok(stored.map(|stored| stored.typed()).transpose()?)
    }

    pub(crate) async fn load_ledger(&self, approval: &Approval) -> Result<Option<Versioned<Ledger>>, Error> {
        let stored = self.table.get(&ledger_key(approval)).await?;
        Ok(stored.map(|stored| stored.typed()).transpose()?)
    }

    /// Each with what was decided about it.
    pub(crate) async fn with_ledgers(&self, approvals: Vec<Approval>) -> Result<Vec<GateDetail>, Error> {
        let keys: Vec<Key> = approvals.iter().map(ledger_key).collect();
        let mut found = self.read_all(&keys).await?;
        let with_ledger = |(approval, key): (Approval, &Key)| {
            let ledger = found.remove(key).map(|stored| stored.typed::<Ledger>()).transpose()?;
            Ok(GateDetail { approval, ledger: ledger.map(|ledger| ledger.value) })
        };
        approvals.into_iter().zip(&keys).map(with_ledger).collect()
    }

    /// Who those are that a judgement is about: everyone who may not or did decide, and whoever is about to.
    pub(crate) async fn people_of(
        &self,
        detail: &[GateDetail],
        more: impl IntoIterator<Item = UserId>,
    ) -> Result<People, Error> {
        let names = detail.iter().flat_map(|one| one.approval.names(one.ledger.as_ref()));
        let names: BTreeSet<UserId> = names.chain(more).collect();
        self.people(names).await
    }
}

fn ledger_key(approval: &Approval) -> Key {
    let question = &approval.question;
    Key::Ledger(question.execution.clone(), question.step.clone(), question.round)
}
