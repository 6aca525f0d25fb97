//! Contractors' files, as they are written, and what they must hold.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use schemars::JsonSchema;
use schemas::command::JobProgress;
use schemas::document::{Document, document_of};
use schemas::event::OutcomeKind;
use schemas::{ClientName, ContractorCode, OutcomeCode, RequestTypeCode, ServiceName};
use serde::Deserialize;
use toml::Spanned;

use super::{CatalogueFault, Checked, RequestTypeEntry, fault, fits_condition};
use crate::contractor::{Contract, ContractTarget, Contractor, Failure, Rounds};
use crate::files::CatalogueFile;
use crate::service::Deliverer;

/// The name of the recipient, in a request type, that says what of a case its contractor is told.
const RECIPIENT: &str = "contractor";

/// A contractor: what they do for the council, and what their codes mean.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ContractorFile {
    /// The client in whose name they speak; the name of the file.
    #[schemars(with = "ClientName")]
    name: Spanned<ClientName>,
    /// Their name for people.
    title: String,
    /// What their codes for how far they are mean.
    #[serde(default)]
    progress: BTreeMap<ContractorCode, JobProgress>,
    /// What their codes for not taking a job mean.
    #[serde(default)]
    rejections: BTreeMap<ContractorCode, String>,
    /// Their collection rounds.
    #[serde(default)]
    #[schemars(with = "Rounds")]
    rounds: Option<Spanned<Rounds>>,
    /// What they do.
    #[serde(default, rename = "job")]
    #[schemars(with = "Vec<JobEntry>")]
    jobs: Vec<Spanned<JobEntry>>,
}

/// What a contractor does for one request type.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct JobEntry {
    /// The request type, which a contractor delivers. It stands once in all contractors' files.
    request_type: RequestTypeCode,
    /// The work, by their code.
    code: ContractorCode,
    /// How soon they have to report it done.
    #[serde(default, rename = "target")]
    targets: Vec<ContractTarget>,
    /// Their codes that report it done, with the outcome that each stands for.
    done: BTreeMap<ContractorCode, OutcomeCode>,
    /// Their codes that report that it could not be done.
    #[serde(default)]
    failed: BTreeMap<ContractorCode, Failure>,
}

/// The JSON Schema of a contractor's file, `contractor.json` of the written contract.
#[must_use]
pub fn contractor_file_schema() -> Document {
    document_of::<ContractorFile>(
        "contractor.json",
        "Contractor",
        "A file `contractors/<client>.toml` of the catalogue. Names that must stand in another file are checked when the catalogue \
         is loaded.",
    )
}

/// Contractors' files that could be read.
#[derive(Default)]
pub(super) struct Contractors<'f> {
    read: Vec<(&'f CatalogueFile, &'f str, ContractorFile)>,
}

impl<'f> Contractors<'f> {
    /// The name of a contractor's file without `.toml`.
    pub(super) fn stem(file: &CatalogueFile) -> Option<&str> {
        file.path.strip_prefix("contractors/")?.strip_suffix(".toml")
    }

    pub(super) fn read(
        &mut self,
        file: &'f CatalogueFile,
        stem: &'f str,
        contents: &mut Vec<(&'f str, String)>,
        faults: &mut Vec<CatalogueFault>,
    ) {
        let entry = super::parse::<ContractorFile>(file, contents, faults);
        self.read.extend(entry.map(|entry| (file, stem, entry)));
    }

    /// What each must hold by itself and with the services. A type that a contractor delivers must be somebody's job: otherwise
    /// nobody would hear of its cases.
    pub(super) fn check(&self, services: &[Checked<'_>], faults: &mut Vec<CatalogueFault>) {
        let types = || {
            let entries = services.iter().flat_map(|service| {
                service
                    .entry
                    .request_types
                    .iter()
                    .map(move |entry| (service.file, entry))
            });
            entries.map(|(file, entry)| (file, entry.get_ref()))
        };
        let by_code: HashMap<_, _> = types().map(|(_, entry)| (entry.code.get_ref(), entry)).collect();
        let mut given: HashMap<&RequestTypeCode, &ClientName> = HashMap::new();
        for (file, stem, entry) in &self.read {
            let name = entry.name.get_ref();
            if name.as_str() != *stem {
                let message = format!("the file of this contractor must be named {name}.toml");
                faults.push(fault(file, entry.name.span(), message));
            }
            let service = entry
                .rounds
                .as_ref()
                .map(|rounds| (rounds.span(), &rounds.get_ref().service));
            let is_service = |name: &ServiceName| services.iter().any(|service| service.entry.name.get_ref() == name);
            if let Some((span, service)) = service.filter(|(_, service)| !is_service(service)) {
                faults.push(fault(
                    file,
                    span,
                    format!("there is no service {service}: name one of the catalogue"),
                ));
            }
            let exceptions = entry.rounds.iter().flat_map(|rounds| {
                let exceptions = rounds.get_ref().exceptions.iter();
                exceptions.map(move |(theirs, exception)| (rounds.span(), theirs, exception))
            });
            for (span, theirs, exception) in exceptions {
                let has = |outcome: &OutcomeCode| {
                    let of_collections = types().filter(|(_, entry)| entry.collection.is_some());
                    of_collections
                        .flat_map(|(_, entry)| &entry.outcomes)
                        .any(|known| known.get_ref().code == *outcome)
                };
                if let Some(outcome) = exception.points_to.as_ref().filter(|outcome| !has(outcome)) {
                    let message =
                        format!("{theirs}: no request type about a missed collection has the outcome {outcome}");
                    faults.push(fault(file, span, message));
                }
            }
            for job in &entry.jobs {
                let mut report = |message: String| faults.push(fault(file, job.span(), message));
                let code = &job.get_ref().request_type;
                if let Some(first) = given.insert(code, name) {
                    report(format!(
                        "{code} is a job of {first} already: a request type has one contractor"
                    ));
                }
                match by_code.get(code) {
                    Some(request_type) => check_job(job.get_ref(), request_type, &mut report),
                    None => report(format!("there is no request type {code}: name one of the catalogue")),
                }
            }
        }
        for (file, entry) in types() {
            let delivered = entry.delivery.get_ref().by == Deliverer::Contractor;
            if delivered && !given.contains_key(entry.code.get_ref()) {
                let message =
                    "a contractor delivers this, but it is nobody's job: write a [[job]] in contractors/".to_owned();
                faults.push(fault(file, entry.delivery.span(), message));
            }
        }
    }

    /// The contractors, and what each does by request type.
    pub(super) fn assemble(self) -> (Vec<Contractor>, HashMap<RequestTypeCode, Arc<Contract>>) {
        let (mut contractors, mut contracts) = (Vec::new(), HashMap::new());
        for (_, _, entry) in self.read {
            let name = entry.name.into_inner();
            for job in entry.jobs.into_iter().map(Spanned::into_inner) {
                let contract = Contract {
                    contractor: name.clone(),
                    code: job.code,
                    targets: job.targets,
                    done: job.done,
                    failed: job.failed,
                    rejections: entry.rejections.clone(),
                    progress: entry.progress.clone(),
                };
                contracts.insert(job.request_type, Arc::new(contract));
            }
            let title = entry.title;
            let rounds = entry.rounds.map(|rounds| Arc::new(rounds.into_inner()));
            contractors.push(Contractor { name, title, rounds });
        }
        contractors.sort_by(|a, b| a.name.cmp(&b.name));
        (contractors, contracts)
    }
}

fn check_job(job: &JobEntry, request_type: &RequestTypeEntry, report: &mut dyn FnMut(String)) {
    let code = &job.request_type;
    if request_type.delivery.get_ref().by != Deliverer::Contractor {
        report(format!(
            "no contractor delivers {code}: say so in its delivery, or remove this job"
        ));
    }
    if !request_type
        .recipients
        .iter()
        .any(|recipient| recipient.get_ref().name == RECIPIENT)
    {
        report(format!(
            "{code} says nothing of what a contractor is told: add the recipient {RECIPIENT} to it"
        ));
    }
    if job.done.is_empty() {
        report(format!("the job {code} needs a code that reports it done"));
    }
    let outcomes = || {
        request_type
            .outcomes
            .iter()
            .map(Spanned::get_ref)
            .filter(|outcome| !outcome.imported_only)
    };
    for (theirs, outcome) in &job.done {
        let known = outcomes().find(|known| known.code == *outcome);
        if known.is_none_or(|known| known.kind != OutcomeKind::Completion) {
            report(format!(
                "{theirs}: {code} has no completion {outcome}; what an officer decides is no contractor's to report"
            ));
        }
    }
    for (theirs, failure) in &job.failed {
        let outcome = failure.points_to.as_ref();
        if let Some(outcome) = outcome.filter(|outcome| !outcomes().any(|known| known.code == **outcome)) {
            report(format!("{theirs}: {code} has no outcome {outcome}"));
        }
        if job.done.contains_key(theirs) {
            report(format!("{theirs} can't both report {code} done and not done"));
        }
    }
    for (place, target) in job.targets.iter().enumerate() {
        if let Some(when) = target.when.as_ref().filter(|when| !fits_condition(request_type, when)) {
            report(format!(
                "a target depends on an open flag or choice of {code}, and {} = {} is none",
                when.question, when.is
            ));
        }
        let same = |other: &ContractTarget| (other.from, &other.when) == (target.from, &target.when);
        if job.targets[..place].iter().any(same) {
            report(format!("{code} has two targets from {}", target.from));
        }
    }
}
