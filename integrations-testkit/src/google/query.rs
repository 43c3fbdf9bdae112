//! Which parameters does a request carry?

use std::borrow::Cow;

use chrono::DateTime;

use super::errors;
use crate::server::Reply;

/// The parameters of a query string or of a form. It has no `Debug`: it may hold tokens.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn parse(encoded: &[u8]) -> Self {
        let own = |text: Cow<'_, str>| text.into_owned();
        Self(url::form_urlencoded::parse(encoded).map(|(name, value)| (own(name), own(value))).collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The first parameter that stands twice, which OAuth forbids (RFC 6749, 3.1).
    pub(super) fn repeated(&self) -> Option<&str> {
        let repeats = |(index, (name, _)): (usize, &(String, String))| {
            self.0[..index].iter().any(|(earlier, _)| earlier == name)
        };
        self.0.iter().enumerate().find(|&pair| repeats(pair)).map(|(_, (name, _))| name.as_str())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub(super) fn flag(&self, name: &str) -> Result<bool, Reply> {
        match self.get(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(errors::parameter(400, "invalid", None, name)),
        }
    }

    /// An RFC 3339 time with its mandatory offset, in milliseconds.
    pub(super) fn time(&self, name: &str) -> Result<Option<i64>, Reply> {
        let Some(text) = self.get(name) else { return Ok(None) };
        match DateTime::parse_from_rfc3339(text) {
            Ok(time) => Ok(Some(time.timestamp_millis())),
            Err(_) => Err(errors::parameter(400, "badRequest", None, name)),
        }
    }

    /// `maxResults`: the default when absent, the maximum when more is asked for.
    pub(super) fn max_results(&self, default: usize, maximum: usize, cap: usize) -> Result<usize, Reply> {
        let asked = match self.get("maxResults") {
            None => default,
            Some(text) => match text.parse::<usize>() {
                Ok(asked) if asked > 0 => asked,
                _ => return Err(errors::parameter(400, "invalid", None, "maxResults")),
            },
        };
        Ok(asked.min(maximum).min(cap.max(1)))
    }
}
