//! The outputs of a deployed stack, as variables of the environment.

use std::fmt;

use serde::Deserialize;
use serde_json::error::Error as JsonError;

use crate::operator::api::{BaseUrl, InvalidUrl};
use crate::operator::file::Source;

/// The outputs of `infra/template.yaml` that are imported, and what each is called here.
const OUTPUTS: [(&str, &str); 6] = [
    ("ApiUrl", "MUSTER_URL"),
    ("TableName", "MUSTER_TABLE"),
    ("QueueUrl", "MUSTER_QUEUE_URL"),
    ("DeadLetterQueueUrl", "MUSTER_DLQ_URL"),
    ("BusName", "MUSTER_BUS"),
    ("SecretPrefix", "MUSTER_SECRET_PREFIX"),
];

/// One variable and its value; shown as a line that a shell reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Setting {
    pub(super) variable: &'static str,
    pub(super) value: String,
}

/// Why a text says nothing of a stack of Muster.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StackError {
    #[error("{name} is not what `aws cloudformation describe-stacks --output json` prints")]
    NotJson {
        name: String,
        #[source]
        cause: JsonError,
    },
    #[error("{name} describes {count} stacks; describe one, with --stack-name")]
    NotOne { name: String, count: usize },
    #[error("the stack {stack} has no output {output}: is it one of Muster, and is its deployment done?")]
    Missing { stack: String, output: &'static str },
    #[error("the output ApiUrl of the stack {stack}")]
    Address {
        stack: String,
        #[source]
        cause: InvalidUrl,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Described {
    stacks: Vec<Stack>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Stack {
    stack_name: String,
    #[serde(default)]
    outputs: Vec<Output>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Output {
    output_key: String,
    output_value: String,
}

/// Every variable that the one stack gives.
pub(super) fn settings(source: &Source) -> Result<Vec<Setting>, StackError> {
    let stack = only_stack(source)?;
    stack.check_address()?;
    let settings = OUTPUTS.into_iter();
    settings
        .map(|(output, variable)| Ok(Setting { variable, value: stack.output(output)?.to_owned() }))
        .collect()
}

fn only_stack(source: &Source) -> Result<Stack, StackError> {
    let name = || source.name.clone();
    let described: Described =
        serde_json::from_str(&source.text).map_err(|cause| StackError::NotJson { name: name(), cause })?;
    let count = described.stacks.len();
    match <[Stack; 1]>::try_from(described.stacks) {
        Ok([stack]) => Ok(stack),
        Err(_) => Err(StackError::NotOne { name: name(), count }),
    }
}

impl Stack {
    fn output(&self, output: &'static str) -> Result<&str, StackError> {
        let found = self.outputs.iter().find(|one| one.output_key == output);
        let found = found.map(|one| one.output_value.as_str());
        found.ok_or_else(|| StackError::Missing { stack: self.stack_name.clone(), output })
    }

    /// Every later command would refuse the address otherwise, and not say where it is from.
    fn check_address(&self) -> Result<(), StackError> {
        let address: Result<BaseUrl, InvalidUrl> = self.output("ApiUrl")?.parse();
        match address {
            Ok(_) => Ok(()),
            Err(cause) => Err(StackError::Address { stack: self.stack_name.clone(), cause }),
        }
    }
}

/// Quoted, so that the shell takes nothing in the value for a command.
impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "export {}='{}'", self.variable, self.value.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_one_word_of_the_shell_whatever_it_holds() {
        let line = |value: &str| Setting { variable: "MUSTER_BUS", value: value.into() }.to_string();
        assert_eq!(line("muster-prod"), "export MUSTER_BUS='muster-prod'");
        assert_eq!(line("a'; rm -r $HOME"), r"export MUSTER_BUS='a'\''; rm -r $HOME'");
    }

    #[test]
    fn the_template_has_every_output_that_is_imported() {
        let template = include_str!("../../../../infra/template.yaml");
        let (_, outputs) = template.split_once("\nOutputs:\n").expect("has outputs");
        for (output, _) in OUTPUTS {
            assert!(outputs.contains(&format!("  {output}:\n")), "{output}");
        }
    }
}
