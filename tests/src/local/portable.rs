//! An installation as a file: out of one engine and machine, into another, and nothing else than it was.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::server::{Server, muster, text};
use super::{ann, approved_runbook, data_dir, ended, eventually, execute};
use crate::support::binaries::binary;
use crate::support::dynamo::Dynamo;
use crate::support::receiver::Receiver;

/// An installation that has run, and the file of its export.
struct Exported {
    _parent: TempDir,
    data: PathBuf,
    file: PathBuf,
    /// What the API said before.
    execution: (String, Value),
}

/// One execution that succeeded, one that is still due, and incidents enough for more than one page of a scan.
async fn exported() -> Exported {
    let (parent, data) = data_dir();
    let receiver = Receiver::start().await;
    let server = Server::start(&data, &["--allow-egress", &receiver.target()]).await;
    let runbook = approved_runbook(&server, &receiver.url("/restart")).await;
    let done = execute(&server, &runbook).await;
    let seen = ended(&server, &done).await;
    assert_eq!(seen["status"], "SUCCESS");
    for number in 0..200 {
        let new =
            json!({"title": format!("Incident {number} “ü\u{2028}”"), "priority": "LOW", "teamId": "ops"});
        ann(&server).post("/api/incidents", new).await.expect(201);
    }
    server.kill();
    let file = parent.path().join("muster.export");
    succeed(&export(&data, &file, &[]));
    Exported { _parent: parent, data, file, execution: (done, seen) }
}

fn export(data: &Path, file: &Path, arguments: &[&str]) -> Output {
    command("export", file, arguments).arg("--data").arg(data).output().unwrap()
}

fn import(file: &Path, data: &Path, arguments: &[&str]) -> Output {
    command("import", file, arguments).arg("--data").arg(data).output().unwrap()
}

fn command(verb: &str, file: &Path, arguments: &[&str]) -> Command {
    let mut command = muster(&[verb, file.to_str().unwrap()]);
    command.args(arguments);
    command
}

#[track_caller]
fn succeed(output: &Output) -> String {
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

#[track_caller]
fn refused(output: &Output, code: i32, reason: &str) {
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(said.contains(reason), "{said}");
}

/// The items of a file, in one order for all engines.
fn items(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    assert!(lines.pop().unwrap().starts_with(r#"{"end":"#));
    lines.sort();
    lines
}

#[tokio::test]
async fn a_new_installation_of_an_export_is_the_old_one() {
    let old = exported().await;
    let (_parent, data) = data_dir();
    let said = succeed(&import(&old.file, &data, &[]));
    assert!(said.contains("audit chains verify"), "{said}");
    let again = old.file.with_extension("again");
    succeed(&export(&data, &again, &[]));
    assert_eq!(fs::read(&old.file).unwrap(), fs::read(&again).unwrap(), "the same to the last byte");

    let server = Server::start(&data, &[]).await;
    let (path, before) = &old.execution;
    assert_eq!(&ann(&server).get(path).await.expect(200), before);
    let list = ann(&server).get("/api/incidents?limit=1").await.expect(200);
    let event = format!("/api/incidents/{}/events", list["items"][0]["id"].as_str().unwrap());
    eventually("what was owed to be done by the new one", async || {
        let events = ann(&server).get(&event).await.expect(200);
        (events["items"][0]["delivery"] == "DELIVERED").then_some(())
    })
    .await;
}

#[tokio::test]
async fn it_moves_to_dynamodb_and_back_unchanged() {
    let old = exported().await;
    let dynamo = Dynamo::start().await;
    let aws = |command: &mut Command| {
        command
            .args(["--table", dynamo.table()])
            .env("AWS_ENDPOINT_URL", dynamo.url())
            .env("AWS_REGION", "eu-central-1")
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .output()
            .unwrap()
    };
    assert!(binary("muster-aws").exists());
    succeed(&aws(&mut command("import", &old.file, &["--to", "dynamodb"])));
    refused(&aws(&mut command("import", &old.file, &["--to", "dynamodb"])), 1, "the table is not empty");
    succeed(&aws(&mut command("import", &old.file, &["--to", "dynamodb", "--resume"])));
    let back = old.file.with_extension("back");
    succeed(&aws(&mut command("export", &back, &["--from", "dynamodb"])));
    assert_eq!(items(&old.file), items(&back));
    let (_parent, data) = data_dir();
    succeed(&import(&back, &data, &[]));
}

#[tokio::test]
async fn an_export_that_was_cut_short_is_gone_on_with() {
    let old = exported().await;
    let whole = fs::read(&old.file).unwrap();
    refused(&export(&old.data, &old.file, &[]), 5, "is there already");
    // Before the header, within it, within an item, between two, before the end, and with the end.
    let first_line = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let last_line = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    for length in [0, 5, first_line, whole.len() / 2, last_line, whole.len() - 1, whole.len()] {
        fs::write(&old.file, &whole[..length]).unwrap();
        if length < whole.len() {
            let (_parent, data) = data_dir();
            refused(&import(&old.file, &data, &[]), 1, "it was cut short");
        }
        succeed(&export(&old.data, &old.file, &["--resume"]));
        assert!(fs::read(&old.file).unwrap() == whole, "after {length} bytes");
    }
}

#[tokio::test]
async fn an_import_that_was_cut_short_is_gone_on_with() {
    let old = exported().await;
    let (_parent, data) = data_dir();
    succeed(&import(&old.file, &data, &[]));
    let file = rusqlite::Connection::open(data.join("muster.db")).unwrap();
    let lost = file.execute("DELETE FROM items WHERE rowid % 3 = 0", []).unwrap();
    assert!(lost > 50);
    drop(file);
    refused(&import(&old.file, &data, &[]), 5, "the table is not empty");
    succeed(&import(&old.file, &data, &["--resume"]));
    let again = old.file.with_extension("again");
    succeed(&export(&data, &again, &[]));
    assert_eq!(items(&old.file), items(&again));
}

#[tokio::test]
async fn inv_f2_a_file_that_was_changed_stores_nothing() {
    let old = exported().await;
    let sound = fs::read_to_string(&old.file).unwrap();
    let lines: Vec<&str> = sound.lines().collect();
    let without = |dropped: usize| {
        let kept = lines.iter().enumerate().filter(|(number, _)| *number != dropped);
        kept.map(|(_, line)| format!("{line}\n")).collect::<String>()
    };
    for (changed, reason) in [
        (sound.replacen("Incident 7 ", "Incident 8 ", 1), "its digest is not the one"),
        (sound.replacen("\"version\":1}", "\"version\":2}", 1), "reads only 1"),
        (sound.replacen("\"schema\":1", "\"schema\":9", 1), "holds no record of Muster"),
        (sound.replacen("\"kind\":\"audit\"", "\"kind\":\"odd\"", 1), "holds no record of Muster"),
        (without(0), "is not the header of an export"),
        (without(3), "items, and its end says"),
        (without(lines.len() - 1), "it was cut short"),
        (format!("{sound}{sound}"), "follows the end"),
        (format!("{}\n{}\n", lines[0], "x".repeat(500_000)), "has more than"),
        (format!("{}\nnull\n", lines[0]), "is neither an item nor the end"),
        (String::new(), "it was cut short"),
    ] {
        fs::write(&old.file, changed).unwrap();
        let (_parent, data) = data_dir();
        refused(&import(&old.file, &data, &[]), 1, reason);
        let nothing = data.with_extension("export");
        succeed(&export(&data, &nothing, &[]));
        assert!(items(&nothing).len() == 1, "{reason}: something was stored");
    }
}

#[tokio::test]
async fn a_table_that_holds_something_else_is_not_touched() {
    let old = exported().await;
    let (_parent, data) = data_dir();
    succeed(&import(&old.file, &data, &[]));
    let file = rusqlite::Connection::open(data.join("muster.db")).unwrap();
    let changed = "UPDATE items SET version = version + 1 WHERE kind = 'incident'";
    assert!(file.execute(changed, []).unwrap() > 0);
    drop(file);
    refused(&import(&old.file, &data, &["--resume"]), 1, "the table has something else at");
}

#[tokio::test]
async fn nothing_moves_while_a_server_runs_and_a_missing_table_is_told() {
    let (_parent, data) = data_dir();
    let _server = Server::start(&data, &[]).await;
    let file = data.with_extension("export");
    refused(&export(&data, &file, &[]), 5, "another muster process uses");
    refused(&import(&file, &data, &[]), 5, "another muster process uses");
    refused(&export(&data, &file, &["--from", "dynamodb"]), 2, "say with --table NAME");
    assert!(!file.exists());
}
