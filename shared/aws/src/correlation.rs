//! The id that joins the log lines of one request over all its hops. It travels with the task that does the work, so that
//! a nudge sent somewhere below carries it without every function between knowing.

tokio::task_local! {
    static CURRENT: Option<String>;
}

/// The longest id that is taken over from outside.
const MAX_LENGTH: usize = 128;

/// Does `work` under `id`.
pub(crate) async fn under<F: Future>(id: Option<String>, work: F) -> F::Output {
    CURRENT.scope(id, work).await
}

/// The id of the work that is being done, if it has one.
pub(crate) fn current() -> Option<String> {
    CURRENT.try_with(Clone::clone).ok().flatten()
}

/// An id from outside, if it is one: it is written to logs and sent on, so it must be short and plain. The router takes
/// the same ones.
pub(crate) fn from_outside(text: &str) -> Option<String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let valid = (1..=MAX_LENGTH).contains(&text.len()) && text.bytes().all(plain);
    valid.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_that_runs_side_by_side_keeps_its_own_id() {
        let id = |name: &str| Some(name.to_owned());
        let one = under(id("one"), async {
            tokio::task::yield_now().await;
            current()
        });
        let two = under(id("two"), async { current() });
        assert_eq!(tokio::join!(one, two), (id("one"), id("two")));
        assert_eq!(current(), None);
    }

    #[test]
    fn an_id_from_outside_is_short_and_plain() {
        assert_eq!(from_outside("c-1"), Some("c-1".to_owned()));
        for text in ["", "a b", "a\nb", "a=", "é", "\"", &"a".repeat(129)] {
            assert_eq!(from_outside(text), None, "{text:?}");
        }
    }
}
