//! What is asked: of an execution, of everybody, and of whoever looks.

use muster_domain::approval::{Approval, may_answer};
use muster_domain::ids::{ExecutionId, TeamId};
use muster_domain::policy::{Action, Owner};

use super::GateDetail;
use crate::paging::{List, Paging};
use crate::table::{Order, PageRequest, Query};
use crate::{App, Caller, Error};

/// The most rounds of one execution that are shown.
const MOST_SHOWN: u32 = 100;

impl App {
    /// Every round that an execution asked, with what was decided.
    pub async fn approvals_of_execution(
        &self,
        caller: &Caller,
        id: &ExecutionId,
    ) -> Result<Vec<GateDetail>, Error> {
        self.execution(caller, id).await?;
        let query = Query::ApprovalsOfExecution { execution: id.clone() };
        let request = PageRequest { limit: MOST_SHOWN, order: Order::Ascending, after: None };
        let page = self.table.query(&query, &request).await?;
        let approvals = page.records.into_iter().filter_map(|stored| Approval::try_from(stored.record).ok());
        self.with_ledgers(approvals.collect()).await
    }

    /// Those open approvals that the caller may read, what ends first first.
    pub async fn open_approvals(
        &self,
        caller: &Caller,
        team: Option<TeamId>,
        paging: &Paging,
    ) -> Result<List<GateDetail>, Error> {
        if let Some(team) = &team {
            caller.principal.may(Action::Read, &Owner::Team(team.clone()))?;
        }
        let query = Query::OpenApprovals { team };
        let shows = |record| {
            let approval = Approval::try_from(record).ok()?;
            let owner = Owner::from(approval.question.team.clone());
            caller.principal.may(Action::Read, &owner).is_ok().then_some(approval)
        };
        let List { items, next } = self.first_first(&query, &query, paging, shows).await?;
        Ok(List { items: self.with_ledgers(items).await?, next })
    }

    /// Those open approvals that the caller may decide now, of whatever team, what ends first first. A page may hold fewer than
    /// its limit and still have a next.
    pub async fn approvals_waiting_for(
        &self,
        caller: &Caller,
        team: Option<TeamId>,
        paging: &Paging,
    ) -> Result<List<GateDetail>, Error> {
        let query = Query::OpenApprovals { team };
        let scope = (&query, "waiting for", &caller.principal.user);
        let shows = |record| {
            let approval = Approval::try_from(record).ok()?;
            approval.names_approver(&caller.principal).then_some(approval)
        };
        let List { items, next } = self.first_first(&scope, &query, paging, shows).await?;
        let details = self.with_ledgers(items).await?;
        let people = self.people_of(&details, [caller.principal.user.clone()]).await?;
        let now = self.clock.now();
        let waits = |detail: &GateDetail| {
            may_answer(&detail.approval, detail.ledger.as_ref(), (&caller.principal, &people), now)
        };
        Ok(List { items: details.into_iter().filter(waits).collect(), next })
    }
}
