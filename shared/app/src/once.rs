//! Doing something once: read, decide, commit; again on a conflict; the stored answer on a repeat (INVARIANTS B5).

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::caller::{Caller, Idempotency};
use crate::table::{
    CommitError, Expect, IdempotencyRecord, Key, Record, TableError, TableErrorKind, Versioned, Write,
};
use crate::{App, Error};

/// How often a decision is made anew when others change the same items.
const MAX_TRIES: usize = 8;
/// How long an answer is kept for repeats.
const IDEMPOTENCY_TTL: Duration = Duration::from_hours(48);

/// A decision's answer and the writes that make it true.
pub(crate) struct Decided<T> {
    pub reply: T,
    pub writes: Vec<Write>,
}

/// Whether the reply was made now or is the stored one of an earlier request.
pub(crate) enum Once<T> {
    Now(T),
    Repeated(T),
}

impl<T> Once<T> {
    pub(crate) fn into_reply(self) -> T {
        match self {
            Self::Now(reply) | Self::Repeated(reply) => reply,
        }
    }
}

impl App {
    /// Commits what `decide` answers, with the idempotency record of the caller in the same commit.
    pub(crate) async fn once<T, F, R>(&self, caller: &Caller, decide: F) -> Result<Once<T>, Error>
    where
        T: Serialize + DeserializeOwned,
        F: Fn() -> R,
        R: Future<Output = Result<Decided<T>, Error>>,
    {
        for _ in 0..MAX_TRIES {
            let expect = match self.earlier(caller).await? {
                Earlier::Answer(reply) => return Ok(Once::Repeated(reply)),
                Earlier::None(expect) => expect,
            };
            let Decided { reply, mut writes } = decide().await?;
            if let Some(idempotency) = &caller.idempotency {
                writes.push(self.remember(idempotency, &reply, expect)?);
            }
            if writes.is_empty() {
                return Ok(Once::Now(reply));
            }
            match self.table.commit(writes).await {
                Ok(()) => return Ok(Once::Now(reply)),
                Err(CommitError::Conflict { .. }) => {}
                Err(CommitError::Table(error)) => return Err(error.into()),
            }
        }
        Err(Error::Contention)
    }

    async fn earlier<T: DeserializeOwned>(&self, caller: &Caller) -> Result<Earlier<T>, Error> {
        let Some(idempotency) = &caller.idempotency else {
            return Ok(Earlier::None(Expect::Absent));
        };
        let Some(stored) = self.table.get(&Key::Idempotency(idempotency.scope)).await? else {
            return Ok(Earlier::None(Expect::Absent));
        };
        let Versioned { value: record, version } = stored.typed::<IdempotencyRecord>()?;
        if record.expires_at <= self.clock.now() {
            return Ok(Earlier::None(Expect::Version(version)));
        }
        if record.request != idempotency.request {
            return Err(Error::IdempotencyMismatch);
        }
        let reply =
            serde_json::from_value(record.reply).map_err(|error| unreadable_reply("reading", error))?;
        Ok(Earlier::Answer(reply))
    }

    fn remember<T: Serialize>(
        &self,
        idempotency: &Idempotency,
        reply: &T,
        expect: Expect,
    ) -> Result<Write, Error> {
        let record = Record::Idempotency(IdempotencyRecord {
            scope: idempotency.scope,
            request: idempotency.request,
            reply: serde_json::to_value(reply).map_err(|error| unreadable_reply("storing", error))?,
            expires_at: self.clock.now().plus(IDEMPOTENCY_TTL),
        });
        Ok(Write::Put { record, expect })
    }
}

/// What is stored under the caller's key.
enum Earlier<T> {
    Answer(T),
    /// Nothing that counts; a new record may be written under this condition.
    None(Expect),
}

fn unreadable_reply(verb: &str, error: serde_json::Error) -> TableError {
    TableError {
        doing: format!("{verb} the answer to an earlier request"),
        kind: TableErrorKind::Corrupt,
        source: Some(Box::new(error)),
    }
}
