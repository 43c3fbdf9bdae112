//! Which parameters does a call carry?

use chrono::{NaiveDate, NaiveTime};
use chrono_tz::Tz;

use super::errors::{invalid, unsupported};
use super::operation::Row;
use super::time;
use crate::params::Params;
use crate::server::{Call, Reply};

/// How many items a page has, when nobody says, and at most.
const USUAL: usize = 30;
const MOST: usize = 300;

/// The parameters of a call.
pub(super) struct Query(Params);

impl Query {
    /// Refuses what the fake does not know, and what stands twice.
    pub(super) fn of(call: &Call, row: &Row) -> Result<Self, Reply> {
        let params = Params::parse(call.query.as_bytes());
        if let Some((name, _)) = params.iter().find(|(name, _)| !row.parameters.contains(name)) {
            return Err(unsupported(name));
        }
        if let Some(name) = params.repeated() {
            return Err(invalid(name, "given twice"));
        }
        Ok(Self(params))
    }

    /// A parameter; an empty one is none.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).filter(|value| !value.is_empty())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter()
    }

    /// One of several words, the first of them when none is given.
    pub(super) fn word<'a>(&self, name: &str, words: &[&'a str]) -> Result<&'a str, Reply> {
        let Some(given) = self.get(name) else { return Ok(words[0]) };
        let known = words.iter().find(|word| **word == given);
        known.copied().ok_or_else(|| unsupported(&format!("{name}={given}")))
    }

    pub(super) fn flag(&self, name: &str) -> Result<bool, Reply> {
        Ok(self.word(name, &["false", "true"])? == "true")
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, Reply> {
        let number = |text: &str| text.parse().map_err(|_| invalid(name, "must be a number"));
        self.get(name).map(number).transpose()
    }

    pub(super) fn page_size(&self) -> Result<usize, Reply> {
        let size = self.number("page_size")?.map_or(Some(USUAL), |size| usize::try_from(size).ok());
        match size {
            Some(size) if (1..=MOST).contains(&size) => Ok(size),
            _ => Err(invalid("page_size", "must be between 1 and 300")),
        }
    }

    pub(super) fn date(&self, name: &str) -> Result<Option<NaiveDate>, Reply> {
        let date = |text: &str| {
            NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| invalid(name, "must be yyyy-mm-dd"))
        };
        self.get(name).map(date).transpose()
    }

    /// The seconds from the beginning of `from` to the end of `to`, in the zone of `timezone`.
    pub(super) fn range(&self) -> Result<Option<(i64, i64)>, Reply> {
        let (from, to) = (self.date("from")?, self.date("to")?);
        let zone: Tz = match self.get("timezone") {
            None => Tz::UTC,
            Some(name) => name.parse().map_err(|_| invalid("timezone", "must be an IANA name"))?,
        };
        if from.is_none() && to.is_none() {
            return Ok(None);
        }
        if let (Some(from), Some(to)) = (from, to)
            && from > to
        {
            return Err(invalid("from", "must not be after to"));
        }
        let midnight = |date: NaiveDate| time::in_zone(date.and_time(NaiveTime::MIN), zone).timestamp();
        let end = to.and_then(|to| to.succ_opt()).map_or(i64::MAX, midnight);
        Ok(Some((from.map_or(i64::MIN, midnight), end)))
    }
}
