//! Reading a catalogue's files and checking them: each on its own, then all together.

mod check;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use schemas::command::Channel;
use schemas::event::RequestClass;
use schemas::{QuestionId, RequestTypeCode, ServiceName, TeamName};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::Spanned;

use self::check::{check_service, check_together};
use crate::files::CatalogueFile;
use crate::notice::{Notices, NoticesBuilder};
use crate::service::{
    Clock, Council, Delivery, LegalBasis, Outcome, Question, Recipient, Reopening, RequestType, Retention, Service,
    SpecialCategoryCondition, Team,
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ServiceFile {
    name: Spanned<ServiceName>,
    prefix: Spanned<String>,
    title: String,
    #[serde(default, rename = "team")]
    teams: Vec<Spanned<Team>>,
    #[serde(default, rename = "request_type")]
    request_types: Vec<Spanned<RequestTypeEntry>>,
}

/// A request type as it is written: like [`RequestType`], but each part that can be at fault knows where it stands.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestTypeEntry {
    code: Spanned<RequestTypeCode>,
    title: String,
    class: RequestClass,
    reporting_code: Spanned<String>,
    anonymous: bool,
    channels: Spanned<Vec<Channel>>,
    legal_basis: LegalBasis,
    #[serde(default)]
    condition: Option<Spanned<SpecialCategoryCondition>>,
    delivery: Spanned<Delivery>,
    deciding_teams: Spanned<Vec<TeamName>>,
    #[serde(default)]
    recipients: Vec<Spanned<Recipient>>,
    next_steps: String,
    #[serde(default, rename = "question")]
    questions: Vec<Spanned<Question>>,
    #[serde(rename = "outcome")]
    outcomes: Vec<Spanned<Outcome>>,
    #[serde(default)]
    clocks: Vec<Clock>,
    reopening: Spanned<Reopening>,
    retention: Retention,
    notices: Spanned<BTreeMap<String, QuestionId>>,
}

/// A service's file that could be read, on its way to be checked.
struct Checked<'f> {
    file: &'f CatalogueFile,
    /// The file's name without `.toml`.
    stem: &'f str,
    entry: ServiceFile,
}

impl ServiceFile {
    fn into_service(self, all_teams: &Arc<BTreeSet<TeamName>>) -> Service {
        let name = self.name.into_inner();
        let into_type =
            |entry: Spanned<RequestTypeEntry>| Arc::new(entry.into_inner().into_request_type(&name, all_teams));
        Service {
            request_types: self.request_types.into_iter().map(into_type).collect(),
            name,
            prefix: self.prefix.into_inner(),
            title: self.title,
            teams: inner(self.teams),
        }
    }
}

impl RequestTypeEntry {
    fn into_request_type(self, service: &ServiceName, all_teams: &Arc<BTreeSet<TeamName>>) -> RequestType {
        RequestType {
            code: self.code.into_inner(),
            service: service.clone(),
            title: self.title,
            class: self.class,
            reporting_code: self.reporting_code.into_inner(),
            anonymous: self.anonymous,
            channels: self.channels.into_inner(),
            legal_basis: self.legal_basis,
            condition: self.condition.map(Spanned::into_inner),
            delivery: self.delivery.into_inner(),
            deciding_teams: self.deciding_teams.into_inner(),
            assignable_teams: Arc::clone(all_teams),
            recipients: inner(self.recipients),
            next_steps: self.next_steps,
            questions: inner(self.questions),
            outcomes: inner(self.outcomes),
            clocks: self.clocks,
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
    let mut notices = NoticesBuilder::default();
    let mut contents = Vec::new();
    for file in files {
        if file.path == "council.toml" {
            council = parse::<Council>(file, &mut contents, &mut faults);
        } else if let Some(stem) = file
            .path
            .strip_prefix("services/")
            .and_then(|name| name.strip_suffix(".toml"))
        {
            let entry = parse::<ServiceFile>(file, &mut contents, &mut faults);
            services.extend(entry.map(|entry| Checked { file, stem, entry }));
        } else if let Some(name) = file.path.strip_prefix("notices/") {
            contents.push((file.path.as_str(), file.text.clone()));
            faults.extend(notices.add(file, name).err());
        } else {
            faults.push(fault(
                file,
                0..0,
                "not a part of a catalogue: move it to services/ or notices/, or remove it",
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
    check_together(&services, &notices, &mut faults);
    services.iter().for_each(|service| check_service(service, &mut faults));
    if !faults.is_empty() {
        faults.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
        return Err(faults);
    }
    let version = version::of_contents(contents.iter().map(|(path, content)| (*path, content.as_str())));
    Ok(assemble(version, council, services, notices))
}

fn assemble(version: String, council: Council, services: Vec<Checked<'_>>, notices: Notices) -> Catalogue {
    let teams = services
        .iter()
        .flat_map(|checked| &checked.entry.teams)
        .map(|team| team.get_ref().name.clone());
    let teams: Arc<BTreeSet<TeamName>> = Arc::new(teams.collect());
    let services: Vec<Service> = services
        .into_iter()
        .map(|checked| checked.entry.into_service(&teams))
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
