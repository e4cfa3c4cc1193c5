//! Jobs as texts: what is sent to the queue, and what is read from it.

use muster_app::job::{Job, MESSAGE_VERSION, Message};

/// The body of the message that asks for `job`.
pub(crate) fn encode(job: Job, correlation_id: Option<String>) -> Result<String, serde_json::Error> {
    serde_json::to_string(&Message { v: MESSAGE_VERSION, job, correlation_id })
}

/// Reads a message's body. A version of the future is refused: its reader is not deployed yet, so the message waits.
pub(crate) fn decode(body: &str) -> Result<Message, UnreadableJob> {
    let message: Message = serde_json::from_str(body).map_err(UnreadableJob::Shape)?;
    match message.v {
        MESSAGE_VERSION => Ok(message),
        other => Err(UnreadableJob::Version(other)),
    }
}

/// Why a message is no job.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnreadableJob {
    #[error("reading a job")]
    Shape(#[source] serde_json::Error),
    #[error("reading a job of version {0}; this Muster reads version {MESSAGE_VERSION}")]
    Version(u8),
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXECUTION: &str = "ex_01J9ZZZZZZZZZZZZZZZZZZZZZZ";

    #[test]
    fn a_job_is_read_as_it_was_written() {
        let job = Job::Run { execution: EXECUTION.parse().unwrap() };
        for correlation in [None, Some("c-1".to_owned())] {
            let message = decode(&encode(job.clone(), correlation.clone()).unwrap()).unwrap();
            assert_eq!((message.job, message.correlation_id), (job.clone(), correlation));
        }
    }

    #[track_caller]
    fn check_shape(body: &str) {
        let error = decode(body).unwrap_err();
        assert!(matches!(error, UnreadableJob::Shape(_)), "{body}: {error:?}");
    }

    #[test]
    fn what_is_no_job_is_unreadable() {
        check_shape("");
        check_shape("poison");
        check_shape("{}");
        check_shape("[1]");
        check_shape(&format!(r#"{{"job":"run","execution":"{EXECUTION}"}}"#));
        check_shape(&format!(r#"{{"v":1,"job":"unheard of","execution":"{EXECUTION}"}}"#));
        check_shape(&format!(r#"{{"v":1,"job":"run","execution":"{EXECUTION}","more":1}}"#));
        check_shape(r#"{"v":1,"job":"run"}"#);
        check_shape(r#"{"v":1,"job":"run","execution":"ex_1"}"#);
    }

    #[test]
    fn a_job_of_another_version_is_unreadable() {
        let body = format!(r#"{{"v":2,"job":"run","execution":"{EXECUTION}"}}"#);
        assert!(matches!(decode(&body), Err(UnreadableJob::Version(2))));
    }
}
