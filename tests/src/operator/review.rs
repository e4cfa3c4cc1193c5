//! An outcome that nobody can know, decided by a person from the command line.

use super::installation::Installation;
use crate::support::receiver::Reply;

#[tokio::test(flavor = "multi_thread")]
async fn inv_b3_a_watch_says_that_a_person_must_decide_and_the_person_decides() {
    let muster = Installation::start().await;
    let (runbook, ada) = (muster.approved("idempotent: false\n"), muster.author());
    muster.receiver.will([Reply::Status(500), Reply::Status(500)]);

    let unsure = ada.run(&["runbook", "execute", &runbook, "--watch", "-o", "json"]);
    assert_eq!(unsure.code, Some(7), "{unsure:?}");
    assert_eq!(unsure.text("/status"), "NEEDS_REVIEW");
    let execution = unsure.text("/id");
    assert!(unsure.stderr.contains(&format!("muster execution resolve {execution}")), "{}", unsure.stderr);

    let resolve = ["execution", "resolve", &execution, "--reason", "seen in its log", "--outcome"];
    ada.run(&[&resolve[..], &["resend"]].concat()).ok();
    assert_eq!(ada.run(&["execution", "watch", &execution]).code, Some(7));
    ada.run(&[&resolve[..], &["happened"]].concat()).ok();
    let watched = ada.run(&["execution", "watch", &execution]).ok();
    assert!(watched.stdout.contains("step webhook: resend by ada: seen in its log"), "{}", watched.stdout);
    assert_eq!(muster.receiver.received().len(), 2);
}
