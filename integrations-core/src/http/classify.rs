//! What does an answer that is no success mean?
//!
//! Each provider states its failures as ONE table of [`Rule`]s; this engine reads it from the top and
//! takes the first row that fits, and what no row names follows the uniform meaning of the status.
//! What a provider says in an answer of status 200, or in a part of a batch, goes through the same table.

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use serde_json::Value;

use super::transport::Response;
use crate::error::{Error, ErrorKind};

/// A body that tells of a failure is small; of one past 1 MiB nothing is read.
const MAX_BODY: usize = 1 << 20;

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
    /// What the headers must hold.
    pub header: HeaderMatch,
    /// A phrase in the provider's text, in lower case, compared without case; empty for any. For
    /// providers that state a meaning in words alone.
    pub phrase: &'static str,
}

/// What the headers of an answer must hold. Values are compared without case.
#[derive(Debug, Clone, Copy)]
pub enum HeaderMatch {
    /// Anything.
    Any,
    /// A header of this name.
    Present(&'static str),
    /// A header of this name with exactly this value.
    Is(&'static str, &'static str),
    /// A header of this name whose value holds this.
    Contains(&'static str, &'static str),
}

/// What a provider says about a failure, in its own words. Compared, and never shown but for a code.
#[derive(Debug, Clone, Default)]
pub struct Words {
    codes: Vec<String>,
    text: String,
}

/// What an answer means.
#[derive(Debug, Clone, Copy)]
pub struct Class {
    /// The kind of error.
    pub kind: ErrorKind,
    /// The least time to wait, where the provider's meaning implies one and no header says better.
    pub wait: Option<Duration>,
    /// Whether the provider surely did nothing of what was asked: the request may be sent again even if
    /// it is not idempotent.
    pub not_processed: bool,
    /// The code to show, where the provider has a phrase or a header and no code of its own.
    pub code: &'static str,
    /// What happened and what to do next; empty for the kind's own sentence.
    pub message: &'static str,
}

impl Class {
    const fn new(kind: ErrorKind, message: &'static str) -> Self {
        Self { kind, wait: None, not_processed: false, code: "", message }
    }
}

impl Rule {
    /// A row for a status and a code.
    pub const fn new(status: u16, code: &'static str, kind: ErrorKind, message: &'static str) -> Self {
        let when = RuleMatch { status, code, operation: "", header: HeaderMatch::Any, phrase: "" };
        Self { when, then: Class::new(kind, message) }
    }

    /// Fits this operation alone.
    pub const fn on(mut self, operation: &'static str) -> Self {
        self.when.operation = operation;
        self
    }

    /// Fits answers with this header alone.
    pub const fn with(mut self, header: HeaderMatch) -> Self {
        self.when.header = header;
        self
    }

    /// Fits answers whose text holds this phrase alone, which is given in lower case.
    pub const fn saying(mut self, phrase: &'static str) -> Self {
        self.when.phrase = phrase;
        self
    }

    /// Implies a least time to wait.
    pub const fn wait(mut self, wait: Duration) -> Self {
        self.then.wait = Some(wait);
        self
    }

    /// Implies that nothing was done of what was asked.
    pub const fn not_processed(mut self) -> Self {
        self.then.not_processed = true;
        self
    }

    /// Gives the failure a code, where the provider has none.
    pub const fn named(mut self, code: &'static str) -> Self {
        self.then.code = code;
        self
    }

    fn fits(&self, operation: &str, status: u16, codes: &[impl AsRef<str>]) -> bool {
        let RuleMatch { status: at, code, operation: on, .. } = self.when;
        (at == 0 || at == status)
            && (code.is_empty() || codes.iter().any(|given| given.as_ref().eq_ignore_ascii_case(code)))
            && (on.is_empty() || on == operation)
    }
}

impl HeaderMatch {
    fn fits(self, headers: &HeaderMap) -> bool {
        let any = |name: &str, fits: &dyn Fn(&[u8]) -> bool| {
            headers.get_all(name).iter().any(|value| fits(value.as_bytes()))
        };
        match self {
            Self::Any => true,
            Self::Present(name) => headers.contains_key(name),
            Self::Is(name, value) => any(name, &|given| given.eq_ignore_ascii_case(value.as_bytes())),
            Self::Contains(name, part) => any(name, &|given| {
                given.windows(part.len().max(1)).any(|window| window.eq_ignore_ascii_case(part.as_bytes()))
            }),
        }
    }
}

impl Words {
    /// Adds a code: a string or a number. Anything else, and an empty string, is none.
    pub fn code(mut self, code: &Value) -> Self {
        match code {
            Value::String(code) if !code.is_empty() => self.codes.push(code.clone()),
            Value::Number(code) => self.codes.push(code.to_string()),
            _ => {}
        }
        self
    }

    /// Adds codes, the most telling first.
    pub fn codes<'v>(self, codes: impl IntoIterator<Item = &'v Value>) -> Self {
        codes.into_iter().fold(self, Self::code)
    }

    /// Adds text to look for phrases in. Anything but a string is none.
    pub fn text(mut self, text: &Value) -> Self {
        if let Some(text) = text.as_str() {
            self.text.push_str(&text.to_ascii_lowercase());
            self.text.push('\n');
        }
        self
    }

    /// Whether the provider has said nothing at all.
    pub fn is_empty(&self) -> bool {
        self.codes.is_empty() && self.text.is_empty()
    }
}

/// Reads a table by codes alone: the first row that fits and asks for neither header nor phrase, else the
/// uniform meaning of the status.
///
/// `codes` are the provider's words in the answer, the most telling first.
pub fn classify(rules: &[Rule], operation: &str, status: StatusCode, codes: &[&str]) -> Class {
    rules
        .iter()
        .filter(|rule| matches!(rule.when.header, HeaderMatch::Any) && rule.when.phrase.is_empty())
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
    // A token is checked, and calls are counted, before anything is done.
    let not_processed = matches!(kind, ErrorKind::TokenExpired | ErrorKind::RateLimited);
    Class { not_processed, ..Class::new(kind, message) }
}

impl<'a> Failure<'a> {
    /// The failure that an answer tells of.
    pub fn of(operation: &'static str, answer: &'a Response) -> Self {
        Self { operation, status: answer.status, headers: &answer.headers, body: &answer.body }
    }

    /// The body, as far as it is JSON; `Null` otherwise, e.g. for the HTML page of a proxy.
    pub fn json(&self) -> Value {
        if self.body.len() > MAX_BODY {
            return Value::Null;
        }
        serde_json::from_slice(self.body).unwrap_or_default()
    }

    /// Which row of a table decides: the first that fits.
    pub fn row(&self, rules: &[Rule], words: &Words) -> Option<usize> {
        rules.iter().position(|rule| {
            rule.fits(self.operation, self.status.as_u16(), &words.codes)
                && rule.when.header.fits(self.headers)
                && (rule.when.phrase.is_empty() || words.text.contains(rule.when.phrase))
        })
    }

    /// Makes an error of what the provider says, by its table; what no row names follows the uniform
    /// meaning of the status.
    pub fn by(&self, rules: &[Rule], words: &Words) -> Error {
        let rule = self.row(rules, words).and_then(|row| rules.get(row));
        let class = rule.map_or_else(|| uniform(self.status), |rule| rule.then);
        // The code that decided is the most telling; the table names it, so it may be shown.
        let known = rule.map(|rule| [rule.then.code, rule.when.code]).unwrap_or_default();
        match known.into_iter().find(|code| !code.is_empty()) {
            Some(code) => self.error(class, None).with_code(code),
            None => self.error(class, words.codes.first().map(String::as_str)),
        }
    }

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
        if class.not_processed {
            error = error.with_not_processed();
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

    use http::HeaderValue;
    use serde_json::json;

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

    const TABLE: &[Rule] = &[
        Rule::new(403, "", ErrorKind::AccountSuspended, "").saying("was suspended").named("suspended"),
        Rule::new(403, "", ErrorKind::RateLimited, "")
            .with(HeaderMatch::Is("x-ratelimit-remaining", "0"))
            .wait(Duration::from_secs(60))
            .not_processed(),
        Rule::new(0, "", ErrorKind::InsufficientPermissions, "")
            .with(HeaderMatch::Contains("x-sso", "required")),
        Rule::new(410, "", ErrorKind::CursorExpired, "").with(HeaderMatch::Present("location")),
        Rule::new(0, "known", ErrorKind::Conflict, ""),
    ];

    fn judged(status: u16, header: (&'static str, &'static str), body: &Value) -> Error {
        let mut headers = HeaderMap::new();
        headers.insert(header.0, HeaderValue::from_static(header.1));
        let body = body.to_string();
        let status = StatusCode::from_u16(status).unwrap();
        let failure = Failure { operation: "x", status, headers: &headers, body: body.as_bytes() };
        let said = failure.json();
        failure.by(TABLE, &Words::default().code(&said["code"]).text(&said["message"]))
    }

    #[test]
    fn a_row_may_ask_for_a_header_or_a_phrase() {
        let none = ("x-none", "");
        let kind = |status, header, body: &Value| judged(status, header, body).kind();
        let suspended = judged(403, none, &json!({"message": "Sorry. Your account Was Suspended."}));
        assert_eq!(suspended.kind(), ErrorKind::AccountSuspended);
        assert_eq!(suspended.provider_code(), Some("suspended"));
        let limited = judged(403, ("x-ratelimit-remaining", "0"), &json!({}));
        assert_eq!((limited.kind(), limited.retry_after()), (ErrorKind::RateLimited, TABLE[1].then.wait));
        let left = ("x-ratelimit-remaining", "4990");
        assert_eq!(kind(403, left, &json!({})), ErrorKind::InsufficientPermissions);
        assert_eq!(kind(200, ("x-sso", "Required; url=x"), &json!({})), ErrorKind::InsufficientPermissions);
        assert_eq!(kind(410, ("location", "x"), &json!({})), ErrorKind::CursorExpired);
        assert_eq!(kind(410, none, &json!({})), ErrorKind::NotFound);
    }

    #[test]
    fn the_code_that_decided_is_shown_and_text_is_not() {
        let error = judged(200, ("x-none", ""), &json!({"code": "KNOWN", "message": "Lunch with Bob"}));
        assert_eq!(error.provider_code(), Some("known"));
        assert!(!format!("{error:?}").contains("Bob"));
        assert_eq!(judged(400, ("x-none", ""), &json!({"code": 4711})).provider_code(), Some("4711"));
        assert_eq!(judged(400, ("x-none", ""), &json!({"code": "xoxb-17"})).provider_code(), None);
    }

    #[test]
    fn a_body_that_is_no_json_or_too_long_says_nothing() {
        let headers = HeaderMap::new();
        let long = format!("\"{}\"", "x".repeat(MAX_BODY));
        for body in ["<html>", "", "{\"code\":", &long] {
            let status = StatusCode::BAD_GATEWAY;
            let failure = Failure { operation: "x", status, headers: &headers, body: body.as_bytes() };
            assert!(failure.json().is_null());
        }
    }

    #[test]
    fn what_is_counted_or_refused_before_the_work_may_be_sent_again() {
        let again = |status| uniform(StatusCode::from_u16(status).unwrap()).not_processed;
        assert!(again(429) && again(401));
        assert!(judged(401, ("x-none", ""), &json!({})).not_processed());
        assert!(!again(500) && !again(503) && !again(409));
    }
}
