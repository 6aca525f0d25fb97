//! The services as data: what the council does, in files, and the crate that reads and checks them.
//!
//! A catalogue is a folder of one `council.toml`, one `services/<service>.toml` for each service, one
//! `contractors/<client>.toml` for each contractor, and the templates `notices/<notice>.{subject.txt,txt,html}`. [`Catalogue::built_in`] is the folder of this crate. A tenth service is a new
//! file, with no code.
//!
//! Beside it stand the bank holidays ([`calendar`]) and what the clocks are set to ([`clocks`]), each with a version of its own.
//!
//! A catalogue is versioned by its content: [`Catalogue::version`] is a hash of what the files say, not of how they are laid
//! out. A case remembers the version that it was opened under. So far there is one catalogue at a time, and a running case is
//! handled under the one at hand; versions that running cases were opened under will have to stay resolvable.

mod answers;
pub mod booking;
pub mod calendar;
pub mod clocks;
mod contractor;
pub mod files;
mod load;
pub mod london;
pub mod notice;
mod question;
mod service;
mod version;

use std::collections::HashMap;
use std::sync::Arc;

use schemas::{CalendarName, ClientName, RequestTypeCode, ServiceName, TeamName};

use booking::BookingCalendar;
pub use contractor::{Contract, ContractTarget, Contractor, Failure, Rounds};
pub use files::CatalogueFile;
pub use load::{CatalogueFault, contractor_file_schema, service_file_schema};
pub use notice::{Notice, NoticeContext, NoticeFault, Notices};
pub use question::{Choice, Question, QuestionKind, Sensitivity};
pub use service::{
    Acceptance, Appointment, CollectionQuestions, Council, Deliverer, Delivery, Duplicates, Fee, FeeDue, LegalBasis,
    Outcome, Recipient, Renewal, Reopening, RequestType, Retention, RetentionStart, Service, SpecialCategoryCondition,
    Target, TargetCondition, TargetEnd, Team,
};

/// Every service and request type, checked.
#[derive(Debug)]
pub struct Catalogue {
    version: String,
    council: Council,
    services: Vec<Service>,
    contractors: Vec<Contractor>,
    request_types: HashMap<RequestTypeCode, Arc<RequestType>>,
    notices: Notices,
}

impl Catalogue {
    /// The catalogue that this crate carries.
    ///
    /// # Errors
    /// Never in a release: a test loads it.
    pub fn built_in() -> Result<Self, Vec<CatalogueFault>> {
        Self::load(&files::built_in())
    }

    /// Reads and checks a catalogue's files.
    ///
    /// # Errors
    /// Every fault that was found, with file and line.
    pub fn load(files: &[CatalogueFile]) -> Result<Self, Vec<CatalogueFault>> {
        load::load(files)
    }

    /// The version: 16 hexadecimal characters of a SHA-256 over what the files say.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The council whose catalogue it is.
    #[must_use]
    pub const fn council(&self) -> &Council {
        &self.council
    }

    /// A request type, by its code.
    #[must_use]
    pub fn request_type(&self, code: &RequestTypeCode) -> Option<&Arc<RequestType>> {
        self.request_types.get(code)
    }

    /// A service, by its name.
    #[must_use]
    pub fn service(&self, name: &ServiceName) -> Option<&Service> {
        self.services.iter().find(|service| service.name == *name)
    }

    /// A team, by its name.
    #[must_use]
    pub fn team(&self, name: &TeamName) -> Option<&Team> {
        self.services
            .iter()
            .flat_map(|service| &service.teams)
            .find(|team| team.name == *name)
    }

    /// All services, by name.
    pub fn services(&self) -> impl Iterator<Item = &Service> {
        self.services.iter()
    }

    /// All contractors, by the client in whose name each speaks.
    pub fn contractors(&self) -> impl Iterator<Item = &Contractor> {
        self.contractors.iter()
    }

    /// A contractor, by the client in whose name they speak.
    #[must_use]
    pub fn contractor(&self, name: &ClientName) -> Option<&Contractor> {
        self.contractors.iter().find(|contractor| contractor.name == *name)
    }

    /// A calendar of appointments, by its name.
    #[must_use]
    pub fn booking_calendar(&self, name: &CalendarName) -> Option<&Arc<BookingCalendar>> {
        self.services
            .iter()
            .flat_map(|service| &service.calendars)
            .find(|calendar| calendar.name == *name)
    }

    /// All request types, service by service, in the order of the files.
    pub fn request_types(&self) -> impl Iterator<Item = &Arc<RequestType>> {
        self.services.iter().flat_map(|service| &service.request_types)
    }

    /// The templates of the notices.
    #[must_use]
    pub const fn notices(&self) -> &Notices {
        &self.notices
    }
}
