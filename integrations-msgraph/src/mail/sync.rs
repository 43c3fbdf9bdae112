//! How is a page of a folder read?
//!
//! A folder is read by a round of `messages/delta`, and its changes by the rounds after it. A cursor is Graph's
//! link, as it came. The properties that are selected for the first page are those of every later one, but not of
//! every message: one that was just read or unread may come without the others. Such a message is got by itself.
//! What hangs on the messages of a page is asked for in batches, too, and becomes their property `attachments`, as
//! Graph gives it to those who expand it: a round does not surely do so.

use integrations_core::adapter::{Page, Pull, PullFrom};
use integrations_core::http::{Session, join};
use integrations_core::model::Raw;
use integrations_core::normalize::PageContext;
use integrations_core::{Error, ErrorKind, Result, json};
use memchr::memmem;
use serde_json::json;

use super::folders;
use super::wire::{WireAttachments, WireHint};
use crate::batch;
use crate::config::GraphConfig;
use crate::delta::{IMMUTABLE_IDS, Link, Pages, prefer};
use crate::limits::{ATTACHMENTS_PER_PAGE, MESSAGES_PER_PAGE};

const DELTA: &str = "messages.delta";
const GET: &str = "messages.get";
pub(super) const LIST_ATTACHMENTS: &str = "attachments.list";
/// How many pages the list of a message's attachments may have.
const MAX_PAGES: usize = 100;

/// What the model needs of a message.
const SELECT: &str = "bccRecipients,body,bodyPreview,categories,ccRecipients,conversationId,createdDateTime,flag,\
    from,hasAttachments,importance,internetMessageHeaders,internetMessageId,isDraft,isRead,lastModifiedDateTime,\
    parentFolderId,receivedDateTime,replyTo,sender,sentDateTime,subject,toRecipients,webLink";

/// What the model needs of an attachment; all but its content.
const SELECT_ATTACHMENT: &str =
    "id,name,contentType,size,isInline,lastModifiedDateTime,microsoft.graph.fileAttachment/contentId";

/// One page of a folder.
pub(super) async fn messages(config: &GraphConfig, session: &Session, pull: Pull<'_>) -> Result<Page> {
    let size = pull.page_size.clamp(1, MESSAGES_PER_PAGE);
    let pages = Pages { operation: DELTA, prefer: &[IMMUTABLE_IDS], size };
    let listed = match pull.from {
        PullFrom::Listing { page: None } => {
            let folder = pull.stream.as_str();
            let mut url = join(&config.api_url, &["me", "mailFolders", folder, "messages", "delta"])?;
            url.set_query(Some(&format!("$select={SELECT}")));
            pages.first(config, session, url).await?
        }
        PullFrom::Listing { page: Some(link) } => pages.follow(config, session, link).await?,
        PullFrom::Changes { since, page } => pages.follow(config, session, page.unwrap_or(since)).await?,
    };
    let (mut items, next) = listed.of_round()?;
    let mut context = PageContext::default();
    if !items.is_empty() {
        context.folder = folders::telling(config, session, pull.stream.as_str()).await?;
    }
    complete(config, session, &mut items).await?;
    put_attachments(config, session, &mut items).await?;
    Ok(Page::new(items, next).with_context(context))
}

/// Gets those messages that did not come whole.
async fn complete(config: &GraphConfig, session: &Session, items: &mut [Raw]) -> Result<()> {
    let mut asked = Vec::new();
    let mut urls = Vec::new();
    for (number, item) in items.iter().enumerate() {
        let Ok(hint) = serde_json::from_slice::<WireHint>(item.as_bytes()) else { continue };
        if hint.removed.is_none() && !hint.is_whole() {
            let mut url = join(&config.api_url, &["me", "messages", &hint.id])?;
            url.set_query(Some(&format!("$select={SELECT}")));
            urls.push(url);
            asked.push((number, hint.id));
        }
    }
    let lives = Box::pin(folders::inbox(config, session));
    let answers = batch::get(config, session, GET, IMMUTABLE_IDS, &urls, lives).await?;
    for ((number, id), answer) in asked.into_iter().zip(answers) {
        items[number] = match answer {
            Ok(message) => Raw::new(message),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Raw::new(json!({ "id": id, "@removed": { "reason": "deleted" } }).to_string())
            }
            Err(error) => failed(&items[number], GET, &error),
        };
    }
    Ok(())
}

/// Asks for the attachments of those messages that have any.
async fn put_attachments(config: &GraphConfig, session: &Session, items: &mut [Raw]) -> Result<()> {
    let mut asked = Vec::new();
    let mut urls = Vec::new();
    for (number, item) in items.iter().enumerate() {
        if let Some(id) = with_attachments(item) {
            let mut url = join(&config.api_url, &["me", "messages", &id, "attachments"])?;
            url.set_query(Some(&format!("$select={SELECT_ATTACHMENT}")));
            urls.push(url);
            asked.push(number);
        }
    }
    let preferred = prefer([IMMUTABLE_IDS], Some(ATTACHMENTS_PER_PAGE))?;
    let preferred = preferred.to_str().unwrap_or(IMMUTABLE_IDS);
    let lives = Box::pin(folders::inbox(config, session));
    let answers = batch::get(config, session, LIST_ATTACHMENTS, preferred, &urls, lives).await?;
    for (number, answer) in asked.into_iter().zip(answers) {
        let listed = match answer {
            Ok(body) => match list(config, session, &body).await {
                Err(error) if !is_own(config, session, &error).await => return Err(error),
                listed => listed,
            },
            Err(error) => Err(error),
        };
        let item = &items[number];
        items[number] = match listed {
            Ok(list) => folders::with(item, "attachments", &list),
            // The message is gone since: the next round says so.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => failed(item, LIST_ATTACHMENTS, &error),
        };
    }
    Ok(())
}

/// A message with the reason why not all of it could be read.
fn failed(item: &Raw, operation: &'static str, error: &Error) -> Raw {
    let error = json!({ "operation": operation, "status": error.status(), "code": error.provider_code() });
    folders::with(item, "@error", error.to_string().as_bytes())
}

/// The id of a message that may have attachments. Graph does not count those that the text shows.
fn with_attachments(item: &Raw) -> Option<String> {
    let hint: WireHint = serde_json::from_slice(item.as_bytes()).ok()?;
    let shows = || memmem::find(item.as_bytes(), b"cid:").is_some();
    let asked = hint.removed.is_none() && !hint.attachments;
    let any = asked && (hint.has_attachments == Some(true) || shows());
    any.then_some(hint.id)
}

/// Whether a message is itself to blame for what came of asking further for its attachments.
async fn is_own(config: &GraphConfig, session: &Session, error: &Error) -> bool {
    match error.kind() {
        // Its list is not what the folder's position leads to.
        ErrorKind::CursorExpired
        | ErrorKind::NotFound
        | ErrorKind::DataFormat
        | ErrorKind::InvalidRequest => true,
        ErrorKind::RateLimited => false,
        _ => folders::inbox(config, session).await.is_ok(),
    }
}

/// All pages of a list whose first one is here, as an array of JSON.
async fn list(config: &GraphConfig, session: &Session, first: &bytes::Bytes) -> Result<Vec<u8>> {
    let odd = || json::unreadable::<WireAttachments>(first, LIST_ATTACHMENTS);
    let (rest, mut items) = json::cut_items::<WireAttachments>(first, "value").ok_or_else(odd)?;
    let pages = Pages { operation: LIST_ATTACHMENTS, prefer: &[IMMUTABLE_IDS], size: ATTACHMENTS_PER_PAGE };
    let mut next = rest.next.map(|link| pages.allowed(config, link)).transpose()?;
    for _ in 0..MAX_PAGES {
        let Some(link) = next.take() else { break };
        let page = pages.follow(config, session, &link).await?;
        items.extend(page.items);
        next = match page.link {
            Some(Link::Next(link)) => Some(link),
            _ => None,
        };
    }
    if next.is_some() {
        return Err(Error::new(ErrorKind::DataFormat, "the list of a message's attachments has no end")
            .with_operation(LIST_ATTACHMENTS)
            .with_code("too_many_pages"));
    }
    let mut array = vec![b'['];
    for item in &items {
        if array.len() > 1 {
            array.push(b',');
        }
        array.extend_from_slice(item.as_bytes());
    }
    array.push(b']');
    Ok(array)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_messages_that_may_have_attachments_are_asked_for() {
        let asked = |item: &str| with_attachments(&Raw::new(item.to_owned()));
        assert_eq!(asked(r#"{"id":"1","hasAttachments":true}"#).as_deref(), Some("1"));
        let shows = r#"{"id":"1","hasAttachments":false,"body":{"content":"<img src=\"cid:x@y\">"}}"#;
        assert_eq!(asked(shows).as_deref(), Some("1"));
        assert_eq!(asked(r#"{"id":"1","hasAttachments":false}"#), None);
        assert_eq!(asked(r#"{"id":"1","hasAttachments":true,"@removed":{"reason":"deleted"}}"#), None);
        assert_eq!(asked(r#"{"id":"1","hasAttachments":true,"attachments":[]}"#), None);
        assert_eq!(asked("7"), None);
    }
}
