//! What a script is told when something is not done: the exit code, and nothing on standard output.

use super::installation::{Installation, Person, clean};

fn check(person: &Person, arguments: &[&str], code: i32, said: &str) {
    let ran = person.run(arguments);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(code), ""), "{arguments:?}: {ran:?}");
    assert!(ran.stderr.contains(said), "{arguments:?}: {ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_refusal_has_its_exit_code() {
    let muster = Installation::start().await;
    let (ada, bo) = (muster.author(), muster.approver());
    let viewer = muster.person("eve", &["team:ops:viewer"]);
    let draft = muster.draft("parameters: {type: object, required: [service]}\n");

    check(&ada, &["runbook", "get", "rb_1"], 2, "26 characters of a ULID");
    check(&ada, &["runbook", "get", "rb_00000000000000000000000000"], 3, "(404)");
    check(&viewer, &["runbook", "execute", &draft], 4, "(403)");
    check(&ada, &["runbook", "execute", &draft], 5, "current status: DRAFT");
    bo.run(&["runbook", "approve", &draft]).ok();
    check(&bo, &["runbook", "approve", &draft], 5, "current status: APPROVED");
    check(&ada, &["runbook", "execute", &draft], 2, "/parameters");
    check(&ada, &["kill-switch", "engage", "global", "--reason", "drill"], 4, "platform-admin");
    bo.run(&["kill-switch", "engage", "global", "--reason", "drill"]).ok();
    check(&ada, &["runbook", "execute", &draft, "-p", "service=api"], 5, "drill");
    check(&ada, &["runbook", "execute", &draft, "-p", "service=api"], 5, "correlation id: ");
}

#[tokio::test(flavor = "multi_thread")]
async fn inv_c3_the_author_does_not_approve() {
    let muster = Installation::start().await;
    let author = muster.person("solo", &["platform-admin"]);
    let file = muster.runbook_file("");
    let created = author.run(&["runbook", "create", "-o", "json", "-f", file.to_str().unwrap()]).ok();
    check(&author, &["runbook", "approve", &created.text("/id")], 4, "(403)");
}

#[tokio::test(flavor = "multi_thread")]
async fn inv_f3_a_token_is_shown_nowhere() {
    let muster = Installation::start().await;
    for token in ["canary-token-1", "two;canaries"] {
        for format in ["table", "json"] {
            let mut command = clean("queue");
            command.args(["stats", "-o", format, "--url", &muster.url]).env("MUSTER_TOKEN", token);
            let ran = command.output().unwrap();
            let said = String::from_utf8([ran.stdout, ran.stderr].concat()).unwrap();
            assert!(ran.status.code() == Some(4) || ran.status.code() == Some(2), "{said}");
            assert!(!said.contains("canar"), "{said}");
        }
    }
    let help = clean("queue").args(["stats", "--help"]).env("MUSTER_TOKEN", "canary-token").output().unwrap();
    assert!(!String::from_utf8(help.stdout).unwrap().contains("canary"));
}

#[test]
fn a_server_that_is_not_there_is_unavailable() {
    let ran = clean("queue").args(["stats", "--url", "http://127.0.0.1:1"]).output().unwrap();
    assert_eq!((ran.status.code(), ran.stdout.len()), (Some(6), 0));
}
