//! Which parameters does a request to one of the APIs carry?

use chrono::DateTime;

use super::errors;
use crate::server::Reply;

pub(super) use crate::params::Params as Query;

/// What every method of Google's has and the fake does not.
const UNSUPPORTED: [&str; 9] = [
    "$.xgafv",
    "access_token",
    "callback",
    "fields",
    "key",
    "oauth_token",
    "quotaUser",
    "uploadType",
    "upload_protocol",
];

impl Query {
    /// Refuses every parameter but these, and those of `once` that stand more than once.
    pub(super) fn only(&self, once: &[&str], repeated: &[&str]) -> Result<(), Reply> {
        for (name, value) in self.iter() {
            match name {
                "alt" if value == "json" => {}
                "alt" => return Err(errors::unsupported(name)),
                "prettyPrint" => {}
                _ if repeated.contains(&name) => {}
                _ if once.contains(&name) => {
                    if self.all(name).count() > 1 {
                        return Err(errors::argument(&format!("{name} must not be repeated")));
                    }
                }
                _ if UNSUPPORTED.contains(&name) => return Err(errors::unsupported(name)),
                _ => {
                    let message = format!(
                        "Invalid JSON payload received. Unknown name \"{name}\": Cannot bind query parameter."
                    );
                    return Err(errors::argument(&message));
                }
            }
        }
        Ok(())
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
