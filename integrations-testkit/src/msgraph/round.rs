//! How does a delta round begin, pause, end and go on?
//!
//! A round is a full one or one of changes. Its pages are linked by `$skiptoken`; the last has a link with a
//! `$deltatoken`, with which the next round begins. Links carry everything, so a client that adds a parameter
//! to one has not understood them, and is refused.

use super::Graph;
use super::SyncLoss;
use super::errors::Refusal;
use super::page::{Items, address, size};
use super::prefer::Preferences;
use super::query::Query;
use super::tokens::{Cursor, Kind};
use crate::random::hash_text;
use crate::server::{Call, Reply};

/// The collection that a round is about, and how it stands.
#[derive(Debug)]
pub(super) struct Target {
    /// Where the round is served.
    pub(super) path: String,
    pub(super) version: u64,
    /// Which generations of `$deltatoken` and `$skiptoken` are in force.
    pub(super) epochs: (u32, u32),
    pub(super) loss: SyncLoss,
}

/// What the first request of a round says.
#[derive(Debug, Default)]
pub(super) struct Request {
    pub(super) top: Option<usize>,
    pub(super) select: u64,
    pub(super) window: (i64, i64),
}

/// One request for a page of a round. It has no `Debug`: the call holds a token.
pub(super) struct Round<'a> {
    pub(super) cursor: Cursor,
    target: &'a Target,
    call: &'a Call,
    /// Whether a page came before this one.
    continued: bool,
}

impl<'a> Round<'a> {
    pub(super) fn begin(
        graph: &Graph,
        call: &'a Call,
        query: &Query,
        target: &'a Target,
        request: impl FnOnce() -> Result<Request, Refusal>,
    ) -> Result<Self, Refusal> {
        let fresh = Cursor {
            kind: Kind::Everything,
            paused: false,
            collection: hash_text(&target.path),
            epoch: target.epochs.1,
            top: 0,
            upto: target.version,
            next: 0,
            day: 0,
            select: 0,
            window: (0, 0),
        };
        let (skip, delta) = (query.get("$skiptoken"), query.get("$deltatoken"));
        let Some(token) = skip.or(delta) else {
            let Request { top, select, window } = request()?;
            let top = u32::try_from(top.unwrap_or(0)).unwrap_or(0);
            let cursor = Cursor { top, select, window, ..fresh };
            return Ok(Self { cursor, target, call, continued: false });
        };
        if query.names().count() > 1 {
            let text = "A link of a round is to be followed as it is: no parameter may be added to it.";
            return Err(Refusal::new(400, "ErrorInvalidUrlQuery", text));
        }
        let cursor = graph
            .codec
            .decode(token)
            .filter(|cursor| (cursor.kind == Kind::End) == skip.is_none())
            .filter(|cursor| cursor.collection == fresh.collection)
            .ok_or_else(|| Refusal::of(400, "SyncStateInvalid"))?;
        let epoch = if cursor.kind == Kind::End { target.epochs.0 } else { target.epochs.1 };
        if cursor.epoch != epoch {
            return Err(lost(call, target, &cursor));
        }
        let cursor = match cursor.kind {
            Kind::End => {
                let (kind, epoch) = (Kind::Changes, fresh.epoch);
                Cursor { kind, epoch, next: cursor.upto + 1, upto: target.version, ..cursor }
            }
            _ => cursor,
        };
        Ok(Self { cursor, target, call, continued: skip.is_some() })
    }

    /// Answers with a page. `page` fills it, and says where the round goes on.
    pub(super) fn reply(
        self,
        graph: &Graph,
        prefer: &Preferences,
        context: &str,
        page: impl FnOnce(&Cursor, &mut Items) -> Option<Cursor>,
    ) -> Reply {
        let top = usize::try_from(self.cursor.top).ok().filter(|top| *top > 0);
        let mut items = Items::begin(context, size(graph, prefer, top));
        let pausing = graph.empty_pages && !self.cursor.paused;
        let next = if pausing && self.continued {
            Some(Cursor { paused: true, ..self.cursor })
        } else {
            let next = page(&self.cursor, &mut items);
            // Even a short round has its empty page when empty pages are wanted.
            next.or_else(|| pausing.then(|| self.behind()))
        };
        if graph.repeated_items {
            items.repeat();
        }
        let (link, parameter, cursor) = if let Some(next) = next {
            ("nextLink", "$skiptoken", next)
        } else {
            let (kind, epoch) = (Kind::End, self.target.epochs.0);
            let end = Cursor { kind, epoch, paused: false, next: 0, day: 0, ..self.cursor };
            ("deltaLink", "$deltatoken", end)
        };
        let path = format!("{}?{parameter}={}", self.target.path, graph.codec.encode(&cursor));
        prefer.applied(items.reply(Some((link, address(self.call, &path)))), true)
    }

    /// The place behind everything.
    fn behind(&self) -> Cursor {
        let next = if self.cursor.kind == Kind::Everything { u64::MAX } else { self.cursor.upto + 1 };
        Cursor { next, day: 0, ..self.cursor }
    }
}

/// The answer to a token that is too old.
fn lost(call: &Call, target: &Target, cursor: &Cursor) -> Refusal {
    let [start, end] = [cursor.window.0, cursor.window.1].map(super::text::instant);
    let fresh = match cursor.window {
        (_, 0) => target.path.clone(),
        _ => format!("{}?startDateTime={start}&endDateTime={end}", target.path),
    };
    match target.loss {
        SyncLoss::SyncStateNotFound => Refusal::of(410, "SyncStateNotFound").location(address(call, &fresh)),
        SyncLoss::ResyncRequired => Refusal::of(410, "resyncRequired").location(address(call, &fresh)),
        SyncLoss::SyncStateInvalid => Refusal::of(400, "SyncStateInvalid"),
    }
}
