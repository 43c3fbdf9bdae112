//! Which parameters does a call carry?

use super::errors::{invalid, unsupported};
use super::json::parse_time;
use super::operation::Row;
use crate::params::Params;
use crate::server::{Call, Reply};

/// The parameters of a call.
pub(super) struct Query {
    params: Params,
    docs: &'static str,
}

impl Query {
    /// Refuses what the fake does not know, and what stands twice.
    pub(super) fn of(call: &Call, row: &Row) -> Result<Self, Reply> {
        let params = Params::parse(call.query.as_bytes());
        if let Some((name, _)) = params.iter().find(|(name, _)| !row.parameters.contains(name)) {
            return Err(unsupported(name));
        }
        if let Some(name) = params.repeated() {
            return Err(unsupported(&format!("{name} twice")));
        }
        Ok(Self { params, docs: row.docs })
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.params.get(name)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.params.iter()
    }

    /// One of several words, the first of them when none is given. GitHub falls back to it also when it does
    /// not know the word, and says nothing; the fake says it.
    pub(super) fn word<'a>(&self, name: &str, words: &[&'a str]) -> Result<&'a str, Reply> {
        let Some(given) = self.get(name) else { return Ok(words[0]) };
        let known = words.iter().find(|word| **word == given);
        known.copied().ok_or_else(|| unsupported(&format!("{name}={given}")))
    }

    /// The state of issues and the like; GitHub refuses a wrong one.
    pub(super) fn state(&self, resource: &str) -> Result<Option<bool>, Reply> {
        match self.get("state") {
            None | Some("open") => Ok(Some(true)),
            Some("closed") => Ok(Some(false)),
            Some("all") => Ok(None),
            Some(other) => Err(invalid(resource, "state", other, self.docs)),
        }
    }

    /// Whether a listing goes down; without a word it goes as `usual` says.
    pub(super) fn descends(&self, usual: bool) -> Result<bool, Reply> {
        let words = if usual { ["desc", "asc"] } else { ["asc", "desc"] };
        Ok(self.word("direction", &words)? == "desc")
    }

    pub(super) fn flag(&self, name: &str) -> Result<bool, Reply> {
        Ok(self.word(name, &["false", "true"])? == "true")
    }

    /// A point in time, in seconds.
    pub(super) fn time(&self, name: &str) -> Result<Option<i64>, Reply> {
        match self.get(name) {
            None => Ok(None),
            Some(text) => match parse_time(text) {
                Some(time) => Ok(Some(time)),
                None => Err(invalid("Search", name, text, self.docs)),
            },
        }
    }

    /// How many items a page has: as at GitHub, what is too much is cut, and what is no number is ignored.
    pub(super) fn per_page(&self, usual: usize, most: usize) -> usize {
        let given = self.get("per_page").and_then(|text| text.parse::<i64>().ok());
        let given = given.and_then(|given| usize::try_from(given).ok()).filter(|given| *given > 0);
        given.unwrap_or(usual).min(most)
    }

    /// The page, from one.
    pub(super) fn page(&self) -> Result<u64, Reply> {
        let Some(text) = self.get("page") else { return Ok(1) };
        let page: i64 = text.parse().map_err(|_| unsupported(&format!("page={text}")))?;
        Ok(u64::try_from(page).unwrap_or(0).max(1))
    }
}
