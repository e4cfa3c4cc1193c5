//! `muster completion`: what a shell needs to complete commands.

use std::io::{self, Write as _};

use clap::Args;
use clap_complete::Shell;

#[derive(Debug, Args)]
pub(crate) struct CompletionArgs {
    /// Shell to write the script for
    shell: Shell,
}

/// Writes the script to standard output. In one piece, for the generator would panic on a closed pipe.
pub(crate) fn run(args: &CompletionArgs, mut command: clap::Command) -> io::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "muster", &mut script);
    io::stdout().write_all(&script)
}
