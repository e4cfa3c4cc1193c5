//! What DynamoDB's errors mean to the callers of the table.

use std::error::Error;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::CancellationReason;
use muster_app::table::{TableError, TableErrorKind};

use crate::failure;

/// What happened while `doing`. Conditions that did not hold are no failures and do not come here.
pub(super) fn classify<E>(doing: &str, error: SdkError<E>) -> TableError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    failure(doing, kind(&error), error)
}

fn kind<E: ProvideErrorMetadata>(error: &SdkError<E>) -> TableErrorKind {
    match error {
        SdkError::ConstructionFailure(_) => TableErrorKind::Invalid,
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => {
            TableErrorKind::Unavailable
        }
        SdkError::ServiceError(answer) if answer.raw().status().is_server_error() => {
            TableErrorKind::Unavailable
        }
        SdkError::ServiceError(answer) => kind_of_code(answer.err().code()),
        // The SDK may add ways to fail; none so far is a defect of ours.
        _ => TableErrorKind::Unavailable,
    }
}

/// What an error that DynamoDB answers with a status of the 400s means.
fn kind_of_code(code: Option<&str>) -> TableErrorKind {
    match code {
        Some(
            "ValidationException"
            | "SerializationException"
            | "IdempotentParameterMismatchException"
            | "ItemCollectionSizeLimitExceededException"
            | "TransactionCanceledException",
        ) => TableErrorKind::Invalid,
        // Throttling; or credentials, permissions or a table that an operator has to mend, after which the same
        // call succeeds.
        Some(_) | None => TableErrorKind::Unavailable,
    }
}

/// Why a transaction was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cancelled {
    /// The conditions of the writes at these positions do not hold.
    Refused(Vec<usize>),
    /// Another transaction has one of the items in hand.
    Contended,
    /// Too many requests for the table, an index or a partition.
    Throttled,
    /// The writes themselves cannot be done.
    Invalid,
}

/// Reads the reasons of a cancelled transaction; there is one for each write, in order.
pub(super) fn cancelled(reasons: &[CancellationReason]) -> Cancelled {
    let has =
        |codes: &[&str]| reasons.iter().any(|reason| reason.code().is_some_and(|code| codes.contains(&code)));
    let failed = |reason: &CancellationReason| reason.code() == Some("ConditionalCheckFailed");
    let refused: Vec<usize> =
        (0..).zip(reasons).filter(|(_, reason)| failed(reason)).map(|(at, _)| at).collect();
    if !refused.is_empty() {
        Cancelled::Refused(refused)
    } else if has(&["TransactionConflict"]) {
        Cancelled::Contended
    } else if has(&["ThrottlingError", "ProvisionedThroughputExceeded"]) {
        Cancelled::Throttled
    } else {
        Cancelled::Invalid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(codes: &[&str], expected: Cancelled) {
        let reason = |code: &&str| CancellationReason::builder().code(*code).build();
        let reasons: Vec<CancellationReason> = codes.iter().map(reason).collect();
        assert_eq!(cancelled(&reasons), expected, "{codes:?}");
    }

    #[test]
    fn the_reasons_of_a_cancelled_transaction() {
        check(&["None", "ConditionalCheckFailed"], Cancelled::Refused(vec![1]));
        check(&["ConditionalCheckFailed", "None", "ConditionalCheckFailed"], Cancelled::Refused(vec![0, 2]));
        // A condition that failed will not hold after a wait either.
        check(&["TransactionConflict", "ConditionalCheckFailed"], Cancelled::Refused(vec![1]));
        check(&["None", "TransactionConflict"], Cancelled::Contended);
        check(&["ThrottlingError", "TransactionConflict"], Cancelled::Contended);
        check(&["ThrottlingError", "None"], Cancelled::Throttled);
        check(&["ProvisionedThroughputExceeded"], Cancelled::Throttled);
        check(&["ValidationError", "None"], Cancelled::Invalid);
        check(&["ItemCollectionSizeLimitExceeded"], Cancelled::Invalid);
        check(&[], Cancelled::Invalid);
    }

    #[test]
    fn only_what_cannot_ever_succeed_is_invalid() {
        for (code, expected) in [
            (Some("ValidationException"), TableErrorKind::Invalid),
            (Some("IdempotentParameterMismatchException"), TableErrorKind::Invalid),
            (Some("ThrottlingException"), TableErrorKind::Unavailable),
            (Some("ProvisionedThroughputExceededException"), TableErrorKind::Unavailable),
            (Some("RequestLimitExceeded"), TableErrorKind::Unavailable),
            (Some("ResourceNotFoundException"), TableErrorKind::Unavailable),
            (Some("AccessDeniedException"), TableErrorKind::Unavailable),
            (Some("ExpiredTokenException"), TableErrorKind::Unavailable),
            (None, TableErrorKind::Unavailable),
        ] {
            assert_eq!(kind_of_code(code), expected, "{code:?}");
        }
    }
}
