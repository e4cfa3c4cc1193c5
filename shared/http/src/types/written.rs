//! A definition in JSON or YAML, with the place of each of its parts if it came as YAML.

use crate::extract::json::Body;
use crate::problem::{InputError, Kind, Problem};
use crate::yaml::{Aliases, Located, Places, SyntaxFault};

use super::definition::NewDefinition;

#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) definition: NewDefinition,
    /// None of JSON, whose faults have their pointers alone.
    pub(crate) places: Places,
}

impl Body for Written {
    fn read(body: &[u8]) -> Result<Self, Problem> {
        Ok(Self { definition: NewDefinition::read(body)?, places: Places::default() })
    }

    /// Read as the JSON that it means, so that nothing is allowed in one form that the other refuses.
    fn read_yaml(body: &[u8]) -> Result<Self, Problem> {
        let text = std::str::from_utf8(body).map_err(|_| malformed("The body is not UTF-8".to_owned()))?;
        let Located { value, places } = Located::parse(text, Aliases::Refused).map_err(not_yaml)?;
        if !value.is_object() {
            let fault = InputError::in_body(String::new(), "expected an object".into());
            return Err(Problem::invalid(vec![fault]).located(&places));
        }
        match NewDefinition::read(value.to_string().as_bytes()) {
            Ok(definition) => Ok(Self { definition, places }),
            Err(problem) => Err(problem.located(&places)),
        }
    }
}

fn not_yaml(fault: SyntaxFault) -> Problem {
    malformed(match fault.place {
        None => fault.message,
        Some(at) => format!("{} at line {} column {}", fault.message, at.line, at.column),
    })
}

fn malformed(detail: String) -> Problem {
    Problem::new(Kind::Malformed, detail)
}
