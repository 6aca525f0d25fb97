//! The list of rejections, `docs/rejections.md`, says what the code says.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use domain::Rejection;
use schemas::Problem;

const HEAD: &str = "# Rejections

Every rule that can refuse a command. A refusal is an RFC 9457 problem; `errors` holds the field's JSON pointer, a code
that stays as it is, and a sentence. Written from `domain/src/rejection.rs`: after a change there, run the test with
`UPDATE_REJECTIONS=1`. What is wrong with the form of a command is refused before the rules are asked; see the schemas.

| code | field | status | sentence |
|---|---|---|---|
";

#[test]
fn the_list_is_up_to_date() {
    let mut list = HEAD.to_owned();
    for rejection in Rejection::examples() {
        let problem = Problem::from(rejection.clone());
        let pointer = if rejection.pointer().is_empty() {
            "–".to_owned()
        } else {
            format!("`{}`", rejection.pointer())
        };
        writeln!(
            list,
            "| `{}` | {pointer} | {} | {rejection} |",
            rejection.code(),
            problem.status
        )
        .unwrap();
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/rejections.md");
    if std::env::var_os("UPDATE_REJECTIONS").is_some() {
        std::fs::write(&path, &list).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == list,
        "docs/rejections.md is out of date: run this test with UPDATE_REJECTIONS=1"
    );
}

#[test]
fn a_code_stands_once_for_each_field() {
    let mut seen = BTreeSet::new();
    for rejection in Rejection::examples() {
        assert!(
            seen.insert((rejection.code(), rejection.pointer())),
            "{} stands twice",
            rejection.code()
        );
    }
}
