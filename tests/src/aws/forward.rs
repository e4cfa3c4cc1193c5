//! The forwarder that stands beside a function in a container: what the function calls on its loopback arrives outside.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};

use super::eventually;
use crate::support::binaries::binary;

#[tokio::test]
async fn what_is_sent_to_loopback_arrives_where_the_address_leads_and_the_function_runs() {
    let folder = tempfile::tempdir().unwrap();
    let outside = TcpListener::bind("127.0.0.1:0").unwrap();
    let (here, there) = (free_address(), outside.local_addr().unwrap());
    std::fs::copy(binary("muster-forward"), folder.path().join("bootstrap")).unwrap();
    // It runs until its input ends, and says what it is told.
    symlink("/bin/cat", folder.path().join("function")).unwrap();
    std::fs::write(folder.path().join("forwards"), format!("{here} {there}\n")).unwrap();
    let mut program = Command::new(folder.path().join("bootstrap"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();

    let mut asking = eventually("the address to open", async || TcpStream::connect(&here).ok()).await;
    asking.write_all(b"question").unwrap();
    let (mut asked, _) = outside.accept().unwrap();
    let mut question = [0; 8];
    asked.read_exact(&mut question).unwrap();
    asked.write_all(b"answer").unwrap();
    drop(asked);
    let mut answer = String::new();
    asking.read_to_string(&mut answer).unwrap();
    assert_eq!((&question, answer.as_str()), (b"question", "answer"));

    program.stdin.take().unwrap().write_all(b"told").unwrap();
    let output = program.wait_with_output().unwrap();
    assert_eq!((output.status.success(), output.stdout.as_slice()), (true, b"told".as_slice()));
}

/// One that was free when asked for.
fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}
