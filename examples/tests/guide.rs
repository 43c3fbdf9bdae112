//! `docs/adding-a-service.md` shows code that is there, and files that every provider has.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

const PROVIDERS: [&str; 5] = ["google", "slack", "msgraph", "github", "zoom"];
const CRATE_FILES: [&str; 5] = ["lib.rs", "config.rs", "oauth.rs", "classify.rs", "limits.rs"];
const RESOURCE_FILES: [&str; 5] = ["mod.rs", "adapter.rs", "sync.rs", "wire.rs", "normalize.rs"];
const TESTS: [&str; 8] = ["scenario", "corpus", "mapping", "bad_input", "chaos", "classify", "oauth", "docs"];
const BEGIN: &str = "<!-- lines -->\n";
const END: &str = "<!-- /lines -->";
/// The most lines that an adapter of a small service may have.
const SMALL: usize = 150;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn guide() -> String {
    fs::read_to_string(root().join("docs/adding-a-service.md")).unwrap()
}

fn sources(provider: &str) -> PathBuf {
    root().join(format!("integrations-{provider}/src"))
}

/// The folders and files of a folder, by name.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries
}

/// The folders of a provider's resources: those with an adapter.
fn resources(provider: &str) -> Vec<PathBuf> {
    entries(&sources(provider)).into_iter().filter(|folder| folder.join("adapter.rs").is_file()).collect()
}

fn lines(file: &Path) -> usize {
    fs::read_to_string(file).unwrap().lines().count()
}

/// The lines of all files of a folder, but for those of these names.
fn other_lines(folder: &Path, named: &[&str]) -> usize {
    let count = |entry: PathBuf| {
        let name = entry.file_name().unwrap().to_str().unwrap();
        match entry.is_dir() {
            true => other_lines(&entry, &[]),
            false if named.contains(&name) => 0,
            false => lines(&entry),
        }
    };
    entries(folder).into_iter().map(count).sum()
}

fn table() -> String {
    let mut table =
        format!("| File | {} |\n|---|{}\n", PROVIDERS.join(" | "), "---:|".repeat(PROVIDERS.len()));
    let mut row = |name: String, count: &dyn Fn(&str) -> usize| {
        let counts = PROVIDERS.map(|provider| count(provider).to_string());
        writeln!(table, "| {name} | {} |", counts.join(" | ")).unwrap();
    };
    for file in CRATE_FILES {
        row(format!("`{file}`"), &|provider| lines(&sources(provider).join(file)));
    }
    row("shared by resources".into(), &|provider| {
        let shared = |entry: &PathBuf| !resources(provider).contains(entry);
        let count = |entry: PathBuf| {
            let named = CRATE_FILES.iter().any(|file| entry.ends_with(file));
            match entry.is_dir() {
                true => other_lines(&entry, &[]),
                false if named => 0,
                false => lines(&entry),
            }
        };
        entries(&sources(provider)).into_iter().filter(shared).map(count).sum()
    });
    row("resources".into(), &|provider| resources(provider).len());
    for file in RESOURCE_FILES {
        row(format!("`<resource>/{file}`"), &|provider| {
            resources(provider).iter().map(|folder| lines(&folder.join(file))).sum()
        });
    }
    row("`<resource>/…`, its own".into(), &|provider| {
        resources(provider).iter().map(|folder| other_lines(folder, &RESOURCE_FILES)).sum()
    });
    row("all of it".into(), &|provider| other_lines(&sources(provider), &[]));
    table
}

/// The numbers of a table, row by row.
fn numbers(table: &str) -> Vec<f64> {
    table.split('|').filter_map(|cell| cell.trim().parse().ok()).collect()
}

#[test]
fn every_provider_has_the_same_files() {
    for provider in PROVIDERS {
        for file in CRATE_FILES {
            assert!(sources(provider).join(file).is_file(), "{provider} has no {file}");
        }
        assert!(sources(provider).join("../docs.md").is_file(), "{provider} has no docs.md");
        let resources = resources(provider);
        assert_ne!(resources.len(), 0, "{provider}");
        for folder in &resources {
            for file in RESOURCE_FILES {
                assert!(folder.join(file).is_file(), "{} has no {file}", folder.display());
            }
        }
        for test in TESTS {
            let tests = sources(provider).join("../tests/main");
            // By itself, or in the folder of a resource.
            let in_folder = |folder: &Path| folder.join(format!("{test}.rs")).is_file();
            let mut folders = resources.iter().filter_map(|folder| Some(tests.join(folder.file_name()?)));
            let of_a_resource = folders.any(|folder| in_folder(&folder));
            let there = in_folder(&tests) || tests.join(test).is_dir() || of_a_resource;
            assert!(there, "{provider} has no tests/main/{test}");
        }
    }
}

/// Lines come and go every day: what is a fifth off is out of date.
#[test]
fn the_guide_says_how_many_lines_there_are() {
    let (guide, table) = (guide(), table());
    let (begin, end) = (guide.find(BEGIN).unwrap() + BEGIN.len(), guide.find(END).unwrap());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let updated = format!("{}{table}{}", &guide[..begin], &guide[end..]);
        return fs::write(root().join("docs/adding-a-service.md"), updated).unwrap();
    }
    let (said, counted) = (numbers(&guide[begin..end]), numbers(&table));
    assert_eq!(said.len(), counted.len(), "other rows; run this test with UPDATE_DOCS=1:\n{table}");
    for (said, counted) in said.into_iter().zip(counted) {
        let off = (said - counted).abs();
        assert!(
            off <= 30.0 || off <= counted / 5.0,
            "{said} are {counted}; run with UPDATE_DOCS=1:\n{table}"
        );
    }
}

#[test]
fn the_guide_shows_code_that_is_there() {
    let code = ["examples/custom_adapter/adapter.rs", "examples/custom_adapter.rs"]
        .map(|file| fs::read_to_string(root().join(file)).unwrap());
    let guide = guide();
    let blocks: Vec<_> =
        guide.split("```rust\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(blocks.len() > 5);
    for block in blocks {
        assert!(code.iter().any(|file| file.contains(block)), "not in the example:\n{block}");
    }
}

#[test]
fn the_adapter_of_a_small_service_is_small() {
    let adapter = root().join("examples/custom_adapter/adapter.rs");
    assert!(lines(&adapter) <= SMALL, "{} lines", lines(&adapter));
}
