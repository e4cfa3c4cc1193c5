//! The logs of a function: JSON lines on standard error, each with the ids of its invocation.

use std::panic::PanicHookInfo;

use muster_app::telemetry::Service;

use crate::config::{Installation, Level};

/// Starts logging. From here on a panic is a record like any other.
pub(crate) fn start(name: &str, installation: &Installation) {
    let service = Service { name: name.to_owned(), environment: installation.environment.clone() };
    muster_app::telemetry::start(service, &filter(installation.level));
    std::panic::set_hook(Box::new(log_panic));
}

/// The level is for Muster's own records. Of other crates only trouble is written: at the levels below they tell of every
/// request, and what is in it. The runtime's line for a failed invocation would repeat ours, without its ids.
fn filter(level: Level) -> String {
    let others = match level {
        Level::Error => Level::Error,
        Level::Warn | Level::Info | Level::Debug | Level::Trace => Level::Warn,
    };
    format!("{others},muster={level},lambda_runtime::layers::panic=off")
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(
        place,
        reason = panic.payload_as_str().unwrap_or("unknown"),
        "a panic: a defect of Muster"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_is_for_our_own_records() {
        assert_eq!(filter(Level::Debug), "warn,muster=debug,lambda_runtime::layers::panic=off");
        assert_eq!(filter(Level::Error), "error,muster=error,lambda_runtime::layers::panic=off");
    }
}
