//! Does a failure that GitHub really sent mean what a client has to do about it?

use std::path::{Path, PathBuf};

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use integrations_core::ErrorKind;
use integrations_core::http::Failure;
use integrations_github::{classify, classify_token};
use serde_json::Value;

/// What each failure of the corpus has to be. Its `meaning` stands beside it.
#[rustfmt::skip]
const EXPECTED: &[(&str, &str, ErrorKind)] = &[
    ("gh-incorrect_client_credentials", "config",                                 ErrorKind::InvalidCredentials),
    ("gh-bad_verification_code",        "reauthorize",                            ErrorKind::ReauthorizationRequired),
    ("rfc6749-5.2",                     "config",                                 ErrorKind::InvalidRequest),
    ("rfc8628-3.5-pending",             "poll-again",                             ErrorKind::RateLimited),
    ("rfc8628-3.5-slow",                "poll-slower (interval + 5 s, for good)", ErrorKind::RateLimited),
    ("rfc8628-3.5-denied",              "give-up",                                ErrorKind::ReauthorizationRequired),
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
        if (entry["provider"] != "github" && entry["provider"] != "any") || entry["meaning"] == "success" {
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
    println!("errors: {seen} failures of GitHub's classified");
    assert!(seen > 0);
}

/// What each failure that was recorded, or stands in GitHub's own description, has to be.
#[rustfmt::skip]
const SEEN: &[(u64, &str, ErrorKind)] = &[
    (404, "Branch not protected",                                      ErrorKind::NotFound),
    (405, "Pull Request is not mergeable",                             ErrorKind::UnsupportedOperation),
    (409, "Head branch was modified. Review and try the merge again.", ErrorKind::Conflict),
    (422, "Validation Failed",                                         ErrorKind::InvalidRequest),
];

fn is_expected(answer: &Value) {
    let (status, message) = (answer["status"].as_u64().unwrap(), answer["response"]["message"].as_str());
    let message = message.unwrap_or_default();
    let Some(&(.., expected)) = SEEN.iter().find(|row| (row.0, row.1) == (status, message)) else {
        panic!("{status} {message} is not in the table");
    };
    let kind = kind(false, &answer["status"], &answer["headers"], &answer["response"]);
    assert_eq!(kind, expected, "{status} {message}");
}

/// The JSON files in the folders of a folder.
fn files(folder: &Path) -> impl Iterator<Item = Value> {
    let folders = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let paths = folders
        .filter(|path| path.is_dir())
        .flat_map(|path| std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.map(|path| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
}

#[test]
fn every_failure_that_was_recorded_means_what_it_says() {
    let Some(folder) = data("github-recorded") else { return };
    let mut seen = 0;
    for answers in files(&folder) {
        let answers = answers.as_array().unwrap().iter();
        for answer in answers.filter(|answer| answer["status"].as_u64() >= Some(400)) {
            is_expected(answer);
            seen += 1;
        }
    }
    println!("github-recorded: {seen} failures classified");
    assert!(seen > 0);
}

#[test]
fn every_failure_of_githubs_description_means_what_it_says() {
    let Some(folder) = data("github-rest-examples") else { return };
    let mut seen = 0;
    for mut answer in files(&folder) {
        // Statuses may be texts there.
        let text = answer["status"].as_str().and_then(|status| status.parse().ok());
        let status: Option<u64> = text.or(answer["status"].as_u64());
        let Some(status) = status.filter(|status| *status >= 400) else { continue };
        answer["status"] = status.into();
        answer["headers"] = Value::Null;
        is_expected(&answer);
        seen += 1;
    }
    println!("github-rest-examples: {seen} failures classified");
    assert!(seen > 0);
}
