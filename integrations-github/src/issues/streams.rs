//! Which repositories may a connection read?
//!
//! It depends on the token, and tokens say what they are by how they begin. Every listing is asked for with the
//! tag of the answer that the gateway keeps: while the repositories are the same, that costs nothing.

use std::collections::{BTreeMap, HashSet};

use http::HeaderMap;
use integrations_core::adapter::Stream;
use integrations_core::http::Response;
use integrations_core::model::Raw;
use integrations_core::{Error, ErrorKind, Result, json};
use serde::Deserialize;
use serde::de::IgnoredAny;
use url::Url;

use super::NOTIFICATIONS;
use super::api::{Api, items, next_page};
use crate::config::scope;
use crate::limits::PER_PAGE;

const OF_USER: &str = "repos.list-for-authenticated-user";
const INSTALLATIONS: &str = "apps.list-installations-for-authenticated-user";
const OF_INSTALLATION: &str = "apps.list-installation-repos-for-authenticated-user";
const OF_TOKEN: &str = "apps.list-repos-accessible-to-installation";

/// What a user may do, the most first.
const RIGHTS: [&str; 5] = ["admin", "maintain", "push", "triage", "pull"];

#[derive(Deserialize)]
struct Repository {
    id: u64,
    full_name: String,
    #[serde(default)]
    archived: bool,
    #[serde(default)]
    permissions: BTreeMap<String, bool>,
}

#[derive(Deserialize)]
struct Installation {
    id: u64,
    suspended_at: Option<String>,
}

/// A page whose items stand in a field.
#[derive(Deserialize)]
struct Repositories {
    #[serde(default, rename = "repositories")]
    _items: [IgnoredAny; 0],
}

#[derive(Deserialize)]
struct Installations {
    #[serde(default, rename = "installations")]
    _items: [IgnoredAny; 0],
}

/// The repositories, and the user's notifications where the token opens them.
pub(super) async fn list(api: Api<'_>) -> Result<Vec<Stream>> {
    let mut found = Found::default();
    if api.session.token_begins_with("ghs_").await? {
        let url = address(api, &["installation", "repositories"])?;
        each_page(api, OF_TOKEN, url, |answer| {
            found.take(in_field::<Repositories>(answer, "repositories", OF_TOKEN)?);
            Ok(())
        })
        .await?;
    } else if api.session.token_begins_with("ghu_").await? {
        of_installations(api, &mut found).await?;
    } else {
        let mut scopes = None;
        each_page(api, OF_USER, address(api, &["user", "repos"])?, |answer| {
            scopes = scopes_of(&answer.headers).or(scopes.take());
            found.take(items(answer, OF_USER)?);
            Ok(())
        })
        .await?;
        // Tokens that have permissions instead of scopes do not open them.
        let opens = |scopes: Vec<String>| {
            scopes.iter().any(|granted| [scope::NOTIFICATIONS, scope::REPO].contains(&granted.as_str()))
        };
        if scopes.is_some_and(opens) {
            found.streams.push(Stream::new(NOTIFICATIONS, "Notifications"));
        }
    }
    Ok(found.streams)
}

/// What a user of an app sees: the repositories of each installation that the user comes to.
async fn of_installations(api: Api<'_>, found: &mut Found) -> Result<()> {
    let mut installations = Vec::new();
    each_page(api, INSTALLATIONS, address(api, &["user", "installations"])?, |answer| {
        installations.extend(in_field::<Installations>(answer, "installations", INSTALLATIONS)?);
        Ok(())
    })
    .await?;
    for installation in installations {
        let Ok(Installation { id, suspended_at: None }) = serde_json::from_slice(installation.as_bytes())
        else {
            continue;
        };
        let url = address(api, &["user", "installations", &id.to_string(), "repositories"])?;
        let outcome = each_page(api, OF_INSTALLATION, url, |answer| {
            found.take(in_field::<Repositories>(answer, "repositories", OF_INSTALLATION)?);
            Ok(())
        })
        .await;
        match outcome {
            // It was suspended or removed just now; the others are as they were.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::NotFound | ErrorKind::AccountSuspended | ErrorKind::InsufficientPermissions
                ) => {}
            outcome => outcome?,
        }
    }
    Ok(())
}

/// Repositories as streams, each once.
#[derive(Default)]
struct Found {
    streams: Vec<Stream>,
    known: HashSet<u64>,
}

impl Found {
    /// Takes a page in. A repository that cannot be read is none: those beside it are.
    fn take(&mut self, items: Vec<Raw>) {
        for item in items {
            let Ok(repository) = serde_json::from_slice::<Repository>(item.as_bytes()) else { continue };
            if self.known.insert(repository.id) {
                self.streams.push(stream(repository));
            }
        }
    }
}

fn stream(repository: Repository) -> Stream {
    let may = |right: &&&str| repository.permissions.get(**right).is_some_and(|may| *may);
    let access = RIGHTS.iter().find(may).map(|right| (*right).to_owned());
    let mut stream = Stream::new(repository.id.to_string(), repository.full_name);
    stream.frozen = repository.archived;
    stream.access = access;
    stream
}

fn address(api: Api<'_>, path: &[&str]) -> Result<Url> {
    let mut url = api.url(path)?;
    url.query_pairs_mut().append_pair("per_page", &PER_PAGE.to_string());
    Ok(url)
}

/// Reads page after page, by the links.
async fn each_page(
    api: Api<'_>,
    operation: &'static str,
    first: Url,
    mut take: impl FnMut(&Response) -> Result<()>,
) -> Result<()> {
    let mut seen = HashSet::new();
    let mut next = Some(first);
    while let Some(url) = next {
        if !seen.insert(url.clone()) {
            let error = Error::new(ErrorKind::DataFormat, "the list of repositories has no end");
            return Err(error.with_operation(operation));
        }
        let answer = api.get_kept(operation, url).await?;
        take(&answer)?;
        next = next_page(&answer.headers);
    }
    Ok(())
}

fn in_field<T: serde::de::DeserializeOwned>(
    answer: &Response,
    field: &str,
    operation: &'static str,
) -> Result<Vec<Raw>> {
    let cut = json::cut_items::<T>(&answer.body, field);
    cut.map(|(_, items)| items).ok_or_else(|| json::unreadable::<HashSet<String>>(&answer.body, operation))
}

/// What the token may do; `None` for a token without scopes.
fn scopes_of(headers: &HeaderMap) -> Option<Vec<String>> {
    let scopes = headers.get("x-oauth-scopes")?.to_str().ok()?;
    Some(scopes.split(',').map(|scope| scope.trim().to_owned()).collect())
}
