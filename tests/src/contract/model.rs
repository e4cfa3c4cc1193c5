//! Random commits give equal answers on both engines and on a model that is too simple to be wrong.

use std::collections::BTreeMap;

use muster_app::table::{CommitError, DUE_SHARDS, Expect, Key, Query, Record, Stored, Write};
use muster_domain::execution::Execution;
use muster_domain::time::Time;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::Engine;
use super::records::{after, execution, execution_id, runbook_id};

#[derive(Default)]
struct Model(BTreeMap<Key, Stored>);

impl Model {
    fn commit(&mut self, writes: &[Write]) -> Result<(), Vec<Key>> {
        let fails = |write: &&Write| !self.holds(write);
        let refused: Vec<Key> = writes.iter().filter(fails).map(Write::key).collect();
        if !refused.is_empty() {
            return Err(refused);
        }
        for write in writes {
            let version = self.0.remove(&write.key()).map_or(0, |stored| stored.version) + 1;
            if let Write::Put { record, .. } = write {
                self.0.insert(write.key(), Stored { record: record.clone(), version });
            }
        }
        Ok(())
    }

    fn holds(&self, write: &Write) -> bool {
        let (Write::Put { expect, .. } | Write::Delete { expect, .. }) = write;
        match (self.0.get(&write.key()), expect) {
            (None, Expect::Absent) => true,
            (Some(stored), Expect::Version(version)) => stored.version == *version,
            (None, Expect::Version(_)) | (Some(_), Expect::Absent) => false,
        }
    }

    fn due(&self, until: Time) -> BTreeMap<Key, Stored> {
        let is_due = |stored: &Stored| match &stored.record {
            Record::Execution(execution) => execution.due_at.is_some_and(|at| at <= until),
            other => panic!("{other:?} is not written here"),
        };
        let all = self.0.iter().filter(|(_, stored)| is_due(stored));
        all.map(|(key, stored)| (key.clone(), stored.clone())).collect()
    }
}

/// What a write says it expects.
#[derive(Debug, Clone, Copy)]
enum Guess {
    /// What is there.
    Right,
    Absent,
    Version(u64),
}

/// A write before it is known what is there: an execution, its new state or `None` to delete it, and the condition.
type Plan = (u128, Option<(u32, Option<u64>)>, Guess);

fn plan() -> impl Strategy<Value = Plan> {
    let guess = prop_oneof![
        6 => Just(Guess::Right),
        1 => Just(Guess::Absent),
        1 => (0..5_u64).prop_map(Guess::Version),
    ];
    let state = proptest::option::weighted(0.8, (0..3_u32, proptest::option::of(0..5_u64)));
    (0..6_u128, state, guess)
}

fn write((number, state, guess): Plan, model: &Model) -> Write {
    let key = Key::Execution(execution_id(number));
    let there = model.0.get(&key).map(|stored| Expect::Version(stored.version));
    let expect = match guess {
        Guess::Right => there.unwrap_or(Expect::Absent),
        Guess::Absent => Expect::Absent,
        Guess::Version(version) => Expect::Version(version),
    };
    match state {
        None => Write::Delete { key, expect },
        Some((epoch, due)) => {
            let record = Execution { epoch, due_at: due.map(after), ..execution(number) };
            Write::Put { record: record.into(), expect }
        }
    }
}

/// Each key once, as the contract asks.
fn writes(plans: &[Plan], model: &Model) -> Vec<Write> {
    let by_key: BTreeMap<u128, Plan> = plans.iter().map(|plan| (plan.0, *plan)).collect();
    by_key.into_values().map(|plan| write(plan, model)).collect()
}

async fn check(engine: &Engine, commits: &[Vec<Plan>]) {
    let mut model = Model::default();
    for plans in commits {
        let writes = writes(plans, &model);
        let seen = match engine.table.commit(writes.clone()).await {
            Ok(()) => Ok(()),
            Err(CommitError::Conflict { keys }) => Err(keys),
            Err(CommitError::Table(error)) => panic!("{error:?}"),
        };
        assert_eq!(seen, model.commit(&writes), "{writes:?}");
    }
    check_state(engine, &model).await;
}

async fn check_state(engine: &Engine, model: &Model) {
    let keys: Vec<Key> = (0..6).map(|number| Key::Execution(execution_id(number))).collect();
    assert_eq!(engine.table.batch_get(&keys).await.unwrap(), model.0);
    let listed = engine.list(&Query::ExecutionsOfRunbook { runbook: runbook_id(1) }).await;
    assert_eq!(listed, model.0.values().cloned().collect::<Vec<_>>());
    for until in [0, 2, 4].map(after) {
        let mut due = BTreeMap::new();
        for shard in 0..DUE_SHARDS {
            let found = engine.list(&Query::Due { shard, until }).await;
            due.extend(found.into_iter().map(|stored| (stored.record.key(), stored)));
        }
        assert_eq!(due, model.due(until));
    }
}

#[test]
fn random_commits_give_equal_answers_on_both_engines_and_a_model() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let config = Config { cases: 16, failure_persistence: None, ..Config::default() };
    let commits = proptest::collection::vec(proptest::collection::vec(plan(), 1..4), 1..20);
    let outcome = TestRunner::new(config).run(&commits, |commits| {
        runtime.block_on(async {
            check(&Engine::sqlite(), &commits).await;
            check(&Engine::dynamo().await, &commits).await;
        });
        Ok(())
    });
    outcome.unwrap();
}
