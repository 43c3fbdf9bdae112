//! Does a failure that Slack really sent mean what a client has to do about it?

use std::path::{Path, PathBuf};

use http::{HeaderMap, StatusCode};
use integrations_core::ErrorKind::{self, *};
use integrations_core::http::Response;
use integrations_core::{Error, Result};
use integrations_slack::{in_success, in_token_success};
use serde_json::Value;

/// What each code that Slack names in its descriptions and examples has to be.
#[rustfmt::skip]
const EXPECTED: &[(&str, ErrorKind)] = &[
    ("account_inactive",  AccountSuspended),
    ("already_reacted",   Conflict),
    ("cannot_unfurl_url", InvalidRequest),
    ("cant_kick_self",    InvalidRequest),
    ("channel_not_found", NotFound),
    ("invalid_arg_name",  InvalidRequest),
    ("invalid_array_arg", InvalidRequest),
    ("invalid_auth",      ReauthorizationRequired),
    ("invalid_channel",   InvalidRequest),
    ("invalid_charset",   InvalidRequest),
    ("invalid_client_id", InvalidCredentials),
    ("invalid_cursor",    CursorExpired),
    ("invalid_form_data", InvalidRequest),
    ("invalid_json",      InvalidRequest),
    ("invalid_post_type", InvalidRequest),
    ("invalid_scheduled_message_id", InvalidRequest),
    ("is_archived",       UnsupportedOperation),
    ("json_not_object",   InvalidRequest),
    ("missing_post_type", InvalidRequest),
    ("missing_scope",     InsufficientPermissions),
    ("missing_trigger",   InvalidRequest),
    ("no_pin",            InvalidRequest),
    ("no_reaction",       Conflict),
    ("not_an_admin",      InsufficientPermissions),
    ("not_authed",        ReauthorizationRequired),
    ("not_enterprise_team", InvalidRequest),
    ("not_in_channel",    InsufficientPermissions),
    ("paid_only",         UnsupportedOperation),
    ("request_timeout",   Timeout),
    ("time_in_past",      InvalidRequest),
    ("token_revoked",     ReauthorizationRequired),
    ("upgrade_required",  UnsupportedOperation),
    ("user_not_in_channel", InvalidRequest),
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

fn expected(code: &str) -> ErrorKind {
    EXPECTED.iter().find(|row| row.0 == code).unwrap_or_else(|| panic!("{code} is not in the table")).1
}

/// What an answer of status 200 tells of.
fn found(token: bool, body: &Value) -> Result<()> {
    let answer = Response::new(StatusCode::OK, HeaderMap::new(), body.to_string());
    if token { in_token_success("x", &answer) } else { in_success("x", &answer) }
}

fn is_expected(error: &Error, code: &str) {
    assert_eq!(error.kind(), expected(code), "{code}");
    assert_eq!(error.provider_code(), Some(code));
}

#[test]
fn every_failure_of_the_corpus_means_what_it_says() {
    let Some(path) = data("errors/errors.jsonl") else { return };
    let (mut failures, mut successes) = (0, 0);
    for line in std::fs::read_to_string(path).unwrap().lines() {
        let entry: Value = serde_json::from_str(line).unwrap();
        if entry["provider"] != "slack" {
            continue;
        }
        if entry["kind"] == "error-names" {
            for code in entry["names"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()) {
                let body = serde_json::json!({"ok": false, "error": code});
                is_expected(&found(false, &body).unwrap_err(), code);
                failures += 1;
            }
            continue;
        }
        let outcome = found(entry["kind"] == "oauth", &entry["body"]);
        match entry["meaning"].as_str().unwrap() {
            "success" => {
                outcome.unwrap();
                successes += 1;
            }
            "error-in-200" => {
                is_expected(&outcome.unwrap_err(), entry["body"]["error"].as_str().unwrap());
                failures += 1;
            }
            other => panic!("{} means {other}, which no one here knows", entry["id"]),
        }
    }
    println!("errors: {failures} failures and {successes} successes of Slack's classified");
    assert!(failures > 0);
}

#[test]
fn every_example_of_slacks_own_is_told_from_its_failures() {
    let Some(folder) = data("slack-openapi/examples") else { return };
    let (mut failures, mut successes) = (0, 0);
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let file: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let outcome = found(name.starts_with("oauth."), &file["response"]);
        if name.ends_with(".error.json") {
            is_expected(&outcome.unwrap_err(), file["response"]["error"].as_str().unwrap());
            failures += 1;
        } else if file["response"]["ok"] == true {
            outcome.unwrap();
            successes += 1;
        }
    }
    println!("slack-openapi: {failures} failures and {successes} successes classified");
    assert!(failures > 50 && successes > 50);
}
