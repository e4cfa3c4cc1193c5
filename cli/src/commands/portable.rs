//! `muster export` and `muster import`: a whole installation as a file, between machines and engines.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::{Args, ValueEnum};
use muster_app::table::TableError;
use muster_store::portable::{self, Begun, LoadError, SaveError};
use muster_store::sqlite::SqliteTable;

use super::data::{DataArgs, NoHome};
use crate::exit::Exit;
use crate::local::data_dir::{DataDir, DataDirError, Lock};

/// The command beside this one that links the AWS SDK.
const AWS: &str = "muster-aws";

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// The file to write; nobody else may read it
    file: PathBuf,
    /// Which engine the data is in
    #[arg(long, value_name = "ENGINE", default_value = "sqlite")]
    from: Engine,
    #[command(flatten)]
    common: CommonArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The file of an export
    file: PathBuf,
    /// Which engine to fill
    #[arg(long, value_name = "ENGINE", default_value = "sqlite")]
    to: Engine,
    #[command(flatten)]
    common: CommonArgs,
}

#[derive(Debug, Args)]
struct CommonArgs {
    /// The DynamoDB table, as the stack's output `TableName` says
    #[arg(long, value_name = "NAME", env = "MUSTER_TABLE")]
    table: Option<String>,
    /// Go on with one that was cut short
    #[arg(long)]
    resume: bool,
    #[command(flatten)]
    data: DataArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Engine {
    /// The data directory of this machine; no server may run on it
    Sqlite,
    /// A DynamoDB table; needs the command `muster-aws`
    Dynamodb,
}

pub(crate) async fn export(args: &ExportArgs) -> Result<(), PortableError> {
    if args.from == Engine::Dynamodb {
        return aws("export", &args.file, &args.common);
    }
    let local = Local::open(&args.common)?;
    let items = portable::save(&local.table, &args.file, args.common.begun()).await?;
    local.close()?;
    say(&format!("{items} items are in {}", args.file.display()))
}

pub(crate) async fn import(args: &ImportArgs) -> Result<(), PortableError> {
    if args.to == Engine::Dynamodb {
        return aws("import", &args.file, &args.common);
    }
    let local = Local::open(&args.common)?;
    let proof = portable::load(&local.table, &args.file, args.common.begun()).await?;
    local.close()?;
    say(&proof.to_string())
}

impl CommonArgs {
    fn begun(&self) -> Begun {
        if self.resume { Begun::Yes } else { Begun::No }
    }
}

/// The table of a data directory, while no server has it.
struct Local {
    table: SqliteTable,
    _lock: Lock,
}

impl Local {
    fn open(args: &CommonArgs) -> Result<Self, PortableError> {
        let directory = DataDir::open(&args.data.path()?)?;
        let lock = directory.lock()?;
        let table = SqliteTable::open(&directory.table()).map_err(PortableError::Table)?;
        Ok(Self { table, _lock: lock })
    }

    fn close(self) -> Result<(), PortableError> {
        self.table.close().map_err(PortableError::Table)
    }
}

/// Starts the command that links the AWS SDK, with the same arguments.
fn aws(verb: &str, file: &Path, args: &CommonArgs) -> Result<(), PortableError> {
    let table = args.table.as_ref().ok_or(PortableError::NoTable)?;
    let mut command = Command::new(beside_this().unwrap_or_else(|| AWS.into()));
    command.arg(verb).arg(file).arg("--table").arg(table);
    if args.resume {
        command.arg("--resume");
    }
    let status = command.status().map_err(PortableError::NoAws)?;
    if status.success() { Ok(()) } else { Err(PortableError::Aws) }
}

/// The command in the folder of this one, where a build puts both; elsewhere the search path has it.
fn beside_this() -> Option<OsString> {
    let beside = std::env::current_exe().ok()?.with_file_name(AWS);
    beside.exists().then(|| beside.into_os_string())
}

fn say(line: &str) -> Result<(), PortableError> {
    writeln!(io::stdout().lock(), "{line}").map_err(PortableError::Output)
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum PortableError {
    #[error(transparent)]
    NoHome(#[from] NoHome),
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    #[error("opening the table")]
    Table(#[source] TableError),
    #[error(transparent)]
    Export(#[from] SaveError),
    #[error(transparent)]
    Import(Box<LoadError>),
    #[error("which DynamoDB table? say with --table NAME")]
    NoTable,
    #[error(
        "starting {AWS}, which is not installed: `cargo build --release -p muster-cli-aws` builds it beside muster"
    )]
    NoAws(#[source] io::Error),
    #[error("{AWS} did not succeed")]
    Aws,
    #[error("writing to standard output")]
    Output(#[source] io::Error),
}

impl From<LoadError> for PortableError {
    fn from(error: LoadError) -> Self {
        Self::Import(Box::new(error))
    }
}

impl PortableError {
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::NoHome(_) | Self::NoTable | Self::NoAws(_) => Exit::Usage,
            Self::DataDir(DataDirError::InUse { .. }) => Exit::Conflict,
            Self::Export(SaveError::Exists { .. }) => Exit::Conflict,
            Self::Import(error) if matches!(**error, LoadError::NotEmpty) => Exit::Conflict,
            Self::DataDir(DataDirError::Io { .. } | DataDirError::Open { .. })
            | Self::Table(_)
            | Self::Export(_)
            | Self::Import(_)
            | Self::Aws
            | Self::Output(_) => Exit::Failure,
        }
    }
}
