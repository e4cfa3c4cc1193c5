//! The kinds of problems: each has a type URI, a title and a status, and keeps them for ever.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Malformed,
    Invalid,
    InvalidCursor,
    NotApproved,
    WrongLifecycle,
    Unauthenticated,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    Conflict,
    WrongStatus,
    KillSwitch,
    Frozen,
    ApprovalClosed,
    OtherDigest,
    Stale,
    TooLarge,
    UnsupportedMediaType,
    IdempotencyMismatch,
    Internal,
    Unavailable,
}

impl Kind {
    #[cfg(test)]
    pub(crate) const ALL: [Self; 21] = [
        Self::Malformed,
        Self::Invalid,
        Self::InvalidCursor,
        Self::NotApproved,
        Self::WrongLifecycle,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Conflict,
        Self::WrongStatus,
        Self::KillSwitch,
        Self::Frozen,
        Self::ApprovalClosed,
        Self::OtherDigest,
        Self::Stale,
        Self::TooLarge,
        Self::UnsupportedMediaType,
        Self::IdempotencyMismatch,
        Self::Internal,
        Self::Unavailable,
    ];

    pub(crate) const fn status(self) -> u16 {
        match self {
            Self::Malformed
            | Self::Invalid
            | Self::InvalidCursor
            | Self::NotApproved
            | Self::WrongLifecycle => 400,
            Self::Unauthenticated => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::Conflict
            | Self::WrongStatus
            | Self::KillSwitch
            | Self::Frozen
            | Self::ApprovalClosed
            | Self::OtherDigest => 409,
            Self::Stale => 412,
            Self::TooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::IdempotencyMismatch => 422,
            Self::Internal => 500,
            Self::Unavailable => 503,
        }
    }

    /// A URI reference that names the kind; nothing need be there.
    pub(crate) const fn uri(self) -> &'static str {
        match self {
            Self::Malformed => "/problems/malformed",
            Self::Invalid => "/problems/invalid",
            Self::InvalidCursor => "/problems/invalid-cursor",
            Self::NotApproved => "/problems/not-approved",
            Self::WrongLifecycle => "/problems/wrong-lifecycle",
            Self::Unauthenticated => "/problems/unauthenticated",
            Self::Forbidden => "/problems/forbidden",
            Self::NotFound => "/problems/not-found",
            Self::MethodNotAllowed => "/problems/method-not-allowed",
            Self::Conflict => "/problems/conflict",
            Self::WrongStatus => "/problems/wrong-status",
            Self::KillSwitch => "/problems/kill-switch",
            Self::Frozen => "/problems/frozen",
            Self::ApprovalClosed => "/problems/approval-closed",
            Self::OtherDigest => "/problems/other-digest",
            Self::Stale => "/problems/stale",
            Self::TooLarge => "/problems/too-large",
            Self::UnsupportedMediaType => "/problems/unsupported-media-type",
            Self::IdempotencyMismatch => "/problems/idempotency-mismatch",
            Self::Internal => "/problems/internal",
            Self::Unavailable => "/problems/unavailable",
        }
    }

    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Malformed => "The body is not JSON",
            Self::Invalid => "The input is not valid",
            Self::InvalidCursor => "The cursor is not one of this list",
            Self::NotApproved => "Nothing approved to run",
            Self::WrongLifecycle => "The version's status does not allow this",
            Self::Unauthenticated => "Who you are is not known",
            Self::Forbidden => "You may not do this",
            Self::NotFound => "There is no such thing",
            Self::MethodNotAllowed => "The resource does not have this method",
            Self::Conflict => "It contradicts what is stored",
            Self::WrongStatus => "The execution's status does not allow this",
            Self::KillSwitch => "A kill switch is engaged",
            Self::Frozen => "Changes are frozen",
            Self::ApprovalClosed => "The approval does not take this answer any more",
            Self::OtherDigest => "What would run is not what you saw",
            Self::Stale => "It was changed meanwhile",
            Self::TooLarge => "The body is too large",
            Self::UnsupportedMediaType => "The media type of the body is not one that is taken here",
            Self::IdempotencyMismatch => "The Idempotency-Key belongs to another request",
            Self::Internal => "Muster failed",
            Self::Unavailable => "Muster cannot do this at the moment",
        }
    }
}
