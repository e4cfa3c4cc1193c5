//! Which records are in which list, as they come, change and go.

use muster_app::table::{DUE_SHARDS, Expect, Key, Query, Record, Write};
use muster_domain::approval::{Approval, ApprovalState};
use muster_domain::audit::Resource;
use muster_domain::control::Scope;
use muster_domain::execution::Execution;
use muster_domain::runbook::Runbook;
use muster_domain::time::Time;

use super::records::{
    NOON, after, approval, audit, due, execution, execution_id, incident, incident_id, keys, of_runbook,
    parent, runbook, runbook_id, team,
};
use super::{Engine, on_both_engines};

on_both_engines!(
    runbooks_are_listed_for_all_and_for_their_team,
    a_deleted_runbook_leaves_its_lists,
    executions_are_listed_by_runbook_incident_and_parent,
    incidents_are_listed_for_all_and_for_their_team,
    an_incident_that_changes_its_team_changes_its_list,
    open_approvals_are_listed_by_their_end_for_all_and_for_their_team,
    audit_entries_are_listed_by_resource_and_by_team_and_day,
    what_is_due_is_listed_most_overdue_first_up_to_the_moment_itself,
    a_due_time_that_moves_or_ends_moves_in_the_index,
    a_deleted_record_leaves_its_lists,
    a_list_shows_the_newest_state_of_its_records,
);

async fn create(engine: &Engine, records: Vec<Record>) {
    engine.commit(records.into_iter().map(Write::create).collect()).await;
}

async fn check(engine: &Engine, query: Query, expected: &[Key]) {
    assert_eq!(keys(&engine.list(&query).await), expected, "{query:?}");
}

fn runbooks(numbers: &[u128]) -> Vec<Key> {
    numbers.iter().map(|number| Key::Runbook(runbook_id(*number))).collect()
}

fn executions(numbers: &[u128]) -> Vec<Key> {
    numbers.iter().map(|number| Key::Execution(execution_id(*number))).collect()
}

fn incidents(numbers: &[u128]) -> Vec<Key> {
    numbers.iter().map(|number| Key::Incident(incident_id(*number))).collect()
}

async fn runbooks_are_listed_for_all_and_for_their_team(engine: Engine) {
    let of = |number, of_team| Record::from(runbook(number, of_team));
    create(&engine, vec![of(1, None), of(2, Some("ops")), of(3, Some("web")), of(4, Some("ops"))]).await;
    check(&engine, Query::Runbooks, &runbooks(&[1, 2, 3, 4])).await;
    check(&engine, Query::RunbooksOfTeam { team: team("ops") }, &runbooks(&[2, 4])).await;
    check(&engine, Query::RunbooksOfTeam { team: team("op") }, &[]).await;
    check(&engine, Query::RunbooksOfTeam { team: team("-") }, &[]).await;
}

async fn a_deleted_runbook_leaves_its_lists(engine: Engine) {
    create(&engine, vec![runbook(1, Some("ops")).into(), runbook(2, Some("ops")).into()]).await;
    let deleted = Runbook { deleted_at: Some(NOON), ..runbook(1, Some("ops")) };
    engine.commit(vec![Write::replace(deleted, 1)]).await;
    check(&engine, Query::Runbooks, &runbooks(&[2])).await;
    check(&engine, Query::RunbooksOfTeam { team: team("ops") }, &runbooks(&[2])).await;
    assert!(engine.get(&Key::Runbook(runbook_id(1))).await.is_some());
}

async fn executions_are_listed_by_runbook_incident_and_parent(engine: Engine) {
    let of_incident = Execution { incident: Some(incident_id(7)), ..execution(2) };
    let of_parent = Execution { parent: Some(parent(1)), ..execution(3) };
    let of_other = of_runbook(4, 2);
    create(&engine, vec![execution(1).into(), of_incident.into(), of_parent.into(), of_other.into()]).await;
    check(&engine, Query::ExecutionsOfRunbook { runbook: runbook_id(1) }, &executions(&[1, 2, 3])).await;
    check(&engine, Query::ExecutionsOfRunbook { runbook: runbook_id(2) }, &executions(&[4])).await;
    check(&engine, Query::ExecutionsOfIncident { incident: incident_id(7) }, &executions(&[2])).await;
    check(&engine, Query::ExecutionsOfParent { parent: execution_id(1) }, &executions(&[3])).await;
    check(&engine, Query::ExecutionsOfParent { parent: execution_id(2) }, &[]).await;
}

async fn open_approvals_are_listed_by_their_end_for_all_and_for_their_team(engine: Engine) {
    let rounds = |numbers: &[u32]| -> Vec<Key> {
        let key = |round: &u32| Key::Approval(execution_id(1), "ask".parse().unwrap(), *round);
        numbers.iter().map(key).collect()
    };
    let (ops, all) = (Query::OpenApprovals { team: Some(team("ops")) }, Query::OpenApprovals { team: None });
    let of = |round, of_team, seconds| Record::from(approval(round, of_team, after(seconds)));
    create(&engine, vec![of(1, Some("ops"), 30), of(2, Some("ops"), 10), of(3, None, 20)]).await;
    check(&engine, all.clone(), &rounds(&[2, 3, 1])).await;
    check(&engine, ops.clone(), &rounds(&[2, 1])).await;
    check(&engine, Query::ApprovalsOfExecution { execution: execution_id(1) }, &rounds(&[1, 2, 3])).await;
    let approved = Approval { state: ApprovalState::Approved, ..approval(2, Some("ops"), after(10)) };
    engine.commit(vec![Write::replace(approved, 1)]).await;
    check(&engine, all, &rounds(&[3, 1])).await;
    check(&engine, ops, &rounds(&[1])).await;
}

async fn incidents_are_listed_for_all_and_for_their_team(engine: Engine) {
    let of = |number, of_team| Record::from(incident(number, of_team));
    create(&engine, vec![of(1, None), of(2, Some("ops")), of(3, Some("web"))]).await;
    check(&engine, Query::Incidents, &incidents(&[1, 2, 3])).await;
    check(&engine, Query::IncidentsOfTeam { team: team("web") }, &incidents(&[3])).await;
    check(&engine, Query::IncidentsOfTeam { team: team("-") }, &[]).await;
}

async fn an_incident_that_changes_its_team_changes_its_list(engine: Engine) {
    create(&engine, vec![incident(1, Some("ops")).into()]).await;
    engine.commit(vec![Write::replace(incident(1, Some("web")), 1)]).await;
    check(&engine, Query::IncidentsOfTeam { team: team("ops") }, &[]).await;
    check(&engine, Query::IncidentsOfTeam { team: team("web") }, &incidents(&[1])).await;
}

async fn audit_entries_are_listed_by_resource_and_by_team_and_day(engine: Engine) {
    let (one, other) = (Resource::Runbook(runbook_id(1)), Resource::Control(Scope::Team(team("ops"))));
    let next_day = after(12 * 60 * 60);
    let entry =
        |resource: &Resource, seq, of_team, at| Record::from(audit(resource.clone(), seq, of_team, at));
    create(
        &engine,
        vec![
            entry(&one, 1, Some("ops"), after(2)),
            entry(&one, 2, Some("ops"), next_day),
            entry(&one, 3, None, after(3)),
            entry(&other, 1, Some("ops"), after(1)),
        ],
    )
    .await;
    let key = |resource: &Resource, seq| Key::Audit(resource.clone(), seq);
    let day = |name: Option<&str>, day: &str| Query::AuditOfDay { team: name.map(team), day: day.to_owned() };
    let all = [key(&one, 1), key(&one, 2), key(&one, 3)];
    check(&engine, Query::AuditOfResource { resource: one.clone() }, &all).await;
    check(&engine, Query::AuditOfResource { resource: other.clone() }, &[key(&other, 1)]).await;
    check(&engine, day(Some("ops"), "2026-03-01"), &[key(&other, 1), key(&one, 1)]).await;
    check(&engine, day(Some("ops"), "2026-03-02"), &[key(&one, 2)]).await;
    check(&engine, day(None, "2026-03-01"), &[key(&one, 3)]).await;
    check(&engine, day(None, "2026-03-02"), &[]).await;
    check(&engine, day(Some("-"), "2026-03-01"), &[]).await;
}

/// Everything that is due at a moment, over all shards.
async fn all_due(engine: &Engine, until: Time) -> Vec<Key> {
    let mut found = Vec::new();
    for shard in 0..DUE_SHARDS {
        let due = engine.list(&Query::Due { shard, until }).await;
        let times: Vec<Time> = due
            .iter()
            .map(|stored| match &stored.record {
                Record::Execution(execution) => execution.due_at.unwrap(),
                other => panic!("{other:?} is never due"),
            })
            .collect();
        assert!(times.is_sorted(), "{times:?}");
        found.extend(keys(&due));
    }
    found.sort();
    found
}

async fn what_is_due_is_listed_most_overdue_first_up_to_the_moment_itself(engine: Engine) {
    let at = |number: u128| after(u64::try_from(number).unwrap() / 2);
    create(&engine, (0..40).rev().map(|number| due(number, at(number)).into()).collect()).await;
    create(&engine, vec![execution(90).into()]).await;
    for (seconds, count) in [(0, 2), (1, 4), (10, 22), (19, 40), (1_000, 40)] {
        let expected: Vec<u128> = (0..count).collect();
        assert_eq!(all_due(&engine, after(seconds)).await, executions(&expected), "{seconds}");
    }
    assert_eq!(all_due(&engine, Time::from_millis(NOON.millis() - 1)).await, []);
    assert_eq!(all_due(&engine, Time::from_millis(i64::MAX)).await.len(), 40);
}

async fn a_due_time_that_moves_or_ends_moves_in_the_index(engine: Engine) {
    create(&engine, vec![due(1, NOON).into()]).await;
    engine.commit(vec![Write::replace(due(1, after(60)), 1)]).await;
    assert_eq!(all_due(&engine, after(59)).await, []);
    assert_eq!(all_due(&engine, after(60)).await, executions(&[1]));
    engine.commit(vec![Write::replace(execution(1), 2)]).await;
    assert_eq!(all_due(&engine, after(60)).await, []);
    engine.commit(vec![Write::replace(due(1, after(1)), 3)]).await;
    assert_eq!(all_due(&engine, after(1)).await, executions(&[1]));
}

async fn a_deleted_record_leaves_its_lists(engine: Engine) {
    create(&engine, vec![due(1, NOON).into()]).await;
    let key = Key::Execution(execution_id(1));
    engine.commit(vec![Write::Delete { key, expect: Expect::Version(1) }]).await;
    check(&engine, Query::ExecutionsOfRunbook { runbook: runbook_id(1) }, &[]).await;
    assert_eq!(all_due(&engine, NOON).await, []);
}

async fn a_list_shows_the_newest_state_of_its_records(engine: Engine) {
    create(&engine, vec![due(1, NOON).into()]).await;
    let changed = Execution { epoch: 5, ..due(1, NOON) };
    engine.commit(vec![Write::replace(changed.clone(), 1)]).await;
    let listed = engine.list(&Query::ExecutionsOfRunbook { runbook: runbook_id(1) }).await;
    let found: Vec<(Record, u64)> =
        listed.into_iter().map(|stored| (stored.record, stored.version)).collect();
    assert_eq!(found, [(changed.into(), 2)]);
}
