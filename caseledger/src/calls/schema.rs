//! `caseledger schema`.

use schemas::document::documents;
use serde_json::json;

use crate::cli::Schema as Call;
use crate::outcome::Failure;
use crate::print;

/// Compares the written contract with the types.
pub fn run(call: &Call, json: bool) -> Result<(), Failure> {
    let Call::Check { dir } = call;
    let mut differing = Vec::new();
    let mut checked = 0_usize;
    for document in documents().into_iter().chain([catalogue::service_file_schema()]) {
        checked += 1;
        match std::fs::read_to_string(dir.join(&document.path)) {
            Ok(written) if written == document.text => {}
            Ok(_) => differing.push((document.path, "differs from the types")),
            Err(_) => differing.push((document.path, "is missing or can't be read")),
        }
    }
    if json {
        print::json(
            &json!({ "checked": checked, "differing": differing.iter().map(|(path, _)| path).collect::<Vec<_>>() }),
        );
    } else {
        for (path, what) in &differing {
            print::line(format!("{}: {what}", dir.join(path).display()));
        }
        print::line(format!("{checked} files checked, {} differ", differing.len()));
    }
    if differing.is_empty() { Ok(()) } else { Err(Failure::No) }
}
