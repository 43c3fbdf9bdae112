//! Payloads that no one here wrote: the examples of Microsoft's own documentation. Each resource in them is
//! normalised, or quarantined for a reason that is listed by name.

mod calendar;
mod mail;

use std::path::Path;

use integrations_core::model::Raw;
use integrations_core::normalize::{PageContext, Stages};
use integrations_core::sync::StreamKey;
use serde_json::Value;

/// A block of the documentation.
pub(crate) struct Example {
    /// The file.
    pub(crate) name: String,
    /// `request`, `response` or `json`.
    pub(crate) kind: String,
    /// The resource, such as `microsoft.graph.message`, where the documentation says so.
    pub(crate) resource: Option<String>,
    pub(crate) body: Value,
}

impl Example {
    /// The resources: those of a page, or the one that is the body.
    pub(crate) fn items(&self) -> &[Value] {
        match &self.body["value"] {
            Value::Array(items) => items,
            _ => std::slice::from_ref(&self.body),
        }
    }
}

/// The examples that have a body of JSON, by their names, or `None` with a printed line where they are absent.
/// The shapes of resources are left out: they hold the names of types, and no data.
pub(crate) fn examples() -> Option<Vec<Example>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/graph-examples");
    if !folder.is_dir() {
        println!("skipped: ../shared/data/graph-examples is not here");
        return None;
    }
    let mut examples = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let mut file: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let kind = file["kind"].as_str().unwrap_or_default().to_owned();
        if kind == "resource-shape" || file["body"].is_null() {
            continue;
        }
        examples.push(Example {
            name: path.file_name().unwrap().to_string_lossy().into_owned(),
            kind,
            resource: file["odata_type"].as_str().map(str::to_owned),
            body: file["body"].take(),
        });
    }
    examples.sort_by(|one, other| one.name.cmp(&other.name));
    Some(examples)
}

/// What became of some resources.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) seen: usize,
    pub(crate) normalised: usize,
    /// The file, and the path and the reason.
    pub(crate) quarantined: Vec<(String, String)>,
}

impl Tally {
    /// Sends a resource through the stages.
    pub(crate) fn run(&mut self, stages: &Stages, stream: &StreamKey, name: &str, item: &Value) {
        let done = stages.run(&[Raw::new(item.to_string())], stream, &PageContext::default());
        self.seen += 1;
        self.normalised += done.changes.len();
        let reasons = done.quarantined.iter().map(|item| format!("{}: {}", item.path, item.reason));
        self.quarantined.extend(reasons.map(|reason| (name.to_owned(), reason)));
    }

    /// Prints the counts, and fails if anything was dropped, or was quarantined that is not listed.
    pub(crate) fn settle(self, what: &str, listed: &[(&str, &str)]) {
        let Self { seen, normalised, quarantined } = self;
        println!("{what}: {seen} seen, {normalised} normalised, {} quarantined", quarantined.len());
        let listed: Vec<_> =
            listed.iter().map(|(name, why)| ((*name).to_owned(), (*why).to_owned())).collect();
        assert_eq!(quarantined, listed, "{what}");
        assert!(normalised > 0 && seen == normalised + listed.len(), "{what}");
    }
}
