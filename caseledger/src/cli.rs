//! What can be called, and how it is written.

mod audit;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use schemas::feed::FeedKey;
use schemas::moment::{Day, Instant};
use uuid::Uuid;

pub use audit::{Audit, AuditVerify};

/// Case management for councils: commands in, events for ever.
///
/// Exit status: 0 done, 1 the answer is no, 2 wrong usage, 3 something it needs is down.
#[derive(Debug, Parser)]
#[command(name = "caseledger", version, max_term_width = 100)]
pub struct Cli {
    /// Prints one JSON document, or JSON lines, in place of tables.
    #[arg(long, global = true)]
    pub json: bool,

    /// What to do.
    #[command(subcommand)]
    pub call: Call,
}

impl Cli {
    /// Whether this process is a relay and nothing else. That reads, sends and waits, each after the other: on one thread nothing is
    /// handed from core to core, which takes a sixth of its CPU time, and it publishes as many events a second.
    #[must_use]
    pub fn serves_the_relay_alone(&self) -> bool {
        matches!(&self.call, Call::Serve(serve) if serve.services == [Service::Relay])
    }
}

/// The calls.
#[derive(Debug, Subcommand)]
pub enum Call {
    /// Runs the whole system in one process on a private Postgres and NATS.
    Dev(Dev),
    /// Runs one or more services, for deployment.
    Serve(Serve),
    /// Brings the database to the current version, and the bus its streams.
    Migrate,
    /// Sends a command, its data on standard input, and prints the result.
    Send(Send),
    /// Brings cases from another system through the bus, with their original times.
    Import(Import),
    /// Looks a case up.
    #[command(subcommand)]
    Case(Case),
    /// The files of cases.
    #[command(subcommand)]
    Attachment(Attachment),
    /// Looks a customer up.
    #[command(subcommand)]
    Customer(Customer),
    /// What was granted with a term: badges, subscriptions, assisted collections.
    #[command(subcommand)]
    Entitlement(Entitlement),
    /// The services and their request types.
    #[command(subcommand)]
    Catalogue(Catalogue),
    /// By when something has to be done, and why.
    #[command(subcommand)]
    Clock(Clock),
    /// Who may use the bus, and for what.
    #[command(subcommand)]
    Client(Client),
    /// Where the read models stand.
    #[command(subcommand)]
    Projection(Projection),
    /// The bus itself.
    #[command(subcommand)]
    Bus(Bus),
    /// Whether the log is still what it was: checkpoints, verification, exports and proofs.
    #[command(subcommand)]
    Audit(Audit),
    /// The key that wraps the keys of personal data.
    #[command(subcommand)]
    Key(Key),
    /// The contract in schemas/.
    #[command(subcommand)]
    Schema(Schema),
}

/// `caseledger dev`.
#[derive(Debug, Args)]
pub struct Dev {
    /// Where its data is kept.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Sends a few dozen demo cases through the bus, once.
    #[arg(long)]
    pub demo: bool,
    /// Written whole, as JSON, when everything is ready.
    #[arg(long, value_name = "F")]
    pub ready_file: Option<PathBuf>,
    /// Where /healthz, /readyz and /metrics are told, such as 127.0.0.1:9464; nowhere where it is not given.
    #[arg(long, value_name = "ADDR", env = "CASELEDGER_HTTP")]
    pub http: Option<SocketAddr>,
}

/// A service that can be run alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ValueEnum)]
pub enum Service {
    /// Takes commands, answers queries and replays.
    CommandService,
    /// Publishes the log to the bus.
    Relay,
    /// Keeps history and reporting up to date.
    Projections,
    /// Tells people.
    Notifier,
}

/// `caseledger attachment`.
#[derive(Debug, Subcommand)]
pub enum Attachment {
    /// Uploads a file, and prints what AddAttachment needs to name it.
    Put {
        /// The file.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// What kind of file it is; told by its bytes where it is not given. A table is text to its bytes: say text/csv.
        #[arg(long, value_name = "TYPE")]
        media_type: Option<String>,
    },
    /// Fetches a file of a case, for an officer who says why.
    Get {
        /// The case, by its reference or id.
        case: String,
        /// The file's id, as `case show` tells it.
        id: Uuid,
        /// Where to write it; nothing that is there is written over.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Who reads it.
        #[command(flatten)]
        reader: Reader,
    },
}

/// `caseledger serve`.
#[derive(Debug, Args)]
pub struct Serve {
    /// Which services.
    #[arg(required = true, value_enum)]
    pub services: Vec<Service>,
    /// Where /healthz, /readyz and /metrics are told, such as 127.0.0.1:9464; nowhere where it is not given.
    #[arg(long, value_name = "ADDR", env = "CASELEDGER_HTTP")]
    pub http: Option<SocketAddr>,
}

/// `caseledger send`.
#[derive(Debug, Args)]
pub struct Send {
    /// The command's name, such as SubmitRequest.
    pub command: String,
    /// As which client.
    #[arg(long, env = "CASELEDGER_CLIENT", default_value = "website")]
    pub client: String,
    /// The command's id; a new one (UUIDv7) where it is not given.
    #[arg(long)]
    pub id: Option<Uuid>,
    /// It was sent before under this id, and not answered: a rejection is recorded now, so that no copy that is still on its way can be
    /// accepted later.
    #[arg(long, requires = "id", conflicts_with = "durable")]
    pub again: bool,
    /// The customer or case that it speaks to.
    #[arg(long)]
    pub subject: Option<Uuid>,
    /// Through the durable stream, waiting for the result.
    #[arg(long)]
    pub durable: bool,
}

/// `caseledger import`.
#[derive(Debug, Args)]
pub struct Import {
    /// The other system's export: CSV, plain or gzip.
    pub file: PathBuf,
    /// How its columns become commands.
    #[arg(long, value_name = "M.toml")]
    pub mapping: PathBuf,
    /// As which client; it needs the right to leave deciders unrecorded.
    #[arg(long, default_value = "import")]
    pub client: String,
    /// Goes on after an import that was broken off. Nothing is taken twice with or without it: it only skips what is known
    /// to be done.
    #[arg(long)]
    pub resume: bool,
    /// Where the row-by-row report is written.
    #[arg(long, value_name = "F.csv")]
    pub report: Option<PathBuf>,
}

/// Up to where history is read.
#[derive(Clone, Copy, Debug, Args)]
pub struct AsOf {
    /// As it stood at this time.
    #[arg(long, value_name = "TIME", conflicts_with = "at_position")]
    pub as_of: Option<Instant>,
    /// As it stood at this position of the log.
    #[arg(long, value_name = "N")]
    pub at_position: Option<i64>,
    /// Whether TIME is when something was recorded or when it happened.
    #[arg(long, value_enum, default_value = "recorded")]
    pub by: By,
}

/// Which of an event's two times counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum By {
    /// When it was recorded.
    Recorded,
    /// When it happened.
    Occurred,
}

/// Opening personal data.
#[derive(Clone, Debug, Args)]
pub struct Reader {
    /// The officer who reads.
    #[arg(long, env = "CASELEDGER_OFFICER", requires = "reason")]
    pub officer: Option<String>,
    /// Why they need to.
    #[arg(long, env = "CASELEDGER_REASON")]
    pub reason: Option<String>,
}

/// `caseledger case`.
#[derive(Debug, Subcommand)]
pub enum Case {
    /// A case as it stands.
    Show {
        /// Its reference or id.
        reference: String,
        /// Who reads.
        #[command(flatten)]
        reader: Reader,
    },
    /// The cases that have something to be done by a day, the earliest first: an officer's list.
    Due {
        /// The day; today where it is not given.
        #[arg(long)]
        by: Option<Day>,
        /// Only of this service.
        #[arg(long)]
        service: Option<String>,
        /// Only of this team.
        #[arg(long)]
        team: Option<String>,
        /// At most so many.
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// What may be told to somebody whom a case is about: what is said of them and what was done against them, and nothing of whoever
    /// complained. What is sealed for them is opened for an officer who says why.
    Statement {
        /// Its reference or id.
        reference: String,
        /// To whom: the customer's id.
        #[arg(long, value_name = "ID")]
        subject: Uuid,
        /// Who reads.
        #[command(flatten)]
        reader: Reader,
    },
    /// A case's timeline, now or then.
    History {
        /// Its reference or id.
        reference: String,
        /// Up to where.
        #[command(flatten)]
        as_of: AsOf,
        /// Who reads.
        #[command(flatten)]
        reader: Reader,
    },
}

/// `caseledger customer`.
#[derive(Debug, Subcommand)]
pub enum Customer {
    /// All of a customer's cases, and those of records that were merged into theirs.
    History {
        /// The customer's id.
        id: Uuid,
    },
    /// What is known of a customer. Sealed values are opened for an officer who says why.
    Show {
        /// The customer's id.
        id: Uuid,
        /// Who reads.
        #[command(flatten)]
        reader: Reader,
    },
    /// Who may be the same person: who shares an email address, a phone number or a postcode.
    Duplicates {
        /// The customer's id.
        id: Uuid,
    },
}

/// `caseledger entitlement`.
#[derive(Debug, Subcommand)]
pub enum Entitlement {
    /// One entitlement. Sealed values are opened for an officer who says why.
    Show {
        /// Its id.
        id: Uuid,
        /// Who reads.
        #[command(flatten)]
        reader: Reader,
    },
    /// Entitlements, the one that ends first, first.
    List {
        /// A customer's, and those of records that were merged into theirs.
        #[arg(long, value_name = "ID")]
        customer: Option<Uuid>,
        /// Whose term runs, and ends by this day.
        #[arg(long, value_name = "DAY")]
        ending_by: Option<Day>,
        /// Of this kind, such as blue-badge.
        #[arg(long, value_name = "NAME")]
        kind: Option<String>,
        /// At most so many.
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
}

/// `caseledger catalogue`.
#[derive(Debug, Subcommand)]
pub enum Catalogue {
    /// Checks the files of a catalogue; without DIR the one that is built in.
    Check {
        /// Where they are.
        dir: Option<PathBuf>,
    },
    /// Lists services and request types.
    List,
}

/// `caseledger clock`.
#[derive(Debug, Subcommand)]
pub enum Clock {
    /// Works out due days: JSON lines in, such as `{"id": "a", "clock": "foi", "started_on": "2026-04-01", "events": []}`, and JSON
    /// lines out, each with `due` and an explanation, or with an error.
    Due {
        /// Bank holidays, of the form that GOV.UK publishes; otherwise the built-in ones.
        #[arg(long, value_name = "FILE", env = "CASELEDGER_BANK_HOLIDAYS_FILE")]
        holidays: Option<PathBuf>,
        /// What the clocks are set to; otherwise the built-in rules.
        #[arg(long, value_name = "FILE", env = "CASELEDGER_CLOCKS_FILE")]
        clocks: Option<PathBuf>,
    },
}

/// `caseledger client`.
#[derive(Debug, Subcommand)]
pub enum Client {
    /// Lets a client in: its name, rights and a new password.
    Add(ClientAdd),
    /// Shuts a client out.
    Revoke {
        /// Which.
        name: String,
    },
    /// Lists the clients and their rights.
    List,
    /// Writes the accounts file anew: after passwords of the services' NATS users changed, and with each version that changes their
    /// rights.
    Accounts,
}

/// `caseledger client add`.
#[derive(Debug, Args)]
pub struct ClientAdd {
    /// Its name on the bus.
    pub name: String,
    /// A command that it may send; repeat it. `*` for all.
    #[arg(long = "command", value_name = "COMMAND")]
    pub commands: Vec<String>,
    /// A service whose cases it may speak to; repeat it. `*` for all.
    #[arg(long = "service", value_name = "SERVICE")]
    pub services: Vec<String>,
    /// A service whose events it may read, where that is not the same; repeat it.
    #[arg(long = "reads", value_name = "SERVICE")]
    pub reads: Vec<String>,
    /// A kind of actor that it may speak for; repeat it.
    #[arg(long = "actor", value_name = "KIND")]
    pub actors: Vec<String>,
    /// A team whose officers it may speak for; repeat it.
    #[arg(long = "team", value_name = "TEAM")]
    pub teams: Vec<String>,
    /// It may bring decisions whose officer nobody wrote down: an import.
    #[arg(long)]
    pub may_leave_decider_unrecorded: bool,
    /// It is a contractor's, with a feed of jobs: the X25519 public key that what it reads is sealed for, base64.
    #[arg(long, value_name = "KEY")]
    pub feed_key: Option<FeedKey>,
}

/// `caseledger projection`.
#[derive(Debug, Subcommand)]
pub enum Projection {
    /// Where each stands.
    Status,
    /// Builds one anew beside the live one, and switches.
    Rebuild {
        /// Which.
        name: String,
    },
    /// Compares one with a rebuild.
    Verify {
        /// Which.
        name: String,
    },
}

/// `caseledger bus`.
#[derive(Debug, Subcommand)]
pub enum Bus {
    /// Empties the event stream and fills it again from Postgres.
    Refill {
        /// In its place the feed of this contractor, which the command-service fills again.
        #[arg(long, value_name = "CLIENT")]
        feed: Option<String>,
    },
    /// Lists the dead letters: what could not be read or handled, and why.
    Parked,
    /// Sends commands among the dead letters again, each under an id of its own that follows from the letter, in the name of the
    /// client that it came from; drops the letter of each that is accepted, or that was put aside again.
    Replay {
        /// Which, by the numbers that `bus parked` lists.
        #[arg(value_name = "NUMBER", required_unless_present = "all")]
        numbers: Vec<u64>,
        /// All that there are.
        #[arg(long, conflicts_with = "numbers")]
        all: bool,
    },
    /// Drops dead letters that are settled otherwise.
    Drop {
        /// Which, by the numbers that `bus parked` lists.
        #[arg(value_name = "NUMBER", required = true)]
        numbers: Vec<u64>,
    },
}

/// `caseledger key`.
#[derive(Debug, Subcommand)]
pub enum Key {
    /// Which wrapping key is in force in the key file, and how many keys each has wrapped.
    Status,
    /// Writes a new key file: the one that the environment names, with one wrapping key more, which is in force.
    Rotate {
        /// Where; nothing that is there is written over.
        #[arg(value_name = "FILE")]
        new_file: PathBuf,
    },
    /// Wraps anew what others than the wrapping key in force have wrapped. Needs the owner of the database.
    Rewrap,
}

/// `caseledger schema`.
#[derive(Debug, Subcommand)]
pub enum Schema {
    /// Compares schemas/ with the types.
    Check {
        /// The folder.
        #[arg(default_value = "schemas")]
        dir: PathBuf,
    },
}
