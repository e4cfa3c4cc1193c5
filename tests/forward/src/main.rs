//! Runs beside a function in a container, where loopback is the container's own: opens addresses on it that lead to the machine
//! outside, then runs the function.
//!
//! In the folder of this program are the function, as `function`, and `forwards`: a line for each address, as in
//! `127.0.0.1:9999 172.17.0.1:9999`.

use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, ExitCode};
use std::{env, fs, thread};

fn main() -> ExitCode {
    let program = env::current_exe().expect("the program knows where it is");
    match run(program.parent().expect("a program is in a folder")) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("forwarding: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(folder: &Path) -> io::Result<ExitCode> {
    for line in fs::read_to_string(folder.join("forwards"))?.lines() {
        let (here, there) =
            line.split_once(' ').ok_or_else(|| io::Error::other("a line needs two addresses"))?;
        let (listener, there) = (TcpListener::bind(here)?, there.to_owned());
        thread::spawn(move || listener.incoming().flatten().for_each(|near| forward(near, &there)));
    }
    let status = Command::new(folder.join("function")).status()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Carries both directions until each has ended. Who asked sees a connection that closes if nobody answers there.
fn forward(near: TcpStream, there: &str) {
    let Ok(far) = TcpStream::connect(there) else { return };
    let (Ok(near_again), Ok(far_again)) = (near.try_clone(), far.try_clone()) else { return };
    thread::spawn(move || carry(near, far));
    thread::spawn(move || carry(far_again, near_again));
}

fn carry(mut from: TcpStream, mut to: TcpStream) {
    // A connection that breaks ends as one that was closed.
    let _ = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}
