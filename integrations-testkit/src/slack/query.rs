//! Which arguments does a call of the Web API carry?

use http::Method as HttpMethod;
use http::header::CONTENT_TYPE;

use super::channel::Kind;
use super::errors::{argument, refused};
use super::method::PageSize;
use super::ts::Ts;
use crate::params::Params;
use crate::server::{Call, Reply};

/// The arguments of a call. It has no `Debug`: it may hold a token.
pub(super) struct Query(Params);

impl Query {
    /// GET has its arguments in the query; POST has them in a form as well. These methods take no JSON, so
    /// what stands in such a body is not seen.
    pub(super) fn of(call: &Call) -> Result<Self, Reply> {
        let mut encoded = call.query.clone().into_bytes();
        if call.method == HttpMethod::POST && !call.body.is_empty() {
            let kind = call.header(CONTENT_TYPE).ok_or_else(|| refused("missing_post_type"))?;
            match kind.split(';').next().unwrap_or_default().trim() {
                "application/x-www-form-urlencoded" => {
                    encoded.push(b'&');
                    encoded.extend_from_slice(&call.body);
                }
                "application/json" => {}
                _ => return Err(refused("invalid_post_type")),
            }
        }
        Ok(Self(Params::parse(&encoded)))
    }

    /// Refuses what stands twice, and what the fake would ignore.
    pub(super) fn check(&self, known: &[&str]) -> Result<(), Reply> {
        if let Some(name) = self.0.repeated() {
            return Err(argument(&format!("given twice: {name}")));
        }
        match self.0.iter().find(|(name, _)| *name != "token" && !known.contains(name)) {
            Some((name, _)) => Err(argument(&format!("the fake does not support: {name}"))),
            None => Ok(()),
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter()
    }

    pub(super) fn needed(&self, name: &str) -> Result<&str, Reply> {
        let given = self.get(name).filter(|value| !value.is_empty());
        given.ok_or_else(|| argument(&format!("missing required field: {name}")))
    }

    pub(super) fn flag(&self, name: &str) -> Result<bool, Reply> {
        match self.get(name) {
            None | Some("false" | "0") => Ok(false),
            Some("true" | "1") => Ok(true),
            Some(_) => Err(argument(&format!("must be a boolean: {name}"))),
        }
    }

    /// `limit`; `None` where everything is to be sent at once.
    pub(super) fn limit(&self, page: PageSize) -> Result<Option<usize>, Reply> {
        let Some(text) = self.get("limit") else { return Ok(page.usual) };
        match text.parse::<usize>() {
            Ok(limit) if (1..=page.most).contains(&limit) => Ok(Some(limit)),
            _ => Err(refused("invalid_limit")),
        }
    }

    /// The cursor of a further page; an empty one is none.
    pub(super) fn cursor(&self) -> Option<&str> {
        self.get("cursor").filter(|cursor| !cursor.is_empty())
    }

    /// The first and the last microsecond of the range that is asked for.
    pub(super) fn range(&self) -> Result<(u64, u64), Reply> {
        let inclusive = self.flag("inclusive")?;
        let bound = |name: &str, code: &str| match self.get(name) {
            None => Ok(None),
            Some(text) => Ts::parse_bound(text).map(Some).ok_or_else(|| refused(code)),
        };
        let oldest = bound("oldest", "invalid_ts_oldest")?;
        let latest = bound("latest", "invalid_ts_latest")?;
        let step = u64::from(!inclusive);
        Ok((
            oldest.map_or(0, |oldest| oldest.0 + step),
            latest.map_or(u64::MAX, |latest| latest.0.saturating_sub(step)),
        ))
    }

    /// `types`, each once.
    pub(super) fn types(&self) -> Result<Vec<Kind>, Reply> {
        let Some(text) = self.get("types") else { return Ok(vec![Kind::Public]) };
        let mut kinds = Vec::new();
        for name in text.split(',').map(str::trim) {
            let kind = Kind::ALL.into_iter().find(|kind| kind.type_name() == name);
            let kind = kind.ok_or_else(|| refused("invalid_types"))?;
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        Ok(kinds)
    }
}
