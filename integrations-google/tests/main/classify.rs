//! Does a failure that Google really sent mean what a client has to do about it?

use std::path::Path;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use integrations_core::ErrorKind;
use integrations_core::http::Failure;
use integrations_google::{classify, classify_token};
use serde_json::Value;

/// What each failure of the corpus has to be. Its `meaning` stands beside it.
#[rustfmt::skip]
const EXPECTED: &[(&str, &str, ErrorKind)] = &[
    ("google-invalid_grant-jwt", "clock",           ErrorKind::InvalidCredentials),
    ("google-api-400",           "invalid-request", ErrorKind::InvalidRequest),
    ("google-api-401",           "refresh-token",   ErrorKind::TokenExpired),
    ("google-api-403-daily",     "quota",           ErrorKind::RateLimited),
];

#[test]
fn every_failure_of_the_corpus_means_what_it_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/errors/errors.jsonl");
    let Ok(lines) = std::fs::read_to_string(&path) else {
        println!("skipped: ../shared/data/errors is not here");
        return;
    };
    let mut seen = 0;
    for line in lines.lines() {
        let entry: Value = serde_json::from_str(line).unwrap();
        if entry["provider"] != "google" || entry["meaning"] == "success" {
            continue;
        }
        let id = entry["id"].as_str().unwrap();
        let Some(&(_, meaning, kind)) = EXPECTED.iter().find(|row| row.0 == id) else {
            panic!("{id} is not in the table: {}", entry["meaning"]);
        };
        assert_eq!(entry["meaning"], meaning, "{id}");
        let mut headers = HeaderMap::new();
        for (name, value) in entry["headers"].as_object().unwrap() {
            let value = HeaderValue::from_str(value.as_str().unwrap()).unwrap();
            headers.insert(HeaderName::try_from(name.as_str()).unwrap(), value);
        }
        let status = StatusCode::from_u16(entry["status"].as_u64().unwrap().try_into().unwrap()).unwrap();
        let body = serde_json::to_vec(&entry["body"]).unwrap();
        let failure = Failure { operation: "events.list", status, headers: &headers, body: &body };
        let error = if entry["kind"] == "oauth" { classify_token(&failure) } else { classify(&failure) };
        assert_eq!(error.kind(), kind, "{id}");
        seen += 1;
    }
    println!("errors: {seen} failures of Google's classified");
    assert!(seen > 0);
}
