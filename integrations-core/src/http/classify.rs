//! What does an answer that is no success mean?
//!
//! Each provider states its failures as ONE table of [`Rule`]s; this engine reads it from the top and
//! takes the first row that fits, and what no row names follows the uniform meaning of the status.

use std::time::Duration;

use http::{HeaderMap, StatusCode};

use crate::error::{Error, ErrorKind};

/// An answer that is no success.
#[derive(Debug, Clone, Copy)]
pub struct Failure<'a> {
    /// The operation that was answered so.
    pub operation: &'static str,
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The body.
    pub body: &'a [u8],
}

/// One row of a provider's table: answers that fit mean a kind of error.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// What an answer must look like.
    pub when: RuleMatch,
    /// What it then means.
    pub then: Class,
}

/// What an answer must look like. An empty field fits every answer.
#[derive(Debug, Clone, Copy)]
pub struct RuleMatch {
    /// The HTTP status; 0 for any.
    pub status: u16,
    /// The provider's code; empty for any.
    pub code: &'static str,
    /// The operation; empty for any.
    pub operation: &'static str,
}

/// What an answer means.
#[derive(Debug, Clone, Copy)]
pub struct Class {
    /// The kind of error.
    pub kind: ErrorKind,
    /// The least time to wait, where the provider's meaning implies one and no header says better.
    pub wait: Option<Duration>,
    /// What happened and what to do next; empty for the kind's own sentence.
    pub message: &'static str,
}

impl Rule {
    /// A row for a status and a code.
    pub const fn new(status: u16, code: &'static str, kind: ErrorKind, message: &'static str) -> Self {
        Self { when: RuleMatch { status, code, operation: "" }, then: Class { kind, wait: None, message } }
    }

    /// Fits this operation alone.
    pub const fn on(mut self, operation: &'static str) -> Self {
        self.when.operation = operation;
        self
    }

    /// Implies a least time to wait.
    pub const fn wait(mut self, wait: Duration) -> Self {
        self.then.wait = Some(wait);
        self
    }

    fn fits(&self, operation: &str, status: u16, codes: &[&str]) -> bool {
        let RuleMatch { status: at, code, operation: on } = self.when;
        (at == 0 || at == status)
            && (code.is_empty() || codes.iter().any(|given| given.eq_ignore_ascii_case(code)))
            && (on.is_empty() || on == operation)
    }
}

/// Reads a table: the first row that fits, else the uniform meaning of the status.
///
/// `codes` are the provider's words in the answer, the most telling first.
pub fn classify(rules: &[Rule], operation: &str, status: StatusCode, codes: &[&str]) -> Class {
    rules
        .iter()
        .find(|rule| rule.fits(operation, status.as_u16(), codes))
        .map_or_else(|| uniform(status), |rule| rule.then)
}

/// What a status means where the provider has said nothing about it.
pub fn uniform(status: StatusCode) -> Class {
    let kind = match status.as_u16() {
        401 => ErrorKind::TokenExpired,
        403 => ErrorKind::InsufficientPermissions,
        404 | 410 => ErrorKind::NotFound,
        405 | 501 => ErrorKind::UnsupportedOperation,
        408 | 504 => ErrorKind::Timeout,
        409 | 412 | 423 | 425 | 428 => ErrorKind::Conflict,
        429 | 509 => ErrorKind::RateLimited,
        500..=599 => ErrorKind::ServiceUnavailable,
        _ => ErrorKind::InvalidRequest,
    };
    let message = if status.is_redirection() { "the provider redirects, which is not followed" } else { "" };
    Class { kind, wait: None, message }
}

impl Failure<'_> {
    /// Makes an error of what the answer means. The provider's message is not shown: it may quote the
    /// request, and with it the user's data.
    pub fn error(&self, class: Class, code: Option<&str>) -> Error {
        let mut error = Error::new(class.kind, class.message)
            .with_operation(self.operation)
            .with_status(self.status.as_u16());
        if let Some(code) = code.filter(|code| is_code(code)) {
            error = error.with_code(code.to_owned());
        }
        if let Some(wait) = self.retry_after().or(class.wait) {
            error = error.with_retry_after(wait);
        }
        if let Some(id) = self.request_id() {
            error = error.with_request_id(id);
        }
        error
    }

    /// `Retry-After` in seconds (RFC 9110, 10.2.3).
    fn retry_after(&self) -> Option<Duration> {
        let value = self.headers.get(http::header::RETRY_AFTER)?.to_str().ok()?;
        value.trim().parse().ok().map(Duration::from_secs)
    }

    fn request_id(&self) -> Option<&str> {
        ["x-request-id", "request-id", "x-goog-request-id", "x-github-request-id"]
            .iter()
            .find_map(|name| self.headers.get(*name))
            .and_then(|id| id.to_str().ok())
            .filter(|id| is_id(id))
    }
}

/// Whether it is a word of a vocabulary or a number, and not a token or something that a user wrote.
fn is_code(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'.');
    (1..=64).contains(&text.len()) && text.bytes().all(word)
        || (1..=12).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether it is an opaque id, fit for a log.
fn is_id(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &[Rule] = &[
        Rule::new(403, "rateLimitExceeded", ErrorKind::RateLimited, ""),
        Rule::new(404, "", ErrorKind::CursorExpired, "").on("history.list"),
    ];

    #[test]
    fn the_first_row_that_fits_wins_and_the_uniform_meaning_stands_behind() {
        let kind = |operation, status, codes: &[&str]| {
            classify(RULES, operation, StatusCode::from_u16(status).unwrap(), codes).kind
        };
        assert_eq!(kind("x", 403, &["RATELIMITEXCEEDED"]), ErrorKind::RateLimited);
        assert_eq!(kind("x", 403, &["other"]), ErrorKind::InsufficientPermissions);
        assert_eq!(kind("history.list", 404, &[]), ErrorKind::CursorExpired);
        assert_eq!(kind("x", 404, &[]), ErrorKind::NotFound);
        assert_eq!(kind("x", 302, &[]), ErrorKind::InvalidRequest);
        assert_eq!(kind("x", 599, &[]), ErrorKind::ServiceUnavailable);
    }

    #[test]
    fn what_a_user_wrote_is_no_code() {
        let headers = HeaderMap::new();
        let failure =
            Failure { operation: "x", status: StatusCode::BAD_REQUEST, headers: &headers, body: b"" };
        let error = failure.error(uniform(StatusCode::BAD_REQUEST), Some("Lunch with Bob?"));
        assert_eq!(error.provider_code(), None);
    }
}
