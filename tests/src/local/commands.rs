//! Commands of one machine: what they refuse, and how they end.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use super::data_dir;
use super::server::{Server, muster, run, text};

#[tokio::test]
async fn a_second_server_on_the_same_data_is_refused_and_the_first_goes_on() {
    let (_parent, data) = data_dir();
    let mut first = Server::start(&data, &[]).await;
    let second = run(&["serve", "--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()]);
    assert_eq!(second.status.code(), Some(5));
    let said = text(&second.stderr);
    assert!(said.contains("error: another muster process uses ") && said.contains("--data"), "{said}");
    assert!(first.lives());
    first.kill();
    // The lock ends with its holder, however that ended.
    Server::start(&data, &[]).await;
}

#[test]
fn local_mode_is_refused_under_lambda() {
    let (_parent, data) = data_dir();
    for variable in ["AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_RUNTIME_API"] {
        let mut command = muster(&["serve", "--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()]);
        let refused = command.env(variable, "x").output().unwrap();
        assert_eq!(refused.status.code(), Some(4), "{}", text(&refused.stderr));
        assert!(text(&refused.stderr).contains(variable));
    }
    assert!(!data.exists(), "nothing was made");
}

#[tokio::test]
async fn an_address_in_use_is_told_and_the_data_left_alone() {
    let (_parent, data) = data_dir();
    let server = Server::start(&data, &[]).await;
    let taken = server.url.strip_prefix("http://").unwrap();
    let other = data.with_file_name("other");
    let refused = run(&["serve", "--listen", taken, "--data", other.to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(6));
    let said = text(&refused.stderr);
    assert!(said.contains(&format!("error: listening on {taken}, which --listen changes: ")), "{said}");
}

#[test]
fn arguments_that_make_no_sense_are_refused_before_anything_is_done() {
    let (_parent, data) = data_dir();
    let data = data.to_str().unwrap();
    for arguments in [
        &["serve", "--workers", "0"][..],
        &["serve", "--listen", "nowhere"],
        &["serve", "--allow-egress", "*:80"],
        &["serve", "--allow-egress", "127.0.0.1"],
        &["token", "--user", "a b"],
        &["token", "--user", "ann", "--ttl", "forever"],
        &["token"],
        &["completion", "cmd"],
        &[],
    ] {
        let mut command = muster(arguments);
        let refused = command.env("MUSTER_DATA", data).output().unwrap();
        assert_eq!(refused.status.code(), Some(2), "{arguments:?}: {}", text(&refused.stderr));
    }
    assert!(!fs::exists(data).unwrap(), "nothing was made");
}

#[tokio::test]
async fn the_doctor_finds_a_sound_installation_sound_and_names_what_is_not() {
    let (_parent, data) = data_dir();
    let server = Server::start(&data, &[]).await;
    let doctor = || run(&["doctor", "--data", data.to_str().unwrap(), "--url", &server.url]);
    let sound = doctor();
    let said = text(&sound.stdout);
    assert_eq!(sound.status.code(), Some(0), "{said}");
    for check in
        ["data directory", "lock", "secrets", "signing key", "clock", "disk", "egress guard", "server"]
    {
        assert!(said.lines().any(|line| line.contains(check)), "{check} is not checked:\n{said}");
    }
    fs::set_permissions(data.join("secrets"), Permissions::from_mode(0o644)).unwrap();
    let unsound = doctor();
    let said = text(&unsound.stdout);
    assert_eq!(unsound.status.code(), Some(1), "{said}");
    assert!(said.contains("fail  secrets") && said.contains("chmod 600"), "{said}");
}

#[test]
fn completion_is_written_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = run(&["completion", shell]);
        assert!(script.status.success());
        assert!(text(&script.stdout).contains("doctor"), "{shell}");
    }
}

#[test]
fn the_token_alone_is_on_standard_output() {
    let (_parent, data) = data_dir();
    let issued = run(&["token", "--data", data.to_str().unwrap(), "--user", "ann", "--group", "amdin"]);
    assert!(issued.status.success());
    let (token, note) = (text(&issued.stdout), text(&issued.stderr));
    assert_eq!((token.trim().split('.').count(), token.lines().count()), (3, 1), "{token}");
    assert!(note.starts_with("note: the group amdin grants nothing"), "{note}");
}
