//! Which parameters and credentials does a request carry?

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, CONTENT_TYPE};

use crate::server::Call;

const FORM: &str = "application/x-www-form-urlencoded";

/// The parameters of a query string or of a form. It has no `Debug`: it may hold tokens.
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    pub(crate) fn parse(encoded: &[u8]) -> Self {
        let own = |text: Cow<'_, str>| text.into_owned();
        Self(url::form_urlencoded::parse(encoded).map(|(name, value)| (own(name), own(value))).collect())
    }

    /// The form that a call posts; `None` when the body is something else.
    pub(crate) fn form(call: &Call) -> Option<Self> {
        let kind = call.header(CONTENT_TYPE)?;
        let essence = kind.split(';').next().unwrap_or_default().trim();
        essence.eq_ignore_ascii_case(FORM).then(|| Self::parse(&call.body))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Every value of a parameter that may stand more than once.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.iter().filter(move |(known, _)| *known == name).map(|(_, value)| value)
    }

    /// The first parameter that stands twice, which OAuth forbids (RFC 6749, 3.1).
    pub(crate) fn repeated(&self) -> Option<&str> {
        let repeats = |(index, (name, _)): (usize, &(String, String))| {
            self.0[..index].iter().any(|(earlier, _)| earlier == name)
        };
        self.0.iter().enumerate().find(|&pair| repeats(pair)).map(|(_, (name, _))| name.as_str())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Takes the parameters of these names out.
    pub(crate) fn take(&mut self, names: &[&str]) -> Self {
        Self(self.0.extract_if(.., |(name, _)| names.contains(&name.as_str())).collect())
    }
}

/// The token of a Bearer header (RFC 6750, 2.1).
pub(crate) fn bearer(call: &Call) -> Option<&str> {
    let (scheme, token) = call.header(AUTHORIZATION)?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim())
}

/// A client's name and secret from a Basic header, as they stand in it.
pub(crate) fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("Basic") {
        return None;
    }
    let joined = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = joined.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}

/// Whether one half of a Basic header says `expected`: form-encoded (RFC 6749, 2.3.1), or plain, as some
/// providers document it.
pub(crate) fn half_is(half: &str, expected: &str) -> bool {
    let spaced = half.replace('+', " ");
    half == expected
        || percent_encoding::percent_decode_str(&spaced).decode_utf8().is_ok_and(|t| t == expected)
}
