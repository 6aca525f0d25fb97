//! The shape of the workspace: which crate may rely on which. A crate earns its place by forbidding a dependency.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

/// What each of our crates may use of the others, and of the crates that only some may name.
const ALLOWED: [(&str, &[&str]); 17] = [
    ("schemas", &["cqrs-es"]),
    ("catalogue", &["schemas"]),
    ("domain", &["schemas", "catalogue", "cqrs-es"]),
    ("vault", &["schemas", "sqlx", "tokio"]),
    ("audit", &["schemas"]),
    // It carries a name of one place to another, and knows nothing of ours.
    ("traces", &["opentelemetry"]),
    (
        "event-store",
        &["schemas", "audit", "traces", "sqlx", "tokio", "cqrs-es", "postgres-es"],
    ),
    ("bus", &["schemas", "async-nats", "tokio"]),
    ("places", &["schemas"]),
    ("attachments", &["schemas", "tokio"]),
    (
        "command-service",
        &[
            "schemas",
            "domain",
            "catalogue",
            "vault",
            "event-store",
            "bus",
            "attachments",
            "places",
            "traces",
            "tokio",
        ],
    ),
    (
        "projections",
        &["schemas", "catalogue", "event-store", "bus", "sqlx", "tokio"],
    ),
    (
        "notifier",
        &[
            "schemas",
            "catalogue",
            "vault",
            "event-store",
            "traces",
            "sqlx",
            "tokio",
        ],
    ),
    ("caseledger", &[EVERY_CRATE, "sqlx", "tokio"]),
    // It stands behind the seams: neither the database nor NATS, nor their clients.
    (
        "simulation",
        &[
            "schemas",
            "catalogue",
            "vault",
            "event-store",
            "bus",
            "command-service",
            "projections",
            "tokio",
        ],
    ),
    (
        "system-tests",
        &[EVERY_CRATE, "sqlx", "tokio", "async-nats", "cqrs-es", "postgres-es"],
    ),
    (
        "bench",
        &[EVERY_CRATE, "sqlx", "tokio", "async-nats", "cqrs-es", "postgres-es"],
    ),
];

/// Stands for all of our crates.
const EVERY_CRATE: &str = "*";

/// The crates of others that belong in a few places only.
const RESTRICTED: [&str; 6] = ["sqlx", "async-nats", "tokio", "cqrs-es", "postgres-es", "opentelemetry"];

/// The longest source file, in lines.
const LONGEST_FILE: usize = 500;

fn metadata() -> Metadata {
    MetadataCommand::new()
        .no_deps()
        .other_options(["--offline".to_owned()])
        .exec()
        .unwrap()
}

fn root() -> PathBuf {
    metadata().workspace_root.into_std_path_buf()
}

/// The names of what a package depends on outside its tests.
fn dependencies(package: &Package) -> BTreeSet<&str> {
    let used = package
        .dependencies
        .iter()
        .filter(|dependency| dependency.kind != DependencyKind::Development);
    used.map(|dependency| dependency.name.as_str()).collect()
}

/// The dependencies of `package` that the table does not allow; `ours` are the workspace's crates.
fn forbidden<'a>(package: &'a Package, ours: &BTreeSet<&str>) -> Vec<&'a str> {
    let allowed = ALLOWED
        .iter()
        .find(|(name, _)| *name == package.name.as_str())
        .map_or(&[][..], |(_, allowed)| allowed);
    let is_ruled = |name: &str| ours.contains(name) || RESTRICTED.contains(&name);
    let is_allowed = |name: &str| allowed.contains(&name) || (ours.contains(name) && allowed.contains(&EVERY_CRATE));
    dependencies(package)
        .into_iter()
        .filter(|name| is_ruled(name) && !is_allowed(name))
        .collect()
}

#[test]
fn crates_depend_only_on_what_the_design_allows() {
    let metadata = metadata();
    let packages = metadata.workspace_packages();
    let ours: BTreeSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let ruled: BTreeSet<&str> = ALLOWED.iter().map(|(name, _)| *name).collect();
    assert_eq!(ours, ruled, "each crate has its line in the table above");
    let found: BTreeMap<&str, Vec<&str>> = packages
        .iter()
        .map(|package| (package.name.as_str(), forbidden(package, &ours)))
        .filter(|(_, forbidden)| !forbidden.is_empty())
        .collect();
    assert!(found.is_empty(), "edges that the design does not have: {found:?}");
}

#[test]
fn the_check_finds_an_edge_that_is_not_allowed() {
    let metadata = metadata();
    let packages = metadata.workspace_packages();
    let notifier = packages
        .iter()
        .find(|package| package.name.as_str() == "notifier")
        .unwrap();
    let mut smuggler = (*notifier).clone();
    smuggler.name = "domain".parse().unwrap();
    let ours = packages.iter().map(|package| package.name.as_str()).collect();
    let found = forbidden(&smuggler, &ours);
    assert!(found.contains(&"vault") && found.contains(&"sqlx"), "{found:?}");
}

#[test]
fn each_dependency_is_declared_once_in_the_workspace() {
    let mut found = Vec::new();
    for package in metadata().workspace_packages() {
        let manifest = std::fs::read_to_string(&package.manifest_path).unwrap();
        found.extend(
            own_versions(&manifest)
                .into_iter()
                .map(|line| format!("{}: {line}", package.name)),
        );
    }
    assert!(
        found.is_empty(),
        "write `NAME.workspace = true`, and the version into the root's Cargo.toml: {found:#?}"
    );
}

/// The lines of a manifest's tables of dependencies that do not take the workspace's declaration.
fn own_versions(manifest: &str) -> Vec<&str> {
    let mut in_dependencies = false;
    let mut found = Vec::new();
    for line in manifest.lines().map(str::trim) {
        if line.starts_with('[') {
            in_dependencies = line.contains("dependencies");
        } else if in_dependencies && line.contains('=') && !line.starts_with('#') {
            let compact: String = line.split_whitespace().collect();
            if !compact.contains(".workspace=true") && !compact.contains("{workspace=true") {
                found.push(line);
            }
        }
    }
    found
}

#[test]
fn a_version_of_ones_own_is_found() {
    let manifest = "[package]\nversion = \"1\"\n[dependencies]\nuuid.workspace = true\ntime = { workspace = true, features = [] }\n\
                    [dev-dependencies]\nserde = \"1\"\n";
    assert_eq!(own_versions(manifest), ["serde = \"1\""]);
}

#[test]
fn source_files_are_short_enough_to_read() {
    let mut long = Vec::new();
    for package in metadata().workspace_packages() {
        let directory = package.manifest_path.parent().unwrap().as_std_path();
        for file in sources(directory) {
            let lines = std::fs::read_to_string(&file).unwrap().lines().count();
            if lines > LONGEST_FILE {
                long.push(format!(
                    "{}: {lines} lines",
                    file.strip_prefix(root()).unwrap().display()
                ));
            }
        }
    }
    assert!(long.is_empty(), "longer than {LONGEST_FILE} lines: {long:#?}");
}

/// The Rust and SQL files below a directory.
fn sources(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path
            .extension()
            .is_some_and(|extension| extension == "rs" || extension == "sql")
        {
            found.push(path);
        }
    }
    found
}
