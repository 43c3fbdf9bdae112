//! Which conversations may a connection see?
//!
//! A token opens each type of conversation with a scope of its own. Which scopes it has is said by the header
//! `x-oauth-scopes` of the answers, and by the refusal of a call that asks for too much.

use std::collections::HashSet;

use http::HeaderMap;
use integrations_core::adapter::{Next, Page, Stream};
use integrations_core::http::{Judge, Response};
use integrations_core::model::ChannelKind;
use integrations_core::sync::Cursor;
use integrations_core::{Error, ErrorKind, Result, json};
use serde::{Deserialize, Serialize};

use super::api::{Api, Listing, Method, unreadable};
use super::wire::WireRefusal;
use super::{channels, mark};
use crate::classify;
use crate::config::scope;
use crate::limits::ENTRIES_PER_PAGE;

const SCOPES: &str = "x-oauth-scopes";
const LACKING: &str = "missing_scope";

/// A type of conversations: its name in `types`, the scope that lists it, the scope that reads its messages, and
/// what it is in the model.
struct Type(&'static str, &'static str, &'static str, ChannelKind);

#[rustfmt::skip]
const TYPES: &[Type] = &[
    Type("public_channel",  scope::CHANNELS_READ, scope::CHANNELS_HISTORY, ChannelKind::Public),
    Type("private_channel", scope::GROUPS_READ,   scope::GROUPS_HISTORY,   ChannelKind::Private),
    Type("mpim",            scope::MPIM_READ,     scope::MPIM_HISTORY,     ChannelKind::Group),
    Type("im",              scope::IM_READ,       scope::IM_HISTORY,       ChannelKind::Direct),
];

/// What a token is good for, where Slack has said so.
#[derive(Debug, Default)]
pub(super) struct Granted(Option<Vec<String>>);

impl Granted {
    fn of(scopes: &str) -> Self {
        Self(Some(scopes.split(',').map(|scope| scope.trim().to_owned()).collect()))
    }

    /// What the headers of an answer say.
    fn told(headers: &HeaderMap) -> Self {
        let told = headers.get(SCOPES).and_then(|scopes| scopes.to_str().ok()).map(Self::of);
        // Tokens of former times have scopes with other names, which say nothing of these.
        let known = |Self(scopes): &Self| {
            TYPES.iter().any(|Type(_, read, ..)| scopes.iter().flatten().any(|name| name == read))
        };
        told.filter(known).unwrap_or_default()
    }

    /// Whether the token has a scope, or may have it.
    pub(super) fn has(&self, scope: &str) -> bool {
        self.0.as_ref().is_none_or(|scopes| scopes.iter().any(|granted| granted == scope))
    }

    /// Whether the messages of such conversations may be read.
    fn reads(&self, kind: &ChannelKind) -> bool {
        TYPES.iter().find(|Type(.., of)| of == kind).is_none_or(|Type(_, _, history, _)| self.has(history))
    }

    /// Whether conversations of any type may be listed.
    pub(super) fn lists_any(&self) -> bool {
        TYPES.iter().any(|Type(_, read, ..)| self.has(read))
    }

    /// The types that may be listed, as `types` names them.
    fn types(&self) -> String {
        let granted = TYPES.iter().filter(|Type(_, read, ..)| self.has(read));
        granted.map(|Type(name, ..)| *name).collect::<Vec<_>>().join(",")
    }
}

/// Where a listing of conversations stands.
#[derive(Serialize, Deserialize)]
struct Place {
    /// What the first page was asked for, which must stay the same.
    types: String,
    cursor: String,
}

/// The first page, of all types that the token opens.
struct First {
    /// `None`, if it opens none.
    page: Option<Listing>,
    types: String,
    granted: Granted,
}

/// The streams of the conversations whose messages may be read, and what the token is good for.
pub(super) async fn streams(api: Api<'_>) -> Result<(Vec<Stream>, Granted)> {
    let mut streams = Vec::new();
    let mut seen = HashSet::new();
    let First { mut page, types, granted } = first(api).await?;
    while let Some(Listing { items, next, .. }) = page {
        let read = items.iter().filter_map(channels::stream);
        streams.extend(read.filter(|(_, kind)| granted.reads(kind)).map(|(stream, _)| stream));
        page = match next {
            Some(next) if seen.insert(next.clone()) => Some(list(api, &types, Some(&next)).await?),
            Some(_) => return Err(unreadable("the list of conversations has no end", Method::CONVERSATIONS)),
            None => None,
        };
    }
    Ok((streams, granted))
}

/// A page of the conversations themselves.
pub(super) async fn page(api: Api<'_>, cursor: Option<&Cursor>) -> Result<Page> {
    let (page, types) = match cursor {
        Some(cursor) => {
            let Place { types, cursor } = mark::read(cursor)?;
            (list(api, &types, Some(&cursor)).await?, types)
        }
        None => match first(api).await? {
            First { page: Some(page), types, .. } => (page, types),
            First { page: None, .. } => return Err(lacking()),
        },
    };
    let next = match page.next {
        Some(cursor) => Next::Page(mark::write(&Place { types, cursor })?),
        None => Next::Listed,
    };
    Ok(Page::new(page.items, next))
}

fn lacking() -> Error {
    Error::new(ErrorKind::InsufficientPermissions, "the grant lacks every scope that lists conversations")
        .with_operation(Method::CONVERSATIONS.name)
        .with_code(LACKING)
}

async fn first(api: Api<'_>) -> Result<First> {
    let types = Granted::default().types();
    let answer = send(api, &types, None, Some(judge_leniently)).await?;
    let refusal: WireRefusal = json::decode(&answer.body, Method::CONVERSATIONS.name)?;
    let told = Granted::told(&answer.headers);
    if refusal.ok {
        let page = Some(Listing::read(Method::CONVERSATIONS, &answer)?);
        return Ok(First { page, types, granted: told });
    }
    let granted = refusal.provided.as_deref().filter(|scopes| !scopes.is_empty()).map_or(told, Granted::of);
    let types = if granted.0.is_some() { granted.types() } else { tried(api).await? };
    let page = if types.is_empty() { None } else { Some(list(api, &types, None).await?) };
    Ok(First { page, types, granted })
}

/// The types that can be listed, found by trying each.
async fn tried(api: Api<'_>) -> Result<String> {
    let mut types = Vec::new();
    for Type(name, ..) in TYPES {
        match list(api, name, None).await {
            Ok(_) => types.push(*name),
            Err(error) if error.provider_code() == Some(LACKING) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(types.join(","))
}

async fn list(api: Api<'_>, types: &str, cursor: Option<&str>) -> Result<Listing> {
    Listing::read(Method::CONVERSATIONS, &send(api, types, cursor, None).await?)
}

/// Archived conversations are listed, too.
async fn send(api: Api<'_>, types: &str, cursor: Option<&str>, judge: Option<Judge>) -> Result<Response> {
    let limit = ENTRIES_PER_PAGE.to_string();
    let parameters = [("types", Some(types)), ("limit", Some(&*limit)), ("cursor", cursor)];
    api.send(Method::CONVERSATIONS, &parameters, judge).await
}

/// A scope that is missing is no failure yet.
fn judge_leniently(operation: &'static str, answer: &Response) -> Result<()> {
    match classify::judge(operation, answer) {
        Err(error) if error.provider_code() == Some(LACKING) => Ok(()),
        outcome => outcome,
    }
}
