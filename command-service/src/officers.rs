//! The officer register: who may act as an officer, in which teams, and when. A file for now.
//!
//! ```toml
//! [[officer]]
//! id = "j.okafor"
//! name = "Joy Okafor"
//! teams = ["waste-client"]
//! from = "2026-01-01"
//! until = "2027-12-31"   # the last day; may be left out
//! ```

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use schemas::moment::Day;
use schemas::{OfficerId, TeamName};
use serde::Deserialize;

/// One officer's entry.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Officer {
    /// By what name commands speak of them.
    pub id: OfficerId,
    /// Their name, as it stands on a letter.
    pub name: String,
    /// Their teams.
    pub teams: BTreeSet<TeamName>,
    /// The first day on which they may act.
    pub from: Day,
    /// The last such day.
    #[serde(default)]
    pub until: Option<Day>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RegisterFile {
    #[serde(default)]
    officer: Vec<Officer>,
}

/// All officers.
#[derive(Clone, Debug, Default)]
pub struct OfficerRegister {
    officers: HashMap<OfficerId, Officer>,
}

/// Why a register could not be read.
#[derive(Debug, thiserror::Error)]
pub enum OfficerRegisterError {
    /// The file could not be opened.
    #[error("the officer register {path} can't be read ({source}): check CASELEDGER_OFFICERS_FILE")]
    Unreadable {
        /// Which file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// Not a register.
    #[error("the officer register is not valid: {0}")]
    Invalid(#[from] toml::de::Error),
    /// An id stands twice.
    #[error("the officer register names {0} twice: merge the entries")]
    Twice(OfficerId),
}

impl OfficerRegister {
    /// Reads the register from a file.
    ///
    /// # Errors
    /// [`OfficerRegisterError`].
    pub fn load(path: &Path) -> Result<Self, OfficerRegisterError> {
        let text = std::fs::read_to_string(path).map_err(|source| OfficerRegisterError::Unreadable {
            path: path.display().to_string(),
            source,
        })?;
        Self::parse(&text)
    }

    /// Reads the register from its text.
    ///
    /// # Errors
    /// [`OfficerRegisterError`].
    pub fn parse(text: &str) -> Result<Self, OfficerRegisterError> {
        let file: RegisterFile = toml::from_str(text)?;
        let mut officers = HashMap::new();
        for officer in file.officer {
            if let Some(twice) = officers.insert(officer.id.clone(), officer) {
                return Err(OfficerRegisterError::Twice(twice.id));
            }
        }
        Ok(Self { officers })
    }

    /// The officer, if they may act on that day.
    #[must_use]
    pub fn on_duty(&self, id: &OfficerId, day: Day) -> Option<&Officer> {
        self.officers
            .get(id)
            .filter(|officer| officer.from <= day && officer.until.is_none_or(|until| day <= until))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REGISTER: &str = r#"
        [[officer]]
        id = "j.okafor"
        name = "Joy Okafor"
        teams = ["waste-client"]
        from = "2026-01-01"
        until = "2026-12-31"
    "#;

    fn on_duty(day: &str) -> bool {
        let register = OfficerRegister::parse(REGISTER).unwrap();
        register
            .on_duty(&OfficerId::new("j.okafor").unwrap(), day.parse().unwrap())
            .is_some()
    }

    #[test]
    fn an_officer_acts_from_the_first_day_to_the_last() {
        assert_eq!(
            ["2025-12-31", "2026-01-01", "2026-12-31", "2027-01-01"].map(on_duty),
            [false, true, true, false]
        );
    }

    #[test]
    fn an_entry_that_stands_twice_and_an_unknown_key_are_refused() {
        let twice = format!("{REGISTER}{REGISTER}");
        assert!(matches!(
            OfficerRegister::parse(&twice),
            Err(OfficerRegisterError::Twice(_))
        ));
        assert!(OfficerRegister::parse(&format!("{REGISTER}\nshoe_size = 9")).is_err());
    }
}
