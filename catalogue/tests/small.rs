//! The small catalogue that fuzzing changes: a file of it that no longer loads would end the fuzzing with its first input, and CI does
//! not fuzz.

use catalogue::{Catalogue, CatalogueFile, files};

#[test]
fn what_fuzzing_begins_with_loads() {
    let own = [
        ("services/waste.toml", include_str!("../../fuzz/small/service.toml")),
        (
            "contractors/crews.toml",
            include_str!("../../fuzz/small/contractor.toml"),
        ),
    ];
    let own = own.map(|(path, text)| CatalogueFile {
        path: path.into(),
        text: text.into(),
    });
    let beside = files::built_in()
        .into_iter()
        .filter(|file| file.path == "council.toml" || file.path.starts_with("notices/request_received."));
    let files: Vec<_> = own.into_iter().chain(beside).collect();
    let faults = Catalogue::load(&files).err();
    assert!(faults.is_none(), "{faults:?}");
}
