//! The protocol of workers, people and receivers around the domain's own `decide`, explored in every order.
//!
//! `docs/STATE-MACHINES.md`, "What is model-checked", says what may happen here, within which bounds, and what is promised.

mod action;
mod brought;
mod disturbance;
mod ending;
mod fingerprint;
mod mutant;
mod people;
mod plans;
mod promise;
mod protocol;
mod worker;
mod world;

use std::time::{Duration, Instant};

use stateright::{Checker, HasDiscoveries, Model};

use self::mutant::Mutant;
use self::plans::Scenario;
use self::promise::Promise;
use self::protocol::Protocol;

/// A scenario whose bounds are wider than this takes too long for every change.
const LONGEST: Duration = Duration::from_secs(300);

/// Every order of events within the bounds of a scenario; a promise that is broken is printed with the way to it.
fn explore(scenario: Scenario) {
    let (name, begun) = (scenario.name, Instant::now());
    let checker = Protocol::new(scenario, None)
        .checker()
        .threads(2)
        .finish_when(HasDiscoveries::AnyFailures)
        .timeout(LONGEST)
        .spawn_bfs()
        .join();
    if let Some((promise, path)) = checker.discoveries().into_iter().next() {
        let actions: Vec<String> = path.into_actions().iter().map(|action| format!("{action:?}")).collect();
        panic!("{name}: {promise} does not hold after\n  {}", actions.join("\n  "));
    }
    println!(
        "{name}: {} unique states, {} transitions, depth {}, {:.1} s",
        checker.unique_state_count(),
        checker.state_count(),
        checker.max_depth(),
        begun.elapsed().as_secs_f64()
    );
    assert!(begun.elapsed() < LONGEST, "{name}: not every state was reached");
}

#[test]
fn inv_b1_b2_f2_one_step_keeps_the_promises() {
    explore(Scenario::one_step());
}

#[test]
fn inv_b1_b2_b7_g3_two_steps_with_undos_keep_the_promises() {
    explore(Scenario::two_steps_with_undos());
}

#[test]
fn inv_c4_a_gate_before_a_group_keeps_the_promises() {
    explore(Scenario::gate_before_group());
}

#[test]
fn inv_c4_a_gate_before_turns_keeps_the_promises() {
    explore(Scenario::gate_before_turns());
}

#[test]
fn inv_b3_a_step_that_is_not_idempotent_keeps_the_promises() {
    explore(Scenario::callback_and_branch());
}

/// Breaks the engine in one way and expects the checker to see it.
fn check_broken(scenario: Scenario, mutant: Mutant, promise: Promise) {
    let name = scenario.name;
    let checker = Protocol::new(scenario, Some(mutant))
        .checker()
        .threads(2)
        .finish_when(HasDiscoveries::AnyOf([promise.text()].into()))
        .spawn_bfs()
        .join();
    let found = checker.discovery(promise.text());
    assert!(found.is_some(), "{name}: {mutant:?} leaves the promise: {}", promise.text());
}

#[test]
fn each_promise_can_be_broken() {
    for (mutant, promise) in Mutant::ALL {
        check_broken(mutant.scenario(), mutant, promise);
    }
    for promise in Promise::ALL {
        assert!(Mutant::ALL.iter().any(|(_, broken)| *broken == promise), "{}", promise.text());
    }
}
