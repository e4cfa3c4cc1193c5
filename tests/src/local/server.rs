//! `muster` as a child process.

use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use super::eventually;
use crate::support::binaries::binary;

/// What the line that says where the server answers begins with.
const ANSWERS_ON: &str = "Muster answers on ";

/// `muster serve` on a directory. Killed when dropped.
pub(crate) struct Server {
    process: Child,
    pub(crate) url: String,
    pub(crate) data: PathBuf,
    errors: Arc<Mutex<String>>,
}

impl Server {
    /// Starts one and waits until it answers.
    pub(crate) async fn start(data: &Path, arguments: &[&str]) -> Self {
        let mut command = muster(&["serve", "--listen", "127.0.0.1:0", "--data"]);
        let mut process = command.arg(data).args(arguments).stderr(Stdio::piped()).spawn().unwrap();
        let errors = collect(process.stderr.take().unwrap());
        let url = eventually("the server to answer", async || {
            let seen = errors.lock().unwrap().clone();
            assert!(process.try_wait().unwrap().is_none(), "the server ended: {seen}");
            let line = seen.lines().find_map(|line| line.strip_prefix(ANSWERS_ON).map(str::to_owned))?;
            line.split_whitespace().next().map(str::to_owned)
        })
        .await;
        Self { process, url, data: data.to_owned(), errors }
    }

    /// SIGKILL: the process gets no chance to say or store anything.
    pub(crate) fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// SIGTERM: asks it to end.
    pub(crate) fn terminate(&self) {
        let sent = Command::new("kill").arg("-TERM").arg(self.process.id().to_string()).status().unwrap();
        assert!(sent.success());
    }

    pub(crate) fn lives(&mut self) -> bool {
        self.process.try_wait().unwrap().is_none()
    }

    pub(crate) async fn ended(&mut self) -> ExitStatus {
        eventually("the server to end", async || self.process.try_wait().unwrap()).await
    }

    /// Everything on standard error so far: the log, and what is said to people.
    pub(crate) fn errors(&self) -> String {
        self.errors.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs a command to its end.
pub(crate) fn run(arguments: &[&str]) -> Output {
    muster(arguments).output().unwrap()
}

/// The command, without what the environment of the test would tell it.
pub(crate) fn muster(arguments: &[&str]) -> Command {
    let mut command = Command::new(binary("muster"));
    command.args(arguments).stdin(Stdio::null());
    for variable in [
        "MUSTER_DATA",
        "MUSTER_LISTEN",
        "MUSTER_PUBLIC_URL",
        "MUSTER_WORKERS",
        "MUSTER_URL",
        "MUSTER_TOKEN",
        "RUST_LOG",
    ] {
        command.env_remove(variable);
    }
    command
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Reads a pipe to its end, so that its writer never waits.
fn collect(pipe: impl Read + Send + 'static) -> Arc<Mutex<String>> {
    let collected = Arc::<Mutex<String>>::default();
    let sink = Arc::clone(&collected);
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            let mut sink = sink.lock().unwrap();
            sink.push_str(&line);
            sink.push('\n');
        }
    });
    collected
}
