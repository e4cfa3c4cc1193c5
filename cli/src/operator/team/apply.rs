//! Making a team's settings what a file says.

use std::path::PathBuf;

use clap::Args;

use super::layout;
use crate::operator::api::{ApiError, Call, object};
use crate::operator::context::Context;
use crate::operator::error::OperatorError;
use crate::operator::file::read_team;

#[derive(Debug, Args)]
pub(crate) struct Apply {
    /// YAML or JSON file with `teamId` and all settings; `-` reads standard input
    #[arg(short, long, value_name = "FILE")]
    file: PathBuf,
    /// Refuse if the settings are not as they were under this ETag
    #[arg(long, value_name = "ETAG")]
    if_match: Option<String>,
}

impl Apply {
    pub(super) async fn run(&self, context: &Context) -> Result<(), OperatorError> {
        let checked = read_team(&self.file)?;
        let path = ["api", "teams", checked.team.as_str(), "settings"];
        let call = Call::put(&path, object(&checked.settings)).if_match(self.if_match.clone());
        match context.send(call).await {
            Ok(reply) => Ok(context.printer.data(&reply.body, layout)?),
            Err(OperatorError::Api(ApiError::Problem(problem))) => {
                Err(ApiError::from(problem.in_file(&checked.name, &checked.places)).into())
            }
            Err(error) => Err(error),
        }
    }
}
