//! Checking a file alone: no server, no token.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use crate::exit::Exit;
use crate::operator::context::Context;
use crate::operator::ended::Ended;
use crate::operator::error::OperatorError;
use crate::operator::file::{FileFault, FileFaults, Source, check};
use crate::operator::output::{Format, Layout, OutputError, Printer, field};

#[derive(Debug, Args)]
pub(crate) struct Validate {
    /// YAML or JSON file with the definition; `-` reads standard input
    #[arg(short, long, value_name = "FILE")]
    file: PathBuf,
}

impl Validate {
    pub(super) fn run(&self, context: &Context) -> Result<Ended, OperatorError> {
        let source = Source::read(&self.file)?;
        match check(&source) {
            Ok(checked) => {
                let digest = checked.definition.digest().to_string();
                let report = report(&source.name, Some(&digest), &[], &checked.doubts.faults);
                context.printer.data(&report, layout)?;
                Ok(Ended::SUCCESS)
            }
            Err(faults) => {
                tell(&faults, &context.printer)?;
                Ok(Ended::As(Exit::Usage))
            }
        }
    }
}

/// For a script the faults are the data; people see them as those of `create`.
fn tell(faults: &FileFaults, printer: &Printer) -> Result<(), OutputError> {
    match printer.format {
        Format::Table => printer.complain(&format!("error: {faults}")),
        Format::Json | Format::Yaml => {
            printer.data(&report(&faults.name, None, &faults.faults, &[]), layout)?
        }
    }
    Ok(())
}

fn report(name: &str, digest: Option<&str>, faults: &[FileFault], doubts: &[FileFault]) -> Value {
    let mut report = json!({
        "file": name,
        "valid": faults.is_empty(),
        "faults": faults,
        "warnings": doubts,
    });
    if let (Some(members), Some(digest)) = (report.as_object_mut(), digest) {
        members.insert("digest".into(), digest.into());
    }
    report
}

fn layout(report: &Value) -> Layout {
    let mut facts = vec![
        ("File", field(report, "/file")),
        ("Valid", field(report, "/valid")),
        ("Digest", field(report, "/digest")),
    ];
    let warnings = report.get("warnings").and_then(Value::as_array);
    facts.extend(warnings.into_iter().flatten().map(|warning| {
        let line = field(warning, "/line");
        ("Warning", format!("line {line}: {} {}", field(warning, "/pointer"), field(warning, "/message")))
    }));
    Layout::facts(facts)
}
