//! The `caseledger` command.

use std::process::ExitCode;

use caseledger::cli::Cli;
use caseledger::print;
use clap::Parser;

/// Commands and events are many small texts, made on one thread and dropped on another.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    // Postgres, NATS and SMTP bring rustls without a provider of their own choice: they share this one.
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        print::aside("a TLS provider was installed twice");
    }
    let mut threads = if cli.serves_the_relay_alone() {
        tokio::runtime::Builder::new_current_thread()
    } else {
        tokio::runtime::Builder::new_multi_thread()
    };
    let runtime = match threads.enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            print::aside(format!("no threads to run on: {error}"));
            return ExitCode::from(3);
        }
    };
    match runtime.block_on(caseledger::calls::run(cli)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !matches!(failure, caseledger::outcome::Failure::No) {
                print::aside(format!("caseledger: {failure}"));
            }
            failure.exit_code()
        }
    }
}
