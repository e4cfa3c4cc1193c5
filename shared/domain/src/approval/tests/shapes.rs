//! The stored shapes, frozen.

use super::*;

#[test]
fn the_stored_shapes_are_frozen() {
    let mut gate = Gate::of(two_levels());
    gate.play("ann+ bob+ root!bob");
    insta::assert_json_snapshot!("approval", &gate.approval);
    insta::assert_json_snapshot!("ledger", &gate.ledger);
    insta::assert_json_snapshot!("person", person("ann", &["ann2"]));
}

#[test]
fn what_is_stored_reads_back_the_same() {
    let mut gate = Gate::of(two_levels());
    gate.play("ann+ bob-");
    let again: Approval =
        serde_json::from_str(&serde_json::to_string(&gate.approval).expect("writes")).expect("reads");
    assert_eq!(again, gate.approval);
    let ledger = serde_json::to_value(&gate.ledger).expect("writes");
    assert_eq!(serde_json::from_value::<Option<Ledger>>(ledger).expect("reads"), gate.ledger);
}
