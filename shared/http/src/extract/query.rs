//! Query parameters, as strictly as bodies: unknown, repeated and invalid ones are refused by name.

use axum::extract::Query;
use http::Uri;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use serde_path_to_error::Segment;

use super::json::{Misfit, message, typed};
use crate::problem::{InputError, Problem};

/// The query of a route that has no parameters.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoQuery {}

pub(crate) fn parse<Q: DeserializeOwned>(uri: &Uri) -> Result<Q, Problem> {
    let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri)
        .map_err(|_| refused("", "the query is not a list of `name=value`"))?;
    let mut parameters = Map::new();
    for (name, value) in pairs {
        if parameters.insert(name.clone(), Value::String(value)).is_some() {
            return Err(refused(&name, "is given more than once"));
        }
    }
    typed(Value::Object(parameters)).map_err(|error| refused(&name_of(&error), &message(error.inner())))
}

fn name_of(error: &Misfit) -> String {
    match error.path().iter().next() {
        Some(Segment::Map { key }) => key.clone(),
        Some(Segment::Seq { .. } | Segment::Enum { .. } | Segment::Unknown) | None => String::new(),
    }
}

fn refused(parameter: &str, message: &str) -> Problem {
    Problem::invalid(vec![InputError::in_query(parameter.to_owned(), message.to_owned())])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routes::audit::DayQuery;
    use crate::routes::runbooks::RunbookQuery;

    fn check<Q: DeserializeOwned>(query: &str, expected: &str) {
        let uri: Uri = format!("/x{query}").parse().expect("a URI");
        let seen = match parse::<Q>(&uri) {
            Ok(_) => "fits".to_owned(),
            Err(problem) => {
                let value = problem.body();
                let error = value["errors"][0].clone();
                format!("{}: {}", error["parameter"].as_str().unwrap(), error["message"].as_str().unwrap())
            }
        };
        assert!(seen.starts_with(expected), "{query}: {seen}");
    }

    #[test]
    fn inv_c7_unknown_repeated_and_invalid_parameters_are_refused_by_name() {
        check::<RunbookQuery>("", "fits");
        check::<RunbookQuery>("?teamId=ops&approvalStatus=DRAFT&tag=a&q=b&limit=100&cursor=x", "fits");
        check::<RunbookQuery>("?limit=0", "limit: expected a number, 1 to 100");
        check::<RunbookQuery>("?limit=101", "limit: expected a number, 1 to 100");
        check::<RunbookQuery>("?limit=-1", "limit: expected a number, 1 to 100");
        check::<RunbookQuery>("?limit=1&limit=2", "limit: is given more than once");
        check::<RunbookQuery>("?team=ops", "team: unknown field `team`");
        check::<RunbookQuery>("?teamId=a%23b", "teamId: expected 1 to 64 letters");
        check::<RunbookQuery>("?approvalStatus=draft", "approvalStatus: expected one of `DRAFT`");
        check::<RunbookQuery>("?q=", "q: expected 1 to 200 characters");
        check::<NoQuery>("?", "fits");
        check::<NoQuery>("?x=1", "x: unknown field `x`");
        check::<DayQuery>("", ": missing field `day`");
        check::<DayQuery>("?day=2026-02-28", "fits");
        check::<DayQuery>("?day=2026-02-29", "day: expected a day");
        check::<DayQuery>("?day=20260228", "day: expected a day");
    }
}
