//! One `muster serve` on a directory of its own, and the people who use it from the command line.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::binaries::binary;
use crate::support::receiver::Receiver;

pub(super) struct Installation {
    dir: TempDir,
    server: Child,
    pub(super) url: String,
    pub(super) receiver: Receiver,
}

/// What a command left behind.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) code: Option<i32>,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

/// Someone with a token.
#[derive(Debug, Clone)]
pub(super) struct Person {
    url: String,
    token: String,
}

impl Installation {
    pub(super) async fn start() -> Self {
        let receiver = Receiver::start().await;
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        let mut server = clean("serve")
            .args(["--listen", "127.0.0.1:0", "--allow-egress", &receiver.target(), "--data"])
            .arg(&data)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let url = address_of(&mut server);
        Self { dir, server, url, receiver }
    }

    /// A person with these groups.
    pub(super) fn person(&self, name: &str, groups: &[&str]) -> Person {
        let groups = groups.iter().flat_map(|group| ["--group", group]);
        let issued = clean("token")
            .args(["--user", name])
            .args(groups)
            .arg("--data")
            .arg(self.dir.path().join("data"))
            .output();
        let token = Ran::from(issued.unwrap()).ok().stdout.trim().to_owned();
        Person { url: self.url.clone(), token }
    }

    /// Who may write runbooks of the team `ops`.
    pub(super) fn author(&self) -> Person {
        self.person("ada", &["team:ops:admin"])
    }

    /// Who may approve them, and engage kill switches.
    pub(super) fn approver(&self) -> Person {
        self.person("bo", &["platform-admin"])
    }

    pub(super) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// A runbook that calls the receiver; `more` are further lines of its file.
    pub(super) fn runbook_file(&self, more: &str) -> PathBuf {
        let url = self.receiver.url("/restart");
        let text = format!("name: Restart a service\nteamId: ops\nwebhookUrl: {url}\n{more}");
        self.file("runbook.yaml", &text)
    }

    /// The id of a new runbook.
    pub(super) fn draft(&self, more: &str) -> String {
        let file = self.runbook_file(more);
        let created = self.author().run(&["runbook", "create", "-o", "json", "-f", file.to_str().unwrap()]);
        created.ok().text("/id")
    }

    /// The id of a new runbook that may run.
    pub(super) fn approved(&self, more: &str) -> String {
        let id = self.draft(more);
        self.approver().run(&["runbook", "approve", &id]).ok();
        id
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        // A server that has ended already has nothing to be killed.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Person {
    pub(super) fn run(&self, arguments: &[&str]) -> Ran {
        self.command(arguments).output().unwrap().into()
    }

    /// The same, not yet started.
    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let (group, rest) = arguments.split_first().unwrap();
        let mut command = clean(group);
        command.args(rest).env("MUSTER_URL", &self.url).env("MUSTER_TOKEN", &self.token);
        command
    }
}

/// A subcommand of the real binary, which sees nothing of the settings of whoever runs the tests.
pub(super) fn clean(subcommand: &str) -> Command {
    let mut command = Command::new(binary("muster"));
    command.arg(subcommand).stdin(Stdio::null());
    for name in
        ["MUSTER_URL", "MUSTER_TOKEN", "MUSTER_OUTPUT", "MUSTER_DATA", "MUSTER_LISTEN", "MUSTER_WORKERS"]
    {
        command.env_remove(name);
    }
    command
}

/// Waits for the line that says where the server answers, and lets it write on.
fn address_of(server: &mut Child) -> String {
    let mut lines = BufReader::new(server.stderr.take().unwrap()).lines().map_while(Result::ok);
    let said = lines.find_map(|line| line.strip_prefix("Muster answers on ").map(str::to_owned));
    let said = said.expect("the server says where it answers");
    std::thread::spawn(move || lines.for_each(drop));
    said.split_whitespace().next().unwrap().to_owned()
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ran {
    /// The same, if the command succeeded.
    pub(super) fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }

    /// The data of a command with `-o json`.
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(super) fn text(&self, pointer: &str) -> String {
        let data = self.json();
        let found = data.pointer(pointer).and_then(Value::as_str);
        found.unwrap_or_else(|| panic!("{pointer} of {data}")).to_owned()
    }
}
