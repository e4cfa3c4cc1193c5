//! What may come in the way of an execution. A scenario bounds how many of these happen in all, each at any moment.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Disturbance {
    Pause,
    Abort,
    Kill,
    /// The job ends in the dead-letter queue.
    Abandon,
    /// A person has a call sent again, or an undo tried again.
    Resend,
    /// A commit is made and its answer is lost.
    LostAnswer,
    /// A worker stops in the middle.
    Crash,
    /// A worker sleeps until its lease is over, with calls in flight.
    Oversleep,
    /// A worker gives the execution back before its deadline.
    Yield,
    /// What templates and rules read changes.
    Change,
    /// An approval is taken back before a worker saw it.
    Withdraw,
    /// A kill switch is engaged.
    Halt,
}
