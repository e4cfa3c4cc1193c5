//! What a function does that cannot start.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

use super::installation::Installation;
use crate::support::lambda::Function;

/// Every function, without any variable of Muster.
#[tokio::test]
async fn a_function_without_its_variables_says_which_and_ends() {
    for (name, variables) in [
        (
            "muster-api",
            "MUSTER_TABLE MUSTER_QUEUE_URL MUSTER_DLQ_URL MUSTER_GROUPS_CLAIM MUSTER_SECRET_PREFIX MUSTER_ENVIRONMENT MUSTER_LOG",
        ),
        (
            "muster-approval",
            "MUSTER_TABLE MUSTER_GROUPS_CLAIM MUSTER_ALLOW_SELF_APPROVAL MUSTER_ENVIRONMENT MUSTER_LOG",
        ),
        ("muster-worker", "MUSTER_TABLE MUSTER_QUEUE_URL MUSTER_SECRET_PREFIX MUSTER_ENVIRONMENT MUSTER_LOG"),
        ("muster-sweeper", "MUSTER_TABLE MUSTER_QUEUE_URL MUSTER_ENVIRONMENT MUSTER_LOG"),
        ("muster-dead-letter", "MUSTER_TABLE MUSTER_ENVIRONMENT MUSTER_LOG"),
        ("muster-matcher", "MUSTER_ENVIRONMENT MUSTER_LOG"),
    ] {
        let (status, told, lines) = Function::start(name, Vec::new()).await.failure_to_start().await;
        assert_eq!(status.code(), Some(1), "{name}");
        let [told] = told.as_slice() else { panic!("{name} told Lambda {told:?}") };
        let message = told["errorMessage"].as_str().unwrap();
        for variable in variables.split(' ') {
            assert!(message.contains(&format!("{variable} is not set")), "{name}: {message}");
        }
        let [line] = lines.as_slice() else { panic!("{name} wrote {lines:?}") };
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!((&line["level"], &line["service"]), (&"ERROR".into(), &name.into()));
        assert_eq!(line["error"], message);
    }
}

#[tokio::test]
async fn a_wrong_value_is_named_with_what_was_expected() {
    let installation = Installation::start().await;
    let wrong = [("MUSTER_ALLOW_SELF_APPROVAL", "yes")];
    let approval = installation.function_with("muster-approval", &wrong).await;
    let (status, told, _) = approval.failure_to_start().await;
    assert_eq!(status.code(), Some(1));
    let message = told[0]["errorMessage"].as_str().unwrap();
    assert!(
        message.ends_with("MUSTER_ALLOW_SELF_APPROVAL is \"yes\" and must be true or false"),
        "{message}"
    );
}

/// An address on loopback is opened beside an emulator of AWS alone, and this installation has AWS's own endpoints.
#[tokio::test]
async fn inv_d1_a_worker_that_speaks_with_aws_starts_with_no_address_opened_by_hand() {
    let installation = Installation::start().await;
    let opened = [("MUSTER_LOOPBACK_EGRESS", "127.0.0.1:9999")];
    let (status, told, _) =
        installation.function_with("muster-worker", &opened).await.failure_to_start().await;
    assert_eq!(status.code(), Some(1));
    let message = told[0]["errorMessage"].as_str().unwrap();
    assert!(message.ends_with("AWS_ENDPOINT_URL is not set"), "{message}");
}

/// Started by hand, without what Lambda gives: it names what to use instead.
#[test]
fn outside_of_lambda_a_function_points_to_local_mode() {
    let output = Command::new(crate::support::binaries::binary("muster-api")).env_clear().output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let line: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert!(line["error"].as_str().unwrap().contains("muster serve"), "{line}");
}

/// Otherwise building the binaries would compile most of the workspace a second time.
#[test]
fn the_binaries_are_built_with_the_features_of_the_tests() {
    assert_eq!(features("normal,build"), features("normal,build,dev"));
}

/// Every crate with its features, where the workspace is built with dependencies of these kinds.
fn features(kinds: &str) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--workspace", "--edges", &format!("{kinds},no-proc-macro")])
        .args(["--prefix", "none", "--format", "{p} {f}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| line.trim_end_matches(" (*)").to_owned())
        .collect()
}
