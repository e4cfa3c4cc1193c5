//! Structured logs: one JSON object a line, flat, with the fields that operators search (F3).

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer};

use crate::clock::SystemClock;
use crate::ports::Clock as _;

/// What every record of a process says of it.
#[derive(Debug, Clone)]
pub struct Service {
    /// As in `muster-worker`.
    pub name: String,
    /// As in `prod`.
    pub environment: String,
}

/// Starts logging to standard error. `filter` is as in `RUST_LOG`; a filter that cannot be read becomes `info`.
///
/// Does nothing if the process logs already.
pub fn start(service: Service, filter: &str) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let layer = layer(service, std::io::stderr);
    // A second start, as in tests, keeps the first.
    let _ = tracing_subscriber::registry().with(layer.with_filter(filter)).try_init();
}

fn layer<S, W>(service: Service, writer: W) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    tracing_subscriber::fmt::layer()
        .fmt_fields(JsonFields)
        .event_format(JsonLine { service })
        .with_writer(writer)
}

/// Formats a record with its spans' fields, all on one level.
struct JsonLine {
    service: Service,
}

impl<S, N> FormatEvent<S, N> for JsonLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Fields::default();
        for span in context.event_scope().into_iter().flat_map(tracing_subscriber::registry::Scope::from_root)
        {
            let extensions = span.extensions();
            let formatted = extensions.get::<tracing_subscriber::fmt::FormattedFields<N>>();
            let parsed =
                formatted.and_then(|text| serde_json::from_str::<BTreeMap<String, Value>>(&text.fields).ok());
            fields.values.extend(parsed.unwrap_or_default());
        }
        event.record(&mut fields);
        let meta = event.metadata();
        let stamp = jiff::Timestamp::from_millisecond(SystemClock.now().millis()).unwrap_or_default();
        fields.set("timestamp", format!("{stamp:.3}"));
        fields.set("level", meta.level().to_string());
        fields.set("target", meta.target().to_owned());
        fields.set("service", self.service.name.clone());
        fields.set("environment", self.service.environment.clone());
        let line = serde_json::to_string(&fields.values).map_err(|_| fmt::Error)?;
        writeln!(writer, "{line}")
    }
}

/// Keeps a span's fields as JSON, so that a record can lift them to its own level.
struct JsonFields;

impl<'w> FormatFields<'w> for JsonFields {
    fn format_fields<R: tracing_subscriber::field::RecordFields>(
        &self,
        mut writer: Writer<'w>,
        fields: R,
    ) -> fmt::Result {
        let mut visitor = Fields::default();
        fields.record(&mut visitor);
        let text = serde_json::to_string(&visitor.values).map_err(|_| fmt::Error)?;
        write!(writer, "{text}")
    }
}

#[derive(Default)]
struct Fields {
    values: BTreeMap<String, Value>,
}

impl Fields {
    fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.values.insert(name.to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.set(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field.name(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field.name(), value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field.name(), value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field.name(), value);
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("not poisoned").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_record_is_one_flat_json_object_with_the_fields_of_its_spans() {
        let lines = Lines::default();
        let sink = lines.clone();
        let service = Service { name: "muster-api".into(), environment: "test".into() };
        let subscriber = tracing_subscriber::registry().with(layer(service, move || sink.clone()));
        tracing::subscriber::with_default(subscriber, || {
            let _span = tracing::info_span!("request", correlation_id = "c-1", user_id = "ann").entered();
            tracing::warn!(execution_id = "ex_1", tries = 3_u64, "stored \"again\"");
        });
        let bytes = lines.0.lock().expect("not poisoned").clone();
        let record: Value = serde_json::from_slice(&bytes).expect("one JSON object");
        let expected = [
            ("level", "WARN"),
            ("message", "stored \"again\""),
            ("service", "muster-api"),
            ("environment", "test"),
            ("correlation_id", "c-1"),
            ("user_id", "ann"),
            ("execution_id", "ex_1"),
        ];
        for (name, value) in expected {
            assert_eq!(record[name], value, "{name}");
        }
        assert_eq!(record["tries"], 3);
        let stamp = record["timestamp"].as_str().expect("a text");
        assert!(stamp.ends_with('Z') && stamp.len() == 24, "{stamp}");
    }
}
