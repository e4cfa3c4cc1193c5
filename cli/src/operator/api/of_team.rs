//! Lists that can be narrowed to a team, and by nothing else.

use clap::Args;
use muster_domain::ids::TeamId;

use super::call::Call;
use super::pages::PageArgs;

#[derive(Debug, Args)]
pub(crate) struct OfTeam {
    /// Only those of this team
    #[arg(long, value_name = "TEAM")]
    team: Option<TeamId>,
    #[command(flatten)]
    pub(crate) pages: PageArgs,
}

impl OfTeam {
    /// Asks for a collection of the API, as in `incidents`.
    pub(crate) fn call(&self, collection: &str) -> Call {
        Call::get(&["api", collection]).query("teamId", self.team.as_ref())
    }
}
