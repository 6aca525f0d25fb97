//! What the command-service checks against, read from files, and read anew when they change.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bus::clients::ClientRegister;
use catalogue::Catalogue;
use catalogue::calendar::BankHolidays;
use catalogue::clocks::{ClockFiles, ClockPolicies};
use command_service::Registers;
use command_service::officers::OfficerRegister;
use places::{Boundaries, CouncilArea, PropertyNames};
use schemas::text::BoundaryEdition;
use serde::Deserialize;
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
pub fn clock_files(holidays: Option<&Path>, clocks: Option<&Path>) -> Result<ClockFiles, Failure> {
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
    Ok(ClockFiles {
        policies: policies.map_err(Failure::usage)?,
        holidays: holidays.map_err(Failure::usage)?,
    })
}

/// What a file of boundaries says of one kind of area.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BoundaryFile {
    /// The GeoJSON, beside this file.
    file: PathBuf,
    /// What the council calls the edition.
    edition: BoundaryEdition,
    /// The property with an area's code.
    code: String,
    /// The property with an area's name.
    name: String,
}

/// Which boundaries the council's area has.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AreaFile {
    /// The council's own wards, no others.
    wards: BoundaryFile,
    /// Statistical areas, which may reach further.
    #[serde(default)]
    statistical_areas: Option<BoundaryFile>,
}

/// The council's area, from a file that names the GeoJSON files of its boundaries.
///
/// # Errors
/// [`Failure::Usage`]: a file that can't be read, or what is wrong with it.
pub fn council_area(file: &Path) -> Result<CouncilArea, Failure> {
    let read = |file: &Path| {
        let unreadable = |error| Failure::Usage(format!("{} can't be read: {error}", file.display()));
        std::fs::read_to_string(file).map_err(unreadable)
    };
    let named: AreaFile =
        toml::from_str(&read(file)?).map_err(|error| Failure::Usage(format!("{}: {error}", file.display())))?;
    let boundaries = |named: BoundaryFile| {
        let path = file.with_file_name(&named.file);
        let properties = PropertyNames {
            code: named.code,
            name: named.name,
        };
        Boundaries::read(&read(&path)?, named.edition, &properties)
            .map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))
    };
    let statistical_areas = named.statistical_areas.map(boundaries).transpose()?;
    Ok(CouncilArea::new(boundaries(named.wards)?, statistical_areas))
}

/// The files of the registers that people change while the service runs.
#[derive(Clone, Debug)]
pub struct RegisterFiles {
    /// The client register.
    pub clients: PathBuf,
    /// The officer register.
    pub officers: PathBuf,
    /// The bank holidays; the built-in ones where there is none.
    pub holidays: Option<PathBuf>,
    /// What the clocks are set to; the built-in ones where there is none.
    pub clocks: Option<PathBuf>,
    /// What says which boundaries the council's area has; no place is looked up where there is none.
    pub boundaries: Option<PathBuf>,
}

/// How a file stood: enough to see that it was changed.
type Stamp = [Option<(SystemTime, u64)>; 5];

/// Where the file of the boundaries stands among the stamps.
const BOUNDARIES: usize = 4;

impl RegisterFiles {
    /// Reads them.
    ///
    /// # Errors
    /// [`Failure::Usage`].
    pub fn load(&self, catalogue: Arc<Catalogue>) -> Result<Registers, Failure> {
        self.load_beside(catalogue, self.area()?)
    }

    /// Reads all but the boundaries, which are large, change seldom, and must not keep a client who was shut out let in.
    fn load_beside(&self, catalogue: Arc<Catalogue>, area: Option<Arc<CouncilArea>>) -> Result<Registers, Failure> {
        Ok(Registers {
            clients: Arc::new(ClientRegister::load(&self.clients).map_err(Failure::usage)?),
            officers: Arc::new(OfficerRegister::load(&self.officers).map_err(Failure::usage)?),
            catalogue,
            clocks: Arc::new(clock_files(self.holidays.as_deref(), self.clocks.as_deref())?),
            area,
        })
    }

    fn area(&self) -> Result<Option<Arc<CouncilArea>>, Failure> {
        Ok(self.boundaries.as_deref().map(council_area).transpose()?.map(Arc::new))
    }

    /// Reads them anew whenever one has changed, until `stop`. What can't be read leaves what was in force before, the boundaries on
    /// their own.
    pub async fn watch(&self, loaded: Registers, stop: &CancellationToken, mut changed: impl AsyncFnMut(Registers)) {
        let Registers {
            catalogue, mut area, ..
        } = loaded;
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
            if now[BOUNDARIES] != seen[BOUNDARIES] {
                let files = self.clone();
                let read = tokio::task::spawn_blocking(move || files.area()).await;
                match read.map_err(Failure::down).and_then(|read| read) {
                    Ok(read) => area = read,
                    Err(failure) => {
                        tracing::error!(%failure, "the boundaries were changed and can't be read: those before stay in force");
                    }
                }
            }
            seen = now;
            match self.load_beside(Arc::clone(&catalogue), area.clone()) {
                Ok(registers) => {
                    tracing::info!("clients, officers, bank holidays, clocks and boundaries were read anew");
                    changed(registers).await;
                }
                Err(failure) => {
                    tracing::error!(%failure, "a file was changed and can't be read: what it said before stays in force")
                }
            }
        }
    }

    fn stamp(&self) -> Stamp {
        let (clients, officers) = (Some(&self.clients), Some(&self.officers));
        let others = [&self.holidays, &self.clocks, &self.boundaries].map(Option::as_ref);
        let [holidays, clocks, boundaries] = others;
        [clients, officers, holidays, clocks, boundaries].map(|path| {
            let metadata = std::fs::metadata(path?).ok()?;
            Some((metadata.modified().ok()?, metadata.len()))
        })
    }
}
