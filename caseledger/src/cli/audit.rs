//! `caseledger audit`.

use std::path::PathBuf;

use audit::VerifierKey;
use clap::{Args, Subcommand};

/// `caseledger audit`.
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// Makes the key that signs checkpoints, and prints its public half; without --name prints that of the one that is there.
    Key {
        /// The file; otherwise the one that CASELEDGER_AUDIT_KEY_FILE names. One that is there is never replaced.
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
        /// Who signs, and the log's origin for ever: a name that is nobody else's, such as council.example/caseledger.
        #[arg(long)]
        name: Option<String>,
    },
    /// Signs what the log is now: its size, and the root over all of its events. Keep it where nobody who can write the log can write.
    Checkpoint {
        /// Where to write it; otherwise it is printed.
        #[arg(short, long, value_name = "F")]
        output: Option<PathBuf>,
        /// A folder for the last checkpoint and the tree's hashes: with it only what is new is read, and `verify` names positions.
        #[arg(long, value_name = "DIR", env = "CASELEDGER_AUDIT_TILES")]
        tiles: Option<PathBuf>,
        /// Goes on, with a checkpoint every so many minutes: what is altered before the next one, nothing shows.
        #[arg(long, value_name = "MINUTES", conflicts_with = "output", value_parser = clap::value_parser!(u32).range(1..))]
        every: Option<u32>,
    },
    /// Walks the whole log, and compares it with what was kept elsewhere. Without a database it verifies an export by itself.
    Verify(AuditVerify),
    /// Writes rows, whole, with what proves them, as JSON lines.
    Export {
        /// One case, by its reference, or any stream, by its id; otherwise the log.
        #[arg(long, value_name = "REF")]
        case: Option<String>,
        /// Where to write it.
        #[arg(short, long, value_name = "F")]
        output: PathBuf,
        /// Under this checkpoint, up to its size; otherwise under a new one.
        #[arg(long, value_name = "F")]
        checkpoint: Option<PathBuf>,
        /// A public key to believe.
        #[arg(long = "public-key", value_name = "KEY")]
        public_keys: Vec<VerifierKey>,
    },
    /// Proves that the events of a case are in the log.
    Prove {
        /// Its reference, or any stream's id.
        #[arg(value_name = "REF")]
        reference: String,
        /// Under this checkpoint; otherwise under a new one.
        #[arg(long, value_name = "F")]
        checkpoint: Option<PathBuf>,
        /// A public key to believe.
        #[arg(long = "public-key", value_name = "KEY")]
        public_keys: Vec<VerifierKey>,
    },
}

/// `caseledger audit verify`.
#[derive(Debug, Args)]
pub struct AuditVerify {
    /// An export; where there is a database, the log is compared with it row by row.
    #[arg(long, value_name = "F")]
    pub export: Option<PathBuf>,
    /// A checkpoint that was kept outside; repeat it.
    #[arg(long = "checkpoint", value_name = "F")]
    pub checkpoints: Vec<PathBuf>,
    /// The folder that `checkpoint --tiles` keeps.
    #[arg(long, value_name = "DIR", env = "CASELEDGER_AUDIT_TILES")]
    pub tiles: Option<PathBuf>,
    /// A public key to believe, as `audit key` prints it; repeat it. Otherwise CASELEDGER_AUDIT_PUBLIC_KEY, or the signing key's own.
    #[arg(long = "public-key", value_name = "KEY")]
    pub public_keys: Vec<VerifierKey>,
    /// Compares with the copies in the event stream too.
    #[arg(long, conflicts_with = "offline")]
    pub stream: bool,
    /// Verifies the export by itself, even where there is a database.
    #[arg(long, requires = "export")]
    pub offline: bool,
}
