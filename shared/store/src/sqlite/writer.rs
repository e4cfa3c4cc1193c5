//! The one thread that writes. It takes every commit that waits into one transaction, so that they share one flush.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use muster_app::table::{TableError, TableErrorKind};
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::failure::{classify, stopped};
use super::group::{self, Verdict};
use crate::failure;
use crate::writes::Change;

/// The most commits of one transaction. Bounds how long the first of them waits for the last.
const MOST_AT_ONCE: usize = 512;

/// How long a group waits for the callers of the one before it, who come back within moments of their answers. Without
/// it, groups of nearly all and of a few would alternate, and the small ones pay a whole flush. A lone caller never waits.
const LINGER: Duration = Duration::from_micros(200);

const DOING: &str = "committing";

struct Job {
    changes: Vec<Change>,
    reply: oneshot::Sender<rusqlite::Result<Verdict>>,
}

pub(super) struct Writer {
    /// `None` once closed, which ends the thread.
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<rusqlite::Result<()>>>,
}

impl Writer {
    pub(super) fn start(connection: Connection) -> Result<Self, TableError> {
        let (sender, receiver) = channel();
        let thread = thread::Builder::new().name("table-writer".into());
        let thread = thread.spawn(move || serve(&connection, &receiver)).map_err(|error| {
            failure("starting the writer of the table", TableErrorKind::Unavailable, error)
        })?;
        Ok(Self { jobs: Some(sender), thread: Some(thread) })
    }

    /// Stores `changes`, all or none; they are durable when this returns.
    pub(super) async fn commit(&self, changes: Vec<Change>) -> Result<Verdict, TableError> {
        let (reply, answer) = oneshot::channel();
        let jobs = self.jobs.as_ref().ok_or_else(|| stopped(DOING))?;
        jobs.send(Job { changes, reply }).map_err(|_| stopped(DOING))?;
        answer.await.map_err(|_| stopped(DOING))?.map_err(|error| classify(DOING, error))
    }

    /// Waits for what was asked, and moves the write-ahead log into the file.
    pub(super) fn close(mut self) -> Result<(), TableError> {
        self.join().map_err(|error| classify("closing the table", error))
    }

    fn join(&mut self) -> rusqlite::Result<()> {
        self.jobs = None;
        // A thread that panicked has told so, and left the file as a crash would: sound.
        self.thread.take().and_then(|thread| thread.join().ok()).unwrap_or(Ok(()))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if let Err(error) = self.join() {
            tracing::warn!(error = &error as &dyn std::error::Error, "cannot tidy up the table");
        }
    }
}

fn serve(connection: &Connection, jobs: &Receiver<Job>) -> rusqlite::Result<()> {
    let mut before = 0;
    while let Some(group) = gather(jobs, before) {
        before = group.len();
        let changes: Vec<&[Change]> = group.iter().map(|job| job.changes.as_slice()).collect();
        let verdicts = group::run(connection, &changes);
        for (job, verdict) in group.into_iter().zip(verdicts) {
            // A caller that has gone away no longer wants the answer.
            drop(job.reply.send(verdict));
        }
    }
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

/// Whatever waits, once something does, and those of the group before who are about to come back. `None` when the table
/// closes.
fn gather(jobs: &Receiver<Job>, before: usize) -> Option<Vec<Job>> {
    let mut group = vec![jobs.recv().ok()?];
    let until = Instant::now() + LINGER;
    while group.len() < MOST_AT_ONCE {
        group.extend(jobs.try_iter().take(MOST_AT_ONCE - group.len()));
        if group.len() >= before {
            break;
        }
        match jobs.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(job) => group.push(job),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
        }
    }
    Some(group)
}
