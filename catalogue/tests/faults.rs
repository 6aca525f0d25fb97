//! What a catalogue must not hold is found, with its file and line.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what the tests share stands outside test functions"
)]

use catalogue::{Catalogue, CatalogueFile, files};

const RIGHTS: &str = "services/information-rights.toml";
const WASTE: &str = "services/waste.toml";
const ENVIRONMENTAL: &str = "services/environmental.toml";
const HIGHWAYS: &str = "services/highways.toml";
const PARTNER: &str = "contractors/street-partner.toml";

/// The faults of the built-in catalogue once `from` stands as `to` in a file, first time only.
fn faults(path: &str, from: &str, to: &str) -> Vec<(String, usize, String)> {
    let mut files = files::built_in();
    let file = files.iter_mut().find(|file| file.path == path).unwrap();
    assert!(file.text.contains(from), "{path} has no {from:?}");
    file.text = file.text.replacen(from, to, 1);
    let faults = Catalogue::load(&files).map(|_| ()).unwrap_err();
    faults
        .into_iter()
        .map(|fault| (fault.file, fault.line, fault.message))
        .collect()
}

/// The line on which a text stands first.
fn line_of(path: &str, text: &str) -> usize {
    let files = files::built_in();
    let file = files.iter().find(|file| file.path == path).unwrap();
    file.text[..file.text.find(text).unwrap()].matches('\n').count() + 1
}

#[test]
fn each_fault_is_found_where_it_stands() {
    for (path, from, to, message) in [
        (WASTE, "name = \"waste\"", "name = \"rubbish\"", "must be named"),
        (WASTE, "prefix = \"WAS\"", "prefix = \"was\"", "three capital letters"),
        (WASTE, "prefix = \"WAS\"", "prefix = \"HIG\"", "stands in"),
        (WASTE, "code = \"missed-bin\"", "code = \"pothole\"", "stands in"),
        (
            WASTE,
            "reporting_code = \"WASTE-MISSED\"",
            "reporting_code = \"HIGHWAYS-SURFACE\"",
            "stands in",
        ),
        (
            WASTE,
            "anonymous = true",
            "anonymous = true\ncolour = 1",
            "unknown field",
        ),
        (WASTE, "team = \"waste-crews\"", "team = \"nobody\"", "no team nobody"),
        (
            WASTE,
            "deciding_teams = [\"waste-client\"]",
            "deciding_teams = []",
            "needs a team",
        ),
        (WASTE, ", acceptance = \"automatic\"", "", "acceptance"),
        (
            HIGHWAYS,
            "{ near_metres = 20 }",
            "{ near_metres = 101 }",
            "near_metres: expected 1 to 100",
        ),
        (WASTE, "months = 12,", "months = 0,", "months: expected 1 or more"),
        (
            WASTE,
            "title = \"Garden waste subscription\", of_property",
            "title = \" \", of_property",
            "title: expected what people call it",
        ),
        (
            WASTE,
            "months = 12, weeks_before = 8",
            "months = 12, weeks_before = 52",
            "shorter than the term",
        ),
        (
            WASTE,
            "entitlement = \"garden-waste\"",
            "entitlement = \"blue-badge\"",
            "agree on it",
        ),
        (
            WASTE,
            "renewal = { entitlement = \"garden-waste\", title = \"Garden waste subscription\", of_property = true, months = 12, weeks_before = 8 }",
            "",
            "of a type without renewal",
        ),
        (
            ENVIRONMENTAL,
            "fields = [\"location\",",
            "fields = [\"place\",",
            "place would tell contractor who complained",
        ),
        (
            ENVIRONMENTAL,
            "fields = [\"place\", \"registration\"]",
            "fields = [\"contact\", \"registration\"]",
            "contact would tell police who complained",
        ),
        (
            WASTE,
            "successor = \"missed-bin\"",
            "successor = \"nothing\"",
            "no request type nothing",
        ),
        (
            WASTE,
            "RequestSubmitted = \"request_received\"",
            "RequestSubmitted = \"postcard\"",
            "no notice postcard",
        ),
        (WASTE, "RequestSubmitted = ", "RequestLost = ", "no event RequestLost"),
        (
            WASTE,
            "\"whole_street\"]",
            "\"hole_street\"]",
            "no hole_street to share",
        ),
        (WASTE, "required = true", "required = false", "when_absent"),
        (
            WASTE,
            "kind = \"flag\"\nsensitivity = \"open\"",
            "kind = \"text\"\nsensitivity = \"open\"",
            "can't be open",
        ),
        (
            WASTE,
            "kind = \"flag\"\nsensitivity = \"open\"",
            "kind = \"flag\"\nsensitivity = \"special_category\"",
            "needs a condition",
        ),
        (
            "services/blue-badges.toml",
            "kind = \"text\"\nsensitivity = \"special_category\"",
            "kind = \"choice\"\nsensitivity = \"special_category\"",
            "needs choices",
        ),
        (
            WASTE,
            "pence = 5500",
            "pence = 5500\ndue = \"on_request\"\n\n[[request_type.fee]]\nfrom = 2026-04-01\npence = 1",
            "two rows from 2026-04-01",
        ),
        (WASTE, "pence = 5500", "pence = 10000001", "at most 10000000"),
        (
            WASTE,
            "calendar = \"bulky-collections\"",
            "calendar = \"sofas\"",
            "no calendar sofas",
        ),
        (WASTE, "appointment = \"collection\"\n", "", "what kind of appointment"),
        (
            WASTE,
            "name = \"bulky-collections\"",
            "name = \"ceremonies\"",
            "the calendar ceremonies",
        ),
        (
            WASTE,
            "until = \"18:00\"",
            "until = \"17:59\"",
            "openings that hold a slot",
        ),
        (WASTE, "until = \"18:00\"", "until = \"24:00\"", "time of day"),
        (WASTE, "places = 20", "places = 0", "with a place each"),
        // Longer than a day: added to the time of an opening, it once overflowed.
        (WASTE, "minutes = 720", "minutes = 65535", "slots of 5 to 1440 minutes"),
        (WASTE, "days_ahead = 42", "days_ahead = 731", "1 to 730 days ahead"),
        ("council.toml", "phone = ", "telephone = ", "unknown field"),
        (
            PARTNER,
            "name = \"street-partner\"",
            "name = \"partner\"",
            "must be named",
        ),
        (
            PARTNER,
            "request_type = \"bulky-item\"",
            "request_type = \"missed-bin\"",
            "a job of street-partner already",
        ),
        (
            PARTNER,
            "request_type = \"bulky-item\"",
            "request_type = \"sofa\"",
            "no request type sofa",
        ),
        (
            PARTNER,
            "request_type = \"bulky-item\"",
            "request_type = \"complaint-stage-1\"",
            "no contractor delivers",
        ),
        (
            PARTNER,
            "request_type = \"litter\"",
            "request_type = \"pest\"",
            "it is nobody's job",
        ),
        (
            PARTNER,
            "COLLECTED = \"collected\"",
            "COLLECTED = \"not-presented\"",
            "has no completion not-presented",
        ),
        (
            PARTNER,
            "COLLECTED = \"collected\"",
            "COLLECTED = \"closed-elsewhere\"",
            "has no completion",
        ),
        (
            PARTNER,
            "done = { COLLECTED = \"collected\" }",
            "done = {}",
            "needs a code that reports it done",
        ),
        (
            PARTNER,
            "points_to = \"not-presented\"",
            "points_to = \"absent\"",
            "missed collection has the outcome absent",
        ),
        (
            PARTNER,
            "[job.failed]\nNOT-OUT = {",
            "[job.failed]\nCOLLECTED = {",
            "can't both report",
        ),
        (
            PARTNER,
            "question = \"dangerous\"",
            "question = \"depth_mm\"",
            "depends on an open flag or choice",
        ),
        (PARTNER, "SCHED = \"scheduled\"", "SCHED = \"soon\"", "unknown variant"),
        (
            PARTNER,
            "service = \"waste\"",
            "service = \"rubbish\"",
            "no service rubbish",
        ),
        (
            PARTNER,
            "points_to = \"private-land\"",
            "points_to = \"absent\"",
            "has no outcome absent",
        ),
        (
            WASTE,
            "collection = { round = \"round\"",
            "collection = { round = \"presented\"",
            "named by an open code",
        ),
        (HIGHWAYS, ", sample_percent = 10", "", "how many of a hundred"),
        (HIGHWAYS, "sample_percent = 10", "sample_percent = 101", "from 1 to 100"),
        (
            WASTE,
            "acceptance = \"automatic\"",
            "acceptance = \"automatic\", sample_percent = 10",
            "by sample only",
        ),
        (
            HIGHWAYS,
            "name = \"contractor\"",
            "name = \"crews\"",
            "add the recipient contractor",
        ),
        (
            WASTE,
            "id = \"collection\"",
            "id = \"job_1\"",
            "the name of another clock",
        ),
        (
            RIGHTS,
            "clocks = [\"foi\"]",
            "clocks = [\"foe\"]",
            "there is no clock foe",
        ),
        (
            RIGHTS,
            "clocks = [\"foi\"]",
            "clocks = [\"service_target\"]",
            "write a [[request_type.target]]",
        ),
        (
            WASTE,
            "[[request_type.target]]",
            "[[request_type.target]]\nid = \"collection\"\nfrom = 2026-04-01\nunit = \"hours\"\namount = 1\n\n\
             [[request_type.target]]",
            "two rows from 2026-04-01",
        ),
        (WASTE, "from = 2026-04-01", "from = 2026-04-31", "invalid"),
        (
            WASTE,
            "from = 2026-04-01",
            "from = \"2026-04-01\"",
            "expected a TOML datetime",
        ),
    ] {
        let found = faults(path, from, to);
        assert!(
            found.iter().any(|(file, _, text)| (file.starts_with("services/")
                || file.starts_with("contractors/")
                || file == path)
                && text.contains(message)),
            "{to}: {found:?}"
        );
        assert!(found.iter().all(|(_, line, _)| *line > 0));
    }
}

#[test]
fn a_fault_names_its_line() {
    let line = line_of(WASTE, "successor = \"missed-bin\"");
    let message = "there is no request type nothing: name one of the catalogue".to_owned();
    assert_eq!(
        faults(WASTE, "successor = \"missed-bin\"", "successor = \"nothing\""),
        [(WASTE.to_owned(), line, message)]
    );
    let found = faults(WASTE, "anonymous = true", "colour = 1\nanonymous = true");
    assert_eq!(
        (found[0].0.as_str(), found[0].1),
        (WASTE, line_of(WASTE, "anonymous = true"))
    );
}

#[test]
fn a_template_that_speaks_of_what_is_not_there_is_found() {
    let path = "notices/request_closed.txt";
    let found = faults(path, "{{ reference }}", "{{ refrence }}");
    assert_eq!(
        (found[0].0.as_str(), found[0].1),
        (path, line_of(path, "{{ reference }}"))
    );
    let found = faults(path, "{% if reopening and reopening.until %}", "{% if true %}");
    assert_eq!(found[0].0, path, "a part that may be absent must be asked for first");
    assert_eq!(
        faults(path, "{% if reopening and reopening.until %}", "{% if")[0].0,
        path
    );
}

#[test]
fn a_missing_part_or_a_stray_file_is_found() {
    let mut files = files::built_in();
    files.retain(|file| file.path != "notices/request_received.html");
    files.push(CatalogueFile {
        path: "notes.md".into(),
        text: String::new(),
    });
    let faults = Catalogue::load(&files).map(|_| ()).unwrap_err();
    let found: Vec<_> = faults.iter().map(|fault| fault.file.as_str()).collect();
    assert_eq!(found, ["notes.md", "notices/request_received.html"]);
}

#[test]
fn the_version_follows_what_the_files_say_and_not_how() {
    let version = |path: &str, from: &str, to: &str| {
        let mut files = files::built_in();
        files.reverse();
        let file = files.iter_mut().find(|file| file.path == path).unwrap();
        file.text = file.text.replacen(from, to, 1);
        Catalogue::load(&files).unwrap().version().to_owned()
    };
    let built_in = Catalogue::built_in().unwrap().version().to_owned();
    assert_eq!(built_in.len(), 16);
    assert_eq!(version(WASTE, "title = ", "# a remark\n\ntitle   =   "), built_in);
    assert_ne!(version(WASTE, "days = 14", "days = 15"), built_in);
    assert_ne!(
        version("notices/request_closed.txt", "We closed", "We have closed"),
        built_in
    );
}
