//! `caseledger catalogue`.

use serde::Serialize;

use crate::cli::Catalogue as Call;
use crate::outcome::Failure;
use crate::print;
use crate::registers;
use crate::settings::environment;

#[derive(Serialize)]
struct Listed<'a> {
    service: &'a str,
    request_type: &'a str,
    class: String,
    name: &'a str,
}

/// Checks or lists a catalogue.
pub fn run(call: &Call, json: bool) -> Result<(), Failure> {
    match call {
        Call::Check { dir } => {
            let configured = environment("CASELEDGER_CATALOGUE_DIR").map(std::path::PathBuf::from);
            let catalogue = registers::catalogue(dir.as_deref().or(configured.as_deref())).map_err(|failure| {
                print::aside(failure.to_string());
                Failure::No
            })?;
            let (services, types) = (catalogue.services().count(), catalogue.request_types().count());
            print::line(format!(
                "{services} services with {types} request types: nothing is wrong. Version {}",
                catalogue.version()
            ));
        }
        Call::List => {
            let configured = environment("CASELEDGER_CATALOGUE_DIR").map(std::path::PathBuf::from);
            let catalogue = registers::catalogue(configured.as_deref())?;
            let listed: Vec<Listed<'_>> = catalogue
                .request_types()
                .map(|request_type| Listed {
                    service: request_type.service.as_str(),
                    request_type: request_type.code.as_str(),
                    class: word(&request_type.class),
                    name: &request_type.title,
                })
                .collect();
            if json {
                listed.iter().for_each(print::json);
            } else {
                let row = |listed: &Listed<'_>| {
                    [listed.service, listed.request_type, &listed.class, listed.name]
                        .map(str::to_owned)
                        .to_vec()
                };
                print::table(&["service", "request type", "class", "name"], listed.iter().map(row));
            }
        }
    }
    Ok(())
}

/// The word that the contract has for a value.
fn word(value: &impl Serialize) -> String {
    serde_json::to_value(value)
        .ok()
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}
