//! How is a page of a mailbox read?
//!
//! A listing begins with the mailbox's history id: what changes while the pages are read is among the changes
//! since then. Changes come as a history, from the oldest on; of each message that is named, its last state
//! counts, and is got once. The mark that the next run begins with is the one of the first page, too.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use chrono::TimeDelta;
use integrations_core::adapter::{Next, Page, Pull, PullFrom};
use integrations_core::http::{Request, Session, join};
use integrations_core::sync::{Cursor, Window};
use integrations_core::{Error, ErrorKind, Result, json};
use serde::{Deserialize, Serialize};
use url::Url;

use super::batch::{self, Got};
use super::wire::{History, Labels, MessageList, Profile, WireChanges, WireRef};
use crate::config::GoogleConfig;
use crate::limits::{CHANGES_PER_PAGE, MESSAGES_PER_PAGE};

const PROFILE: &str = "getProfile";
const LIST_LABELS: &str = "labels.list";
const LIST_MESSAGES: &str = "messages.list";
const LIST_HISTORY: &str = "history.list";

/// A place in a listing or in the history, as it is stored.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Place {
    /// The mark that the next run begins with.
    history: String,
    /// Google's page; `None` for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    page: Option<String>,
    /// How many of the page's messages are read already.
    #[serde(default, skip_serializing_if = "is_zero")]
    skip: usize,
    /// Whether the history was begun anew because Google had forgotten its page.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    again: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(skip: &usize) -> bool {
    *skip == 0
}

impl Place {
    fn read(cursor: &Cursor) -> Result<Self> {
        serde_json::from_str(cursor.as_str())
            .map_err(|_| Error::new(ErrorKind::CursorExpired, "the cursor is not one of Gmail's"))
    }

    fn cursor(&self) -> Result<Cursor> {
        let text = serde_json::to_string(self).map_err(|error| {
            Error::new(ErrorKind::DataFormat, "the cursor cannot be written").with_source(error)
        })?;
        Ok(Cursor::new(text))
    }

    /// What follows a page that names this one as its next.
    fn then(mut self, page: Option<String>) -> Result<Next> {
        if page.is_none() {
            return Ok(Next::Done(Cursor::new(self.history)));
        }
        (self.page, self.skip) = (page, 0);
        Ok(Next::Page(self.cursor()?))
    }
}

fn users_me(config: &GoogleConfig, resource: &str) -> Result<Url> {
    let mut url = join(&config.gmail_url, &["users", "me", resource])?;
    url.query_pairs_mut().append_pair("prettyPrint", "false");
    Ok(url)
}

/// The mailbox's history id, by one cheap call.
pub(super) async fn profile(config: &GoogleConfig, session: &Session) -> Result<String> {
    let answer = session.send(Request::get(PROFILE, users_me(config, "profile")?)).await?;
    json::decode::<Profile>(&answer.body, PROFILE).map(|profile| profile.history_id)
}

/// The labels, all at once.
pub(super) async fn labels(config: &GoogleConfig, session: &Session) -> Result<Page> {
    let answer = session.send(Request::get(LIST_LABELS, users_me(config, "labels")?)).await?;
    match json::cut_items::<Labels>(&answer.body, "labels") {
        Some((_, items)) => Ok(Page::new(items, Next::Listed)),
        None => Err(Labels::unreadable(&answer.body, LIST_LABELS)),
    }
}

/// One page of the messages.
pub(super) async fn messages(config: &GoogleConfig, session: &Session, pull: Pull<'_>) -> Result<Page> {
    match pull.from {
        PullFrom::Listing { page } => {
            let place = match page {
                Some(page) => Place::read(page)?,
                None => Place { history: profile(config, session).await?, ..Place::default() },
            };
            list(config, session, place, pull).await
        }
        PullFrom::Changes { since, page } => {
            let place = page.map(Place::read).transpose()?;
            changes(config, session, since.as_str(), place, pull).await
        }
    }
}

/// A page of the listing, the newest first.
async fn list(config: &GoogleConfig, session: &Session, place: Place, pull: Pull<'_>) -> Result<Page> {
    let mut url = users_me(config, "messages")?;
    {
        let mut query = url.query_pairs_mut();
        query.append_pair("maxResults", &pull.page_size.clamp(1, MESSAGES_PER_PAGE).to_string());
        query.append_pair("includeSpamTrash", "true");
        if let Some(search) = search(&pull.window) {
            query.append_pair("q", &search);
        }
        if let Some(page) = &place.page {
            query.append_pair("pageToken", page);
        }
    }
    let answer = session.send(Request::get(LIST_MESSAGES, url)).await.map_err(|error| {
        if place.page.is_some() && is_lost_page(&error) { lost_page(LIST_MESSAGES) } else { error }
    })?;
    let list: MessageList = json::decode(&answer.body, LIST_MESSAGES)?;
    let ids: Vec<_> = list.messages.into_iter().map(|message| message.id).collect();
    let Got { items, gone } = batch::get(config, session, &ids).await?;
    Ok(Page::new(items, place.then(list.next_page_token)?).with_deleted(gone))
}

/// The window in the words of Gmail's search. Whether these bounds are themselves within it is not said: a
/// second more on both sides, and the engine leaves out what lies beyond.
fn search(window: &Window) -> Option<String> {
    let second = TimeDelta::seconds(1);
    let since = window.since.map(|since| format!("after:{}", (since - second).timestamp().max(0)));
    let until = window.until.map(|until| format!("before:{}", (until + second).timestamp().max(0)));
    let terms: Vec<_> = since.into_iter().chain(until).collect();
    (!terms.is_empty()).then(|| terms.join(" "))
}

/// A page of the history.
async fn changes(
    config: &GoogleConfig,
    session: &Session,
    since: &str,
    place: Option<Place>,
    pull: Pull<'_>,
) -> Result<Page> {
    let (place, history) = match place {
        None => (Place::default(), history(config, session, since, None, pull.page_size).await?),
        Some(place) => {
            let read = history(config, session, since, place.page.as_deref(), pull.page_size).await;
            match read {
                Err(error) if place.page.is_some() && is_lost_page(&error) => {
                    // Reading the changes once more is less than listing the mailbox.
                    if place.again {
                        return Err(lost_page(LIST_HISTORY));
                    }
                    let place = Place { again: true, ..Place::default() };
                    (place, history(config, session, since, None, pull.page_size).await?)
                }
                read => (place, read?),
            }
        }
    };
    let begins = place.history.is_empty();
    let place = Place { history: if begins { history.id } else { place.history }, ..place };
    let fates = fates(history.changes);
    let most = pull.page_size.clamp(1, CHANGES_PER_PAGE) as usize;
    let (mut there, mut gone) = (Vec::new(), Vec::new());
    for (id, fate) in fates.iter().skip(place.skip).take(most) {
        match fate {
            Fate::Changed => there.push(id.clone()),
            Fate::Deleted => gone.push(id.clone()),
        }
    }
    let got = batch::get(config, session, &there).await?;
    gone.extend(got.gone);
    // One change may touch any number of messages.
    let next = if place.skip + most < fates.len() {
        Next::Page(Place { skip: place.skip + most, ..place }.cursor()?)
    } else {
        place.then(history.next_page_token)?
    };
    Ok(Page::new(got.items, next).with_deleted(gone))
}

async fn history(
    config: &GoogleConfig,
    session: &Session,
    since: &str,
    page: Option<&str>,
    page_size: u32,
) -> Result<History> {
    let mut url = users_me(config, "history")?;
    {
        let mut query = url.query_pairs_mut();
        query.append_pair("startHistoryId", since);
        query.append_pair("maxResults", &page_size.clamp(1, CHANGES_PER_PAGE).to_string());
        if let Some(page) = page {
            query.append_pair("pageToken", page);
        }
    }
    let answer = session.send(Request::get(LIST_HISTORY, url)).await?;
    json::decode(&answer.body, LIST_HISTORY)
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It was added, or its labels changed.
    Changed,
    /// It was deleted for ever: one that is thrown away gets the label `TRASH`.
    Deleted,
}

/// What became of the messages that changed, each once, in the order in which they are first named: what is
/// added to the end of the history changes nothing before it.
fn fates(steps: Vec<WireChanges>) -> Vec<(String, Fate)> {
    let mut fates: Vec<(String, Fate)> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut note = |WireRef { id }, fate| match places.entry(id) {
        Entry::Occupied(known) => fates[*known.get()].1 = fate,
        Entry::Vacant(new) => {
            fates.push((new.key().clone(), fate));
            new.insert(fates.len() - 1);
        }
    };
    for step in steps {
        let WireChanges { messages, messages_added, messages_deleted, labels_added, labels_removed } = step;
        let changed = [messages_added, labels_added, labels_removed].into_iter().flatten();
        for message in messages.into_iter().chain(changed.map(|change| change.message)) {
            note(message, Fate::Changed);
        }
        for change in messages_deleted {
            note(change.message, Fate::Deleted);
        }
    }
    fates
}

/// A page token that Google no longer takes is answered with 400.
fn is_lost_page(error: &Error) -> bool {
    error.status() == Some(400) && error.kind() == ErrorKind::InvalidRequest
}

fn lost_page(operation: &'static str) -> Error {
    Error::new(ErrorKind::CursorExpired, "Google does not take the page token any more")
        .with_operation(operation)
        .with_status(400)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn of_each_message_the_last_word_counts() {
        let of = |id: &str| json!({"message": {"id": id, "threadId": "t"}, "labelIds": ["INBOX"]});
        let history = json!({"historyId": 9, "history": [
            {"id": "1", "messages": [{"id": "added"}], "messagesAdded": [of("added")]},
            {"id": "2", "messagesAdded": [of("brief")], "messagesDeleted": [of("brief")]},
            {"id": "3", "labelsRemoved": [of("added"), of("gone")], "labelsAdded": [of("starred")]},
            {"id": "4", "messages": [{"id": "nameless"}]},
            {"id": "5", "messagesDeleted": [of("gone"), of("back")]},
            {"id": "6", "messagesAdded": [of("back")]},
        ]});
        let history: History = serde_json::from_value(history).unwrap();
        assert_eq!(history.id, "9");
        let fates = fates(history.changes);
        let fates: Vec<_> = fates.iter().map(|(id, fate)| (id.as_str(), *fate == Fate::Deleted)).collect();
        let expected = [
            ("added", false),
            ("brief", true),
            ("starred", false),
            ("gone", true),
            ("nameless", false),
            ("back", false),
        ];
        assert_eq!(fates, expected);
    }

    #[test]
    fn a_window_is_searched_for_with_a_second_more() {
        let at = |seconds| chrono::DateTime::from_timestamp(seconds, 500_000_000).unwrap();
        assert_eq!(search(&Window::ALL), None);
        assert_eq!(search(&Window::since(at(100))).unwrap(), "after:99");
        assert_eq!(search(&Window::since(at(-5)).until(at(100))).unwrap(), "after:0 before:101");
    }

    #[test]
    fn a_place_is_stored_and_what_is_none_is_lost() {
        let place = Place { history: "7".into(), page: Some("p".into()), skip: 100, again: true };
        let cursor = place.cursor().unwrap();
        assert_eq!(cursor.as_str(), r#"{"history":"7","page":"p","skip":100,"again":true}"#);
        let next = Place::read(&cursor).unwrap().then(Some("q".into())).unwrap();
        assert_eq!(next, Next::Page(Cursor::new(r#"{"history":"7","page":"q","again":true}"#)));
        assert_eq!(Place::read(&cursor).unwrap().then(None).unwrap(), Next::Done(Cursor::new("7")));
        assert_eq!(Place::read(&Cursor::new("token")).unwrap_err().kind(), ErrorKind::CursorExpired);
    }
}
