//! The screen that says what to try next.

use std::net::SocketAddr;
use std::path::Path;

use super::cases::Sent;
use crate::print;
use crate::servers::DataDir;

/// Shows where things are, and a first tour.
pub fn show(data: &DataDir, env_file: &Path, sent: Option<&Sent>, http: Option<SocketAddr>) {
    let data_dir = data.path().display();
    print::line(format!(
        "\nCaseledger is running. Ctrl-C stops it; what is in {data_dir} stays.\n"
    ));
    if let Some(sent) = sent {
        let cases = sent.cases;
        let done = if sent.before {
            "were sent when this directory was new"
        } else {
            "were sent through the bus"
        };
        print::line(format!(
            "  {cases} demo cases {done}. To look at them, in another terminal:\n"
        ));
    } else {
        print::line("  In another terminal:\n");
    }
    print::line(format!("    . {}", env_file.display()));
    print::line("    caseledger catalogue list                   what can be asked for");
    print::line("    caseledger projection status                where the read models stand");
    if let Some(reopened) = sent.and_then(|sent| sent.reopened.as_deref()) {
        print::line(format!(
            "    caseledger case history {reopened}       a missed bin that was reopened"
        ));
        print::line(format!(
            "    caseledger case show {reopened} --officer j.okafor --reason 'a look around'"
        ));
    }
    print::line("    caseledger audit verify                     whether the log is still what it was");
    print::line("    caseledger client list                      who may use the bus, and for what");
    print::line(
        "    caseledger send SubmitRequest <<< '{\"request_type\": \"pothole\", \"description\": \"Deep, by the school.\",",
    );
    print::line("        \"actor\": {\"kind\": \"resident\", \"assurance\": \"none\"}, \"channel\": \"online\"}'");
    if let Some(address) = http {
        print::line(format!(
            "\n  Readiness and metrics: http://{address}/readyz and /metrics."
        ));
    }
    print::line(format!("\n  Emails land in {data_dir}/mail, logs in {data_dir}/log.\n"));
}
