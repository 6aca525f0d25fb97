//! `caseledger dev`: the whole system in one process, on a private Postgres and NATS or on those that the environment names.

mod cases;
mod checkpoints;
mod home;
mod platform;
mod ready;
mod screen;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bus::clients::ClientRegister;
use bus::{BusClient, Steward, accounts};
use schemas::{ClientName, CommandId};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::cli::Dev;
use crate::logging;
use crate::operation::{Operation, follow};
use crate::outcome::Failure;
use crate::registers::{RegisterFiles, catalogue};
use crate::servers::DataDir;
use crate::services::{run_all, until_asked_to_stop};
use crate::settings::nats_at;
use home::Home;
pub use home::{CONTRACTOR, first_clients};
use platform::Platform;

/// How long the services may take until they answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// Runs the system until it is asked to stop.
///
/// # Errors
/// [`Failure`]: what kept it from starting, or what made it end. All that it started has ended then.
pub async fn run(call: Dev) -> Result<(), Failure> {
    let path = call
        .data
        .clone()
        .map_or_else(DataDir::default_path, Ok)
        .map_err(Failure::usage)?;
    let data = Arc::new(blocking(move || DataDir::open(&path).map_err(Failure::down)).await?);
    logging::start(
        logging::to_file(&data.log_dir().join("caseledger.log"))?,
        logging::OF_SERVICES,
    );
    let _following = follow()?;
    let stop = CancellationToken::new();
    let running = start_and_run(&call, Arc::clone(&data), &stop);
    until_asked_to_stop(running, &stop).await
}

async fn start_and_run(call: &Dev, data: Arc<DataDir>, stop: &CancellationToken) -> Result<(), Failure> {
    let home = Home::prepare(&data)?;
    let register = ClientRegister::load(&home.clients_file).map_err(Failure::usage)?;
    let conf = accounts::render(&register, &home.service_passwords).map_err(Failure::down)?;
    let platform = Platform::start(&data, &home, conf).await?;
    let ended = serve(call, &data, &home, &register, &platform, stop).await;
    platform.stop().await.and(ended)
}

async fn serve(
    call: &Dev,
    data: &DataDir,
    home: &Home,
    register: &ClientRegister,
    platform: &Platform,
    stop: &CancellationToken,
) -> Result<(), Failure> {
    let steward = platform.steward(home).await?;
    steward.ensure_streams(1).await.map_err(Failure::down)?;
    steward.ensure_consumers(register).await.map_err(Failure::down)?;
    let services = home.services(data, platform).await?;
    let names: Vec<_> = services.iter().map(|(service, _)| *service).collect();
    let (operation, http) = Operation::begin(&names, call.http, stop).await?;
    let running = run_all(services, &operation, stop);
    let following = follow_registers(home, platform, &steward, stop);
    let minding = platform.mind(stop);
    let working = async {
        let worked = tokio::select! {
            worked = get_ready(call, data, home, platform, http) => worked,
            () = stop.cancelled() => return Ok(()),
        };
        // Whatever keeps it from getting ready, nothing that it started stays behind.
        worked.inspect_err(|_| stop.cancel())
    };
    let checkpoints = checkpoints::keep(data, home, platform, stop);
    let (ran, (), minded, worked, ()) = tokio::join!(running, following, minding, working, checkpoints);
    minded.and(ran).and(worked)
}

/// Waits until the services answer, sends the demo cases, writes the files for others, and shows the screen.
async fn get_ready(
    call: &Dev,
    data: &DataDir,
    home: &Home,
    platform: &Platform,
    http: Option<SocketAddr>,
) -> Result<(), Failure> {
    let website = home.connect(platform, "website").await?;
    answering(&website).await?;
    let sent = if call.demo {
        Some(cases::send(data, home, platform).await?)
    } else {
        None
    };
    let ready = ready::Ready::of(data, home, platform, http)?;
    let env_file = ready.write_env_file(data)?;
    if let Some(file) = &call.ready_file {
        ready.write(file)?;
    }
    screen::show(data, &env_file, sent.as_ref(), http);
    tracing::info!("ready");
    Ok(())
}

/// Waits until a command-service answers this client.
async fn answering(client: &BusClient) -> Result<(), Failure> {
    let asking = async {
        while client.result(CommandId(Uuid::new_v4())).await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let late = |_| {
        Failure::Down(format!(
            "the services did not answer within {} seconds: see the log",
            ANSWER_WITHIN.as_secs()
        ))
    };
    tokio::time::timeout(ANSWER_WITHIN, asking).await.map_err(late)
}

/// Puts a changed client register in force at nats-server. The command-service follows the same files itself.
async fn follow_registers(home: &Home, platform: &Platform, steward: &Steward, stop: &CancellationToken) {
    let Ok(catalogue) = catalogue(None) else { return };
    let files = RegisterFiles {
        clients: home.clients_file.clone(),
        officers: home.officers_file.clone(),
        holidays: None,
        clocks: None,
        boundaries: None,
    };
    let put_in_force = async |registers: command_service::Registers| {
        let put = async || {
            let conf = accounts::render(&registers.clients, &home.service_passwords).map_err(Failure::down)?;
            platform.reload(conf).await?;
            steward
                .ensure_consumers(&registers.clients)
                .await
                .map_err(Failure::down)
        };
        let done = match put().await {
            // What failed once is tried again: nobody changes the file a second time to be heard.
            Err(_) => put().await,
            done => done,
        };
        match done {
            Ok(()) => tracing::info!("the client register is in force"),
            Err(failure) => tracing::error!(%failure, "the client register could not be put in force"),
        }
    };
    match files.load(Arc::new(catalogue)) {
        Ok(loaded) => files.watch(loaded, stop, put_in_force).await,
        Err(failure) => tracing::error!(%failure, "the client register is not followed"),
    }
}

impl Home {
    /// A connection as one of the clients that `dev` made.
    async fn connect(&self, platform: &Platform, client: &str) -> Result<BusClient, Failure> {
        let name = ClientName::new(client).map_err(Failure::down)?;
        let password = crate::passwords::of_client(&self.client_passwords_file, &name)?;
        BusClient::connect(nats_at(&platform.nats_url), &name, &password)
            .await
            .map_err(Failure::down)
    }
}

/// Runs what blocks, off the threads that serve.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Failure> + Send + 'static) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.map_err(Failure::down)?
}

/// The instant now.
fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

/// Makes a path that others are told of absolute: they may stand elsewhere.
fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}
