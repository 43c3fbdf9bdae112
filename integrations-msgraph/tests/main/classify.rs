//! Does a failure that Microsoft really sent mean what a client has to do about it?

use std::path::{Path, PathBuf};

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use integrations_core::ErrorKind;
use integrations_core::http::Failure;
use integrations_msgraph::{classify, classify_token};
use serde_json::Value;

/// What each failure of the corpus has to be. Its `meaning` stands beside it.
#[rustfmt::skip]
const EXPECTED: &[(&str, &str, ErrorKind)] = &[
    ("graph-410-calendar", "full-resync",  ErrorKind::CursorExpired),
    ("graph-410-resync",   "full-resync",  ErrorKind::CursorExpired),
    ("graph-429",          "rate-limited", ErrorKind::RateLimited),
];

/// A file or folder of the data, or `None` with a printed line where it is absent.
fn data(path: &str) -> Option<PathBuf> {
    let found = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data")).join(path);
    if found.exists() {
        return Some(found);
    }
    println!("skipped: ../shared/data/{path} is not here");
    None
}

fn headers(object: &Value) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in object.as_object().into_iter().flatten() {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        headers.insert(HeaderName::try_from(name.as_str()).unwrap(), HeaderValue::try_from(text).unwrap());
    }
    headers
}

/// What an answer means.
fn kind(token: bool, status: &Value, sent: &Value, body: &Value) -> ErrorKind {
    let status = StatusCode::from_u16(status.as_u64().unwrap().try_into().unwrap()).unwrap();
    let (headers, body) = (headers(sent), body.to_string());
    let failure = Failure { operation: "x", status, headers: &headers, body: body.as_bytes() };
    if token { classify_token(&failure).kind() } else { classify(&failure).kind() }
}

#[test]
fn every_failure_of_the_corpus_means_what_it_says() {
    let Some(path) = data("errors/errors.jsonl") else { return };
    let mut seen = 0;
    for line in std::fs::read_to_string(path).unwrap().lines() {
        let entry: Value = serde_json::from_str(line).unwrap();
        if entry["provider"] != "microsoft" || entry["meaning"] == "success" {
            continue;
        }
        let id = entry["id"].as_str().unwrap();
        let Some(&(_, meaning, expected)) = EXPECTED.iter().find(|row| row.0 == id) else {
            panic!("{id} is not in the table: {}", entry["meaning"]);
        };
        assert_eq!(entry["meaning"], meaning, "{id}");
        let token = entry["kind"] == "oauth";
        assert_eq!(kind(token, &entry["status"], &entry["headers"], &entry["body"]), expected, "{id}");
        seen += 1;
    }
    println!("errors: {seen} failures of Microsoft's classified");
    assert!(seen > 0);
}

/// What each code of the documentation's examples has to be.
#[rustfmt::skip]
const EXAMPLES: &[(u64, &str, ErrorKind)] = &[
    (400, "ErrorMimeContentInvalidBase64String", ErrorKind::InvalidRequest),
    (403, "ErrorSendAsDenied",                   ErrorKind::InsufficientPermissions),
];

#[test]
fn every_failure_of_the_documentation_means_what_it_says() {
    let Some(folder) = data("graph-examples") else { return };
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        // The manifest beside them is JSON by the line.
        let Ok(file) = serde_json::from_slice::<Value>(&std::fs::read(&path).unwrap()) else { continue };
        let Some(status) = file["status"].as_u64().filter(|status| *status >= 400) else { continue };
        let code = file["body"]["error"]["code"].as_str().unwrap_or_default();
        let Some(&(.., expected)) = EXAMPLES.iter().find(|row| (row.0, row.1) == (status, code)) else {
            panic!("{status} {code} of {} is not in the table", path.display());
        };
        assert_eq!(kind(false, &file["status"], &file["headers"], &file["body"]), expected, "{code}");
        seen += 1;
    }
    println!("graph-examples: {seen} failures classified");
    assert!(seen > 0);
}
