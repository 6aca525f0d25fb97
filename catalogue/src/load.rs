//! Reading a catalogue's files and checking them: each on its own, then all together.

mod check;
mod contractors;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use schemars::JsonSchema;
use schemas::command::Channel;
use schemas::document::{Document, document_of};
use schemas::event::RequestClass;
use schemas::{CalendarName, QuestionId, RequestTypeCode, ServiceName, TeamName};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::Spanned;

use self::check::{check_service, check_together, fits_condition};
use self::contractors::Contractors;
pub use self::contractors::contractor_file_schema;
use crate::booking::BookingCalendar;
use crate::clocks::ClockName;
use crate::contractor::Contract;
use crate::files::CatalogueFile;
use crate::notice::{Notices, NoticesBuilder};
use crate::question::Question;
use crate::service::{
    Appointment, CollectionQuestions, Council, Delivery, Duplicates, Fee, LegalBasis, Outcome, Recipient, Renewal,
    Reopening, RequestType, Retention, Service, SpecialCategoryCondition, Target, Team,
};
use crate::{Catalogue, version};

/// One thing that is wrong with a catalogue, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogueFault {
    /// The file, by its path in the catalogue.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong, and what to do.
    pub message: String,
}

impl fmt::Display for CatalogueFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.message)
    }
}

/// One service of the council: its teams and what can be asked of it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ServiceFile {
    /// Its name in subjects and tables; the name of its file.
    #[schemars(with = "ServiceName")]
    name: Spanned<ServiceName>,
    /// What references of its cases begin with: three capital letters, of no other service.
    #[schemars(with = "String", regex(pattern = "^[A-Z]{3}$"))]
    prefix: Spanned<String>,
    /// Its name for people.
    title: String,
    /// The teams that work for it. A name stands once in the catalogue.
    #[serde(default, rename = "team")]
    #[schemars(with = "Vec<Team>")]
    teams: Vec<Spanned<Team>>,
    /// Its calendars of appointments. A name stands once in the catalogue.
    #[serde(default, rename = "calendar")]
    #[schemars(with = "Vec<BookingCalendar>")]
    calendars: Vec<Spanned<BookingCalendar>>,
    /// What can be asked of it.
    #[serde(default, rename = "request_type")]
    #[schemars(with = "Vec<RequestTypeEntry>")]
    request_types: Vec<Spanned<RequestTypeEntry>>,
}

/// One thing that can be asked of a service.
// As it is written: like [`RequestType`], but each part that can be at fault knows where it stands.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RequestTypeEntry {
    /// Its code, one across all services.
    #[schemars(with = "RequestTypeCode")]
    code: Spanned<RequestTypeCode>,
    /// Its name for people.
    title: String,
    /// What kind of case it makes.
    class: RequestClass,
    /// Its name in reports, one across all services. It outlives changes of the code.
    #[schemars(with = "String")]
    reporting_code: Spanned<String>,
    /// Whether a case may have no customer.
    anonymous: bool,
    /// The channels it is taken over.
    #[schemars(with = "Vec<Channel>", length(min = 1))]
    channels: Spanned<Vec<Channel>>,
    /// What the data is for, as the privacy notice says it.
    purpose: String,
    /// Why the council may process the data (UK GDPR article 6).
    legal_basis: LegalBasis,
    /// The condition for special category data (UK GDPR article 9); there exactly where a question asks for such.
    #[serde(default)]
    #[schemars(with = "SpecialCategoryCondition")]
    condition: Option<Spanned<SpecialCategoryCondition>>,
    /// Who does the work.
    #[schemars(with = "Delivery")]
    delivery: Spanned<Delivery>,
    /// The teams whose officers may close a case.
    #[schemars(with = "Vec<TeamName>", length(min = 1))]
    deciding_teams: Spanned<Vec<TeamName>>,
    /// With whom what may be shared, and for what.
    #[serde(default)]
    #[schemars(with = "Vec<Recipient>")]
    recipients: Vec<Spanned<Recipient>>,
    /// What happens next, for the resident.
    next_steps: String,
    /// Its own questions.
    #[serde(default, rename = "question")]
    #[schemars(with = "Vec<Question>")]
    questions: Vec<Spanned<Question>>,
    /// What can come of it. An officer can choose at least one.
    #[serde(rename = "outcome")]
    #[schemars(with = "Vec<Outcome>", length(min = 1))]
    outcomes: Vec<Spanned<Outcome>>,
    /// The statutory clocks that run on it.
    #[serde(default)]
    #[schemars(with = "Vec<ClockName>")]
    clocks: Vec<Spanned<ClockName>>,
    /// Whether it is somebody else's matter: they set the day by which they want the council's answer, and where they decide what comes
    /// of it, whoever had a part before may record that.
    #[serde(default)]
    others_set_the_day: bool,
    /// Whether it only comes after another case: a review, a second stage. Somebody who asks for it says which (`follows`).
    #[serde(default)]
    only_as_next_stage: bool,
    /// How soon the council means to do what.
    #[serde(default, rename = "target")]
    #[schemars(with = "Vec<Target>")]
    targets: Vec<Spanned<Target>>,
    /// Which questions say which collection it is about, where it is about one that was missed.
    #[serde(default)]
    #[schemars(with = "CollectionQuestions")]
    collection: Option<Spanned<CollectionQuestions>>,
    /// Whether it may be somebody's offence: actions against it are recorded, and who complained is told neither to whom it is about nor
    /// to a contractor. Then neither `contact` nor `description` is shared with any recipient, and no answer that is personal with the
    /// contractor.
    #[serde(default)]
    enforcement: bool,
    /// How cases are found that may be about the same thing.
    #[serde(default)]
    #[schemars(with = "Duplicates")]
    duplicates: Option<Spanned<Duplicates>>,
    /// What has to be paid.
    #[serde(default, rename = "fee")]
    fees: Vec<Fee>,
    /// What kind of appointment it needs.
    #[serde(default)]
    #[schemars(with = "Appointment")]
    appointment: Option<Appointment>,
    /// The calendar that its appointments are in.
    #[serde(default)]
    #[schemars(with = "CalendarName")]
    calendar: Option<Spanned<CalendarName>>,
    /// What it grants with a term, and how that is renewed.
    #[serde(default)]
    #[schemars(with = "Renewal")]
    renewal: Option<Spanned<Renewal>>,
    /// Whether a closed case can be taken up again.
    #[schemars(with = "Reopening")]
    reopening: Spanned<Reopening>,
    /// How long it is kept, unless the outcome says otherwise.
    retention: Retention,
    /// Which notice is sent on which event, by the event's name.
    #[schemars(with = "BTreeMap<String, QuestionId>")]
    notices: Spanned<BTreeMap<String, QuestionId>>,
}

/// The JSON Schema of a service's file, `catalogue.json` of the written contract, so that an editor can check one.
///
/// It holds the form of each part. What must be unique, or exist elsewhere in the catalogue, only [`Catalogue::load`] can check.
#[must_use]
pub fn service_file_schema() -> Document {
    document_of::<ServiceFile>(
        "catalogue.json",
        "Service",
        "A file `services/<service>.toml` of the catalogue. Names that must be unique or stand in another file are checked \
         when the catalogue is loaded.",
    )
}

/// A service's file that could be read, on its way to be checked.
struct Checked<'f> {
    file: &'f CatalogueFile,
    /// The file's name without `.toml`.
    stem: &'f str,
    entry: ServiceFile,
}

impl ServiceFile {
    fn into_service(
        self,
        all_teams: &Arc<BTreeSet<TeamName>>,
        contracts: &HashMap<RequestTypeCode, Arc<Contract>>,
        calendars: &HashMap<CalendarName, Arc<BookingCalendar>>,
    ) -> Service {
        let name = self.name.into_inner();
        let own = self
            .calendars
            .iter()
            .filter_map(|calendar| calendars.get(&calendar.get_ref().name).cloned())
            .collect();
        let into_type = |entry: Spanned<RequestTypeEntry>| {
            let contract = contracts.get(entry.get_ref().code.get_ref()).cloned();
            let named = entry.get_ref().calendar.as_ref().map(Spanned::get_ref);
            let calendar = named.and_then(|name| calendars.get(name)).cloned();
            Arc::new(
                entry
                    .into_inner()
                    .into_request_type(&name, all_teams, contract, calendar),
            )
        };
        Service {
            request_types: self.request_types.into_iter().map(into_type).collect(),
            name,
            prefix: self.prefix.into_inner(),
            title: self.title,
            teams: inner(self.teams),
            calendars: own,
        }
    }
}

impl RequestTypeEntry {
    fn into_request_type(
        self,
        service: &ServiceName,
        all_teams: &Arc<BTreeSet<TeamName>>,
        contract: Option<Arc<Contract>>,
        calendar: Option<Arc<BookingCalendar>>,
    ) -> RequestType {
        RequestType {
            code: self.code.into_inner(),
            service: service.clone(),
            title: self.title,
            class: self.class,
            reporting_code: self.reporting_code.into_inner(),
            anonymous: self.anonymous,
            channels: self.channels.into_inner(),
            purpose: self.purpose,
            legal_basis: self.legal_basis,
            condition: self.condition.map(Spanned::into_inner),
            delivery: self.delivery.into_inner(),
            contract,
            deciding_teams: self.deciding_teams.into_inner(),
            assignable_teams: Arc::clone(all_teams),
            recipients: inner(self.recipients),
            next_steps: self.next_steps,
            questions: inner(self.questions),
            outcomes: inner(self.outcomes),
            clocks: inner(self.clocks),
            targets: inner(self.targets),
            collection: self.collection.map(Spanned::into_inner),
            enforcement: self.enforcement,
            duplicates: self.duplicates.map(Spanned::into_inner),
            fees: self.fees,
            appointment: self.appointment,
            calendar,
            others_set_the_day: self.others_set_the_day,
            only_as_next_stage: self.only_as_next_stage,
            renewal: self.renewal.map(Spanned::into_inner),
            reopening: self.reopening.into_inner(),
            retention: self.retention,
            notices: self.notices.into_inner(),
        }
    }
}

fn inner<T>(spanned: Vec<Spanned<T>>) -> Vec<T> {
    spanned.into_iter().map(Spanned::into_inner).collect()
}

/// Reads and checks a whole catalogue.
pub(crate) fn load(files: &[CatalogueFile]) -> Result<Catalogue, Vec<CatalogueFault>> {
    let mut faults = Vec::new();
    let mut council = None;
    let mut services = Vec::new();
    let mut contractors = Contractors::default();
    let mut notices = NoticesBuilder::default();
    let mut contents = Vec::new();
    for file in files {
        if file.path == "council.toml" {
            council = parse::<Council>(file, &mut contents, &mut faults);
        } else if let Some(stem) = service_stem(file) {
            let entry = parse::<ServiceFile>(file, &mut contents, &mut faults);
            services.extend(entry.map(|entry| Checked { file, stem, entry }));
        } else if let Some(stem) = Contractors::stem(file) {
            contractors.read(file, stem, &mut contents, &mut faults);
        } else if let Some(name) = file.path.strip_prefix("notices/") {
            contents.push((file.path.as_str(), file.text.clone()));
            faults.extend(notices.add(file, name).err());
        } else {
            faults.push(fault(
                file,
                0..0,
                "not a part of a catalogue: move it to services/, contractors/ or notices/, or remove it",
            ));
        }
    }
    let Some(council) = council else {
        if faults.is_empty() {
            faults.push(CatalogueFault {
                file: "council.toml".into(),
                line: 1,
                message: "this file is missing: write it".into(),
            });
        }
        return Err(faults);
    };
    let notices = notices.finish(&council, &mut faults);
    services.sort_by(|a, b| a.entry.name.get_ref().cmp(b.entry.name.get_ref()));
    // What another file names may stand in the one that can't be read.
    if services.len() == files.iter().filter_map(service_stem).count() {
        check_together(&services, &notices, &mut faults);
        contractors.check(&services, &mut faults);
    }
    services.iter().for_each(|service| check_service(service, &mut faults));
    if !faults.is_empty() {
        faults.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
        return Err(faults);
    }
    let version = version::of_contents(contents.iter().map(|(path, content)| (*path, content.as_str())));
    Ok(assemble(version, council, services, contractors, notices))
}

/// The name of a service's file without `.toml`.
fn service_stem(file: &CatalogueFile) -> Option<&str> {
    file.path.strip_prefix("services/")?.strip_suffix(".toml")
}

fn assemble(
    version: String,
    council: Council,
    services: Vec<Checked<'_>>,
    contractors: Contractors<'_>,
    notices: Notices,
) -> Catalogue {
    let (contractors, contracts) = contractors.assemble();
    let teams = services
        .iter()
        .flat_map(|checked| &checked.entry.teams)
        .map(|team| team.get_ref().name.clone());
    let teams: Arc<BTreeSet<TeamName>> = Arc::new(teams.collect());
    let calendars = services.iter().flat_map(|checked| &checked.entry.calendars);
    let calendars: HashMap<_, _> = calendars
        .map(|calendar| (calendar.get_ref().name.clone(), Arc::new(calendar.get_ref().clone())))
        .collect();
    let services: Vec<Service> = services
        .into_iter()
        .map(|checked| checked.entry.into_service(&teams, &contracts, &calendars))
        .collect();
    let request_types: HashMap<_, _> = services
        .iter()
        .flat_map(|service| &service.request_types)
        .map(|request_type| (request_type.code.clone(), Arc::clone(request_type)))
        .collect();
    Catalogue {
        version,
        council,
        services,
        contractors,
        request_types,
        notices,
    }
}

fn parse<'f, T: DeserializeOwned>(
    file: &'f CatalogueFile,
    contents: &mut Vec<(&'f str, String)>,
    faults: &mut Vec<CatalogueFault>,
) -> Option<T> {
    match toml::from_str::<T>(&file.text) {
        Ok(value) => {
            // The tables with sorted keys: what the file says, without its layout.
            let canonical = toml::from_str::<toml::Table>(&file.text)
                .ok()
                .and_then(|table| serde_json::to_string(&sorted(table)).ok());
            contents.push((&file.path, canonical.unwrap_or_else(|| file.text.clone())));
            Some(value)
        }
        Err(error) => {
            faults.push(fault(file, error.span().unwrap_or(0..0), error.message()));
            None
        }
    }
}

/// Sorts the keys of a table and of all inside it, whatever order the parser keeps.
fn sorted(table: toml::Table) -> BTreeMap<String, serde_json::Value> {
    table.into_iter().map(|(key, item)| (key, as_json(item))).collect()
}

fn as_json(value: toml::Value) -> serde_json::Value {
    match value {
        toml::Value::Table(table) => serde_json::Value::Object(sorted(table).into_iter().collect()),
        toml::Value::Array(items) => items.into_iter().map(as_json).collect(),
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(flag) => flag.into(),
        toml::Value::Datetime(at) => at.to_string().into(),
    }
}

fn fault(file: &CatalogueFile, span: Range<usize>, message: impl Into<String>) -> CatalogueFault {
    let before = file.text.get(..span.start).unwrap_or_default();
    CatalogueFault {
        file: file.path.clone(),
        line: before.matches('\n').count() + 1,
        message: message.into(),
    }
}
