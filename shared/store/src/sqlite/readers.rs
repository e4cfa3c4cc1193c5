//! Threads that read, so that no task of the runtime waits for a disk and no read waits for the writer.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use muster_app::table::{TableError, TableErrorKind};
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::failure::{classify, stopped};
use super::open;
use super::rows::Rows;
use crate::failure;

/// Reads on two cores at once; more threads only share the same pages.
const THREADS: usize = 2;

/// The most reads that share one snapshot and one waking of a thread. Small, so that the other thread gets its part.
const MOST_AT_ONCE: usize = 32;

/// A read with its way back to the caller inside.
type Job = Box<dyn FnOnce(&Rows<'_>) + Send>;

pub(super) struct Readers {
    /// `None` once closed, which ends the threads.
    jobs: Option<Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
}

impl Readers {
    pub(super) fn start(path: &Path) -> Result<Self, TableError> {
        let (sender, receiver) = channel();
        let receiver = Arc::new(Mutex::new(receiver));
        let mut readers = Self { jobs: Some(sender), threads: Vec::with_capacity(THREADS) };
        for _ in 0..THREADS {
            let connection = open::reader(path)?;
            let jobs = Arc::clone(&receiver);
            let thread = thread::Builder::new().name("table-reader".into());
            let started = thread.spawn(move || serve(&connection, &jobs));
            let started = started.map_err(|error| {
                failure("starting a reader of the table", TableErrorKind::Unavailable, error)
            })?;
            readers.threads.push(started);
        }
        Ok(readers)
    }

    /// The answer of `read`, which sees everything that was committed before this call.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        doing: &'static str,
        read: impl FnOnce(&Rows<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, TableError> {
        let (reply, answer) = oneshot::channel();
        // A caller that has gone away no longer wants the answer.
        let job: Job = Box::new(move |rows| drop(reply.send(read(rows))));
        let jobs = self.jobs.as_ref().ok_or_else(|| stopped(doing))?;
        jobs.send(job).map_err(|_| stopped(doing))?;
        answer.await.map_err(|_| stopped(doing))?.map_err(|error| classify(doing, error))
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.jobs = None;
        for thread in self.threads.drain(..) {
            // A thread that panicked has told so; there is nothing left to do for it.
            drop(thread.join());
        }
    }
}

fn serve(connection: &Connection, jobs: &Mutex<Receiver<Job>>) {
    while let Some(jobs) = next(jobs) {
        answer(connection, jobs);
    }
}

/// Whatever waits, once something does. `None` when the table closes.
fn next(jobs: &Mutex<Receiver<Job>>) -> Option<Vec<Job>> {
    let jobs = jobs.lock().unwrap_or_else(PoisonError::into_inner);
    let mut batch = vec![jobs.recv().ok()?];
    batch.extend(jobs.try_iter().take(MOST_AT_ONCE - 1));
    Some(batch)
}

/// One snapshot for all: it is taken after each of them was asked, so each sees what was committed before.
fn answer(connection: &Connection, jobs: Vec<Job>) {
    match connection.unchecked_transaction() {
        Ok(snapshot) => {
            let rows = Rows::new(&snapshot);
            jobs.into_iter().for_each(|job| job(&rows));
        }
        // The callers learn that nobody answers.
        Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "cannot read the table"),
    }
}
