//! What the command-service checks against, read from files, and read anew when they change.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bus::clients::ClientRegister;
use catalogue::Catalogue;
use catalogue::calendar::BankHolidays;
use catalogue::clocks::ClockPolicies;
use command_service::Registers;
use command_service::officers::OfficerRegister;
use tokio_util::sync::CancellationToken;

use crate::outcome::Failure;

/// How often the files are looked at.
pub const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Reads the catalogue: the files of a folder, or the built-in ones.
///
/// # Errors
/// [`Failure::Usage`] with every fault, file and line.
pub fn catalogue(directory: Option<&Path>) -> Result<Catalogue, Failure> {
    let loaded = match directory {
        Some(directory) => {
            let files = catalogue::files::read_directory(directory);
            let unreadable = |error| {
                Failure::Usage(format!(
                    "the catalogue in {} can't be read: {error}",
                    directory.display()
                ))
            };
            Catalogue::load(&files.map_err(unreadable)?)
        }
        None => Catalogue::built_in(),
    };
    loaded.map_err(|faults| Failure::Usage(faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")))
}

/// The bank holidays and what the clocks are set to: from these files, or the built-in ones.
///
/// # Errors
/// [`Failure::Usage`]: a file that can't be read, or what is wrong with it.
pub fn clock_files(holidays: Option<&Path>, clocks: Option<&Path>) -> Result<(BankHolidays, ClockPolicies), Failure> {
    let read = |file: &Path| {
        let unreadable = |error| Failure::Usage(format!("{} can't be read: {error}", file.display()));
        std::fs::read_to_string(file).map_err(unreadable)
    };
    let holidays = match holidays {
        Some(file) => BankHolidays::parse(&read(file)?),
        None => BankHolidays::built_in(),
    };
    let policies = match clocks {
        Some(file) => ClockPolicies::parse(&read(file)?),
        None => ClockPolicies::built_in(),
    };
    Ok((holidays.map_err(Failure::usage)?, policies.map_err(Failure::usage)?))
}

/// The files of the registers that people change while the service runs.
#[derive(Clone, Debug)]
pub struct RegisterFiles {
    /// The client register.
    pub clients: PathBuf,
    /// The officer register.
    pub officers: PathBuf,
}

/// How a file stood: enough to see that it was changed.
type Stamp = [Option<(SystemTime, u64)>; 2];

impl RegisterFiles {
    /// Reads them.
    ///
    /// # Errors
    /// [`Failure::Usage`].
    pub fn load(&self, catalogue: Arc<Catalogue>) -> Result<Registers, Failure> {
        Ok(Registers {
            clients: Arc::new(ClientRegister::load(&self.clients).map_err(Failure::usage)?),
            officers: Arc::new(OfficerRegister::load(&self.officers).map_err(Failure::usage)?),
            catalogue,
        })
    }

    /// Reads them anew whenever one has changed, until `stop`. What can't be read leaves the registers before it in force.
    pub async fn watch(
        &self,
        catalogue: Arc<Catalogue>,
        stop: &CancellationToken,
        mut changed: impl AsyncFnMut(Registers),
    ) {
        let mut seen = self.stamp();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            let now = self.stamp();
            if now == seen {
                continue;
            }
            seen = now;
            match self.load(Arc::clone(&catalogue)) {
                Ok(registers) => {
                    tracing::info!("the registers of clients and officers were read anew");
                    changed(registers).await;
                }
                Err(failure) => {
                    tracing::error!(%failure, "a register was changed and can't be read: the one before stays in force")
                }
            }
        }
    }

    fn stamp(&self) -> Stamp {
        [&self.clients, &self.officers].map(|path| {
            let metadata = std::fs::metadata(path).ok()?;
            Some((metadata.modified().ok()?, metadata.len()))
        })
    }
}
