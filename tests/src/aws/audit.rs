//! The audit log as it is stored, under everything that the other scenarios do meanwhile.

use rstest::rstest;
use serde_json::json;

use super::muster::execution_of;
use super::proof::proven;
use super::*;

#[rstest]
#[case::local(Target::Local)]
#[ignore = "needs the local AWS: scripts/aws-local test"]
#[case::aws(Target::Aws)]
#[tokio::test]
async fn inv_f2_every_chain_that_the_table_holds_is_proven(#[case] target: Target) {
    let muster = Muster::start(target).await;
    let runbook = muster.approved(muster.calling("/restart")).await;
    let accepted =
        muster.ann().post(&format!("/api/runbooks/{runbook}/execute"), json!({})).await.expect(202);
    let execution = execution_of(&accepted);
    ends(&muster.ann(), &execution, "SUCCESS").await;
    let audited = muster.audited().await;
    assert!(audited.contains(&runbook) && audited.contains(&execution), "{audited:?}");
    for resource in audited {
        let actions = proven(&muster.eve(), &resource).await;
        assert!(!actions.is_empty(), "{resource}");
    }
}
