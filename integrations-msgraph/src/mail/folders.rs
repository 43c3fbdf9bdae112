//! Which folders does a mailbox have, and which of them are the ones that every mailbox has?
//!
//! A round of changes that begins anew tells of every folder, however deep, in one list. It is read anew each
//! time: that messages come and go is no change of a folder, and its counts would stay behind.

use std::collections::HashMap;
use std::time::Duration;

use integrations_core::adapter::{Next, Page, Stream};
use integrations_core::http::{CacheMode, Request, Session, join};
use integrations_core::model::Raw;
use integrations_core::normalize::MailFolder;
use integrations_core::{Error, ErrorKind, Result, json};

use super::adapter::FOLDERS;
use super::wire::{WireFolder, WireId};
use crate::config::GraphConfig;
use crate::delta::{IMMUTABLE_IDS, Link, PREFER, Pages, prefer};
use crate::limits::FOLDERS_PER_PAGE;

const DELTA: &str = "mailFolders.delta";
const GET: &str = "mailFolders.get";
const SELECT: &str = "displayName,parentFolderId,totalItemCount,unreadItemCount,isHidden";
const INBOX: &str = "inbox";
/// How many pages the list of the folders may have.
const MAX_PAGES: usize = 1000;
/// How deep folders may lie in one another. Exchange allows 300.
const MAX_DEPTH: usize = 1000;
/// How long it is taken to be true which folder has which name. It is so for ever, unless the mailbox is another.
const KNOWN_FOR: Duration = CacheMode::FRESH;

/// The folders that every mailbox has, by the names under which Graph gives them.
const WELL_KNOWN: &[&str] = &[INBOX, "drafts", "sentitems", "deleteditems", "junkemail", "archive", "outbox"];

/// The folders that say something of the messages in them.
const TELLING: &[(&str, MailFolder)] =
    &[(INBOX, MailFolder::Inbox), ("deleteditems", MailFolder::Trash), ("junkemail", MailFolder::Spam)];

/// A folder, as it came, and what can be read of it.
struct Folder {
    raw: Raw,
    read: Option<WireFolder>,
}

/// The streams: the folders themselves, and the messages of each.
pub(super) async fn streams(config: &GraphConfig, session: &Session) -> Result<Vec<Stream>> {
    let inbox = well_known(config, session, INBOX).await?;
    let folders = all(config, session).await?;
    let mut streams = vec![Stream::new(FOLDERS, "Folders")];
    for folder in folders.iter().filter_map(|folder| folder.read.as_ref()) {
        if folder.is_search() || folder.id == FOLDERS {
            continue;
        }
        let mut stream = Stream::new(folder.id.as_str(), folder.display_name.as_deref().unwrap_or_default());
        stream.primary = inbox.as_ref() == Some(&folder.id);
        // What the user looks at first is read first.
        let place = if stream.primary { 0 } else { streams.len() };
        streams.insert(place, stream);
    }
    Ok(streams)
}

/// The folders, all at once.
pub(super) async fn list(config: &GraphConfig, session: &Session) -> Result<Page> {
    let mut known = HashMap::new();
    for name in WELL_KNOWN {
        if let Some(id) = well_known(config, session, name).await? {
            known.insert(id, *name);
        }
    }
    let folders = all(config, session).await?;
    let named = |Folder { raw, read }| {
        let name =
            read.filter(|folder| folder.well_known_name.is_none()).and_then(|folder| known.get(&folder.id));
        name.map_or(raw.clone(), |name| with(&raw, "wellKnownName", format!("\"{name}\"").as_bytes()))
    };
    Ok(Page::new(folders.into_iter().map(named).collect(), Next::Listed))
}

/// What a folder says of the messages in it.
pub(super) async fn telling(
    config: &GraphConfig,
    session: &Session,
    folder: &str,
) -> Result<Option<MailFolder>> {
    for (name, says) in TELLING {
        if well_known(config, session, name).await?.as_deref() == Some(folder) {
            return Ok(Some(*says));
        }
    }
    Ok(None)
}

/// Looks for the inbox, by one cheap call.
pub(super) async fn inbox(config: &GraphConfig, session: &Session) -> Result<()> {
    session.send(get(config, INBOX)?).await.map(drop)
}

/// The folders that the configuration wants, hidden ones or not.
async fn all(config: &GraphConfig, session: &Session) -> Result<Vec<Folder>> {
    let mut url = join(&config.api_url, &["me", "mailFolders", "delta"])?;
    url.set_query(Some(&format!("$select={SELECT}")));
    let pages = Pages { operation: DELTA, prefer: &[IMMUTABLE_IDS], size: FOLDERS_PER_PAGE };
    let mut page = pages.first(config, session, url).await?;
    let mut folders = Vec::new();
    for _ in 0..MAX_PAGES {
        folders.extend(page.items.into_iter().map(|raw| {
            let read = serde_json::from_slice(raw.as_bytes()).ok();
            Folder { raw, read }
        }));
        match page.link {
            Some(Link::Next(next)) => page = pages.follow(config, session, &next).await?,
            Some(Link::Delta(_)) => return Ok(wanted(config, folders)),
            None => {
                return Err(Error::new(
                    ErrorKind::DataFormat,
                    "the list of folders does not say that it ends",
                )
                .with_operation(DELTA));
            }
        }
    }
    Err(Error::new(ErrorKind::DataFormat, "the list of folders has no end")
        .with_operation(DELTA)
        .with_code("too_many_pages"))
}

fn wanted(config: &GraphConfig, folders: Vec<Folder>) -> Vec<Folder> {
    // A folder may come more than once: the last word counts.
    let last: HashMap<_, _> = folders
        .iter()
        .enumerate()
        .filter_map(|(number, folder)| Some((folder.read.as_ref()?.id.clone(), number)))
        .collect();
    let is_wanted = |(number, folder): (usize, &Folder)| {
        let Some(read) = &folder.read else { return true };
        if last[&read.id] != number || read.removed.is_some() {
            return false;
        }
        config.hidden_folders || !is_hidden(read, |id| folders[*last.get(id)?].read.as_ref())
    };
    let wanted: Vec<_> = folders.iter().enumerate().map(is_wanted).collect();
    folders.into_iter().zip(wanted).filter_map(|(folder, wanted)| wanted.then_some(folder)).collect()
}

/// Whether a folder, or one that it lies in, is hidden.
fn is_hidden<'f>(folder: &'f WireFolder, find: impl Fn(&str) -> Option<&'f WireFolder>) -> bool {
    let mut next = Some(folder);
    for _ in 0..MAX_DEPTH {
        let Some(folder) = next else { return false };
        if folder.is_hidden == Some(true) {
            return true;
        }
        next = folder.parent_folder_id.as_deref().and_then(&find);
    }
    false
}

/// The id of a folder that every mailbox has; not every mailbox has every one of them.
async fn well_known(config: &GraphConfig, session: &Session, name: &str) -> Result<Option<String>> {
    match session.send(get(config, name)?.with_cache(CacheMode::Fresh(KNOWN_FOR))).await {
        Ok(answer) => json::decode(&answer.body, GET).map(|WireId { id }| Some(id)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn get(config: &GraphConfig, folder: &str) -> Result<Request> {
    let mut url = join(&config.api_url, &["me", "mailFolders", folder])?;
    url.set_query(Some("$select=id"));
    Ok(Request::get(GET, url).header(PREFER, prefer([IMMUTABLE_IDS], None)?))
}

/// An object of JSON with one more property, behind the others.
pub(super) fn with(object: &Raw, name: &str, value: &[u8]) -> Raw {
    let text = object.as_bytes().trim_ascii_end();
    let Some(text) = text.strip_suffix(b"}") else { return object.clone() };
    let comma: &[u8] = if text.trim_ascii_end().ends_with(b"{") { b"" } else { b"," };
    let key = format!("\"{name}\":");
    Raw::new([text, comma, key.as_bytes(), value, b"}"].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_property_is_put_behind_the_others() {
        let with = |object: &str| with(&Raw::new(object.to_owned()), "a", b"[1]").to_text().into_owned();
        assert_eq!(with(r#"{"id":"}"} "#), r#"{"id":"}","a":[1]}"#);
        assert_eq!(with("{ }"), r#"{ "a":[1]}"#);
        assert_eq!(with("7"), "7");
    }

    #[test]
    fn a_folder_in_a_hidden_one_is_hidden_and_a_ring_is_no_trap() {
        let folder = |id: &str, parent: &str, hidden: bool| {
            let text = format!(r#"{{"id":"{id}","parentFolderId":"{parent}","isHidden":{hidden}}}"#);
            Folder { read: serde_json::from_str(&text).ok(), raw: Raw::new(text) }
        };
        let folders = || {
            vec![
                folder("root-child", "root", false),
                folder("deep", "middle", false),
                folder("middle", "top", false),
                folder("top", "root", true),
                folder("ring", "ring", false),
                Folder { raw: Raw::new("7"), read: None },
            ]
        };
        let ids = |config: &GraphConfig| -> Vec<String> {
            let id = |folder: Folder| folder.read.map_or_else(|| "?".to_owned(), |folder| folder.id);
            wanted(config, folders()).into_iter().map(id).collect()
        };
        let config = GraphConfig::builder().public_client("id");
        assert_eq!(ids(&config.build().unwrap()), ["root-child", "ring", "?"]);
        let config = GraphConfig::builder().public_client("id").hidden_folders();
        assert_eq!(ids(&config.build().unwrap()).len(), 6);
    }
}
