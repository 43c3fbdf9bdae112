//! What does one message look like: `messages.get`, `messages.attachments.get` and `threads.get`?

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::history;
use super::mailbox::{Content, Mailbox};
use super::mime::{Part, put_headers, put_text};
use super::spec::MailSpec;
use crate::google::Google;
use crate::google::errors;
use crate::google::query::Query;
use crate::random::mix;
use crate::server::Reply;

/// How long the beginning that a listing shows may be.
const SNIPPET: usize = 180;

/// How much of a message is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Format {
    Minimal,
    /// With the names of the wanted headers, in small letters; none means all.
    Metadata(Vec<String>),
    Full,
    Raw,
}

impl Format {
    pub(super) fn of(query: &Query) -> Result<Self, Reply> {
        match query.get("format") {
            None | Some("full") => Ok(Self::Full),
            Some("minimal") => Ok(Self::Minimal),
            Some("raw") => Ok(Self::Raw),
            Some("metadata") => {
                Ok(Self::Metadata(query.all("metadataHeaders").map(str::to_ascii_lowercase).collect()))
            }
            Some(other) => Err(errors::argument(&format!("Invalid value at 'format', \"{other}\""))),
        }
    }

    /// Whether the scope `gmail.metadata` keeps it back.
    pub(super) const fn has_body(&self) -> bool {
        matches!(self, Self::Full | Self::Raw)
    }
}

impl Mailbox {
    /// A message as `messages.get` shows it; `None` when it was deleted.
    pub(super) fn message(&self, position: u64, format: &Format, moment: i64) -> Option<Vec<u8>> {
        let state = self.state(position);
        if state.deleted {
            return None;
        }
        let made;
        let mail = match self.content(position) {
            Some(Content::Raw(text)) => return Some(text.clone().into_bytes()),
            Some(Content::Mail(mail)) => mail,
            None => {
                made = self.generator.mail(position, |position| self.id(position));
                &made
            }
        };
        let (id, date) = (self.id(position), self.date(position));
        let tree = Part::of(mail, &id);
        let headers = headers(mail, &id, self.generator.user(), date);

        let mut out = Vec::with_capacity(4_096);
        let thread = self.id(self.thread(position));
        out.extend_from_slice(format!(r#"{{"id":"{id}","threadId":"{thread}""#).as_bytes());
        let labels = self.labels.names(state.labels);
        if !labels.is_empty() {
            out.extend_from_slice(format!(r#","labelIds":{}"#, json!(labels)).as_bytes());
        }
        out.extend_from_slice(br#","snippet":"#);
        put_text(&snippet(mail), &mut out);
        match format {
            Format::Minimal => {}
            Format::Metadata(wanted) => {
                out.extend_from_slice(br#","payload":{"mimeType":"#);
                put_text(tree.mime_type(), &mut out);
                out.extend_from_slice(br#","headers":["#);
                let own = tree.headers().iter().map(|(name, value)| (*name, value.as_ref()));
                let all = headers.iter().map(|(name, value)| (name.as_ref(), value.as_ref())).chain(own);
                let is_wanted = |name: &str| wanted.is_empty() || wanted.contains(&name.to_ascii_lowercase());
                let shown: Vec<_> = all.filter(|(name, _)| is_wanted(name)).collect();
                put_headers(&shown, false, &mut out);
                out.extend_from_slice(b"]}");
            }
            Format::Full => {
                let mut before = Vec::new();
                put_headers(&headers, false, &mut before);
                out.extend_from_slice(br#","payload":"#);
                tree.write_json("", &before, &|index| self.attachment_id(position, index, moment), &mut out);
            }
            Format::Raw => {
                let mut text = String::new();
                tree.write_mail(&headers, &mut text);
                out.extend_from_slice(format!(r#","raw":"{}""#, URL_SAFE.encode(text)).as_bytes());
            }
        }
        let end = format!(
            r#","sizeEstimate":{},"historyId":"{}","internalDate":"{date}"}}"#,
            tree.size() + headers.iter().map(|(name, value)| name.len() + value.len() + 4).sum::<usize>(),
            history::id(state.version),
        );
        out.extend_from_slice(end.as_bytes());
        Some(out)
    }

    /// Google does not promise that an attachment keeps its id, so here it changes with time; the old
    /// ones go on working.
    fn attachment_id(&self, position: u64, index: usize, moment: i64) -> String {
        let mut words = [position, index as u64, moment.unsigned_abs(), 0];
        words[3] = self.check(words);
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        format!("ANGjdJ{}", URL_SAFE_NO_PAD.encode(bytes))
    }

    fn check(&self, [position, index, moment, _]: [u64; 4]) -> u64 {
        mix(mix(mix(self.key() ^ position) ^ index) ^ moment)
    }

    /// Which file of a message an attachment's id means.
    fn attachment(&self, position: u64, id: &str) -> Option<usize> {
        let bytes = URL_SAFE_NO_PAD.decode(id.strip_prefix("ANGjdJ")?).ok()?;
        let bytes: [u8; 32] = bytes.try_into().ok()?;
        let mut words = [0; 4];
        for (word, bytes) in words.iter_mut().zip(bytes.chunks(8)) {
            *word = bytes.iter().fold(0, |word: u64, byte| word << 8 | u64::from(*byte));
        }
        (words[0] == position && words[3] == self.check(words)).then(|| usize::try_from(words[1]).ok())?
    }
}

/// Answers `messages.get`.
pub(super) fn get(google: &Google, id: &str, format: &Format) -> Result<Reply, Reply> {
    readable(id)?;
    let mailbox = google.gmail.mailbox();
    let moment = google.clock.now().timestamp_millis();
    let text = mailbox.position(id).and_then(|position| mailbox.message(position, format, moment));
    text.map(|text| Reply::json(200, text)).ok_or_else(|| errors::newer(404, None, None))
}

/// Answers `messages.attachments.get`.
pub(super) fn attachment(google: &Google, id: &str, attachment: &str) -> Result<Reply, Reply> {
    readable(id)?;
    let mailbox = google.gmail.mailbox();
    let live = |position: &u64| !mailbox.state(*position).deleted;
    let position = mailbox.position(id).filter(live).ok_or_else(|| errors::newer(404, None, None))?;
    let index = mailbox.attachment(position, attachment);
    let index = index.ok_or_else(|| errors::argument("Invalid attachment token"))?;
    let made;
    let mail = match mailbox.content(position) {
        Some(Content::Mail(mail)) => mail,
        Some(Content::Raw(_)) => return Err(errors::argument("Invalid attachment token")),
        None => {
            made = mailbox.generator.mail(position, |position| mailbox.id(position));
            &made
        }
    };
    let file = mail.files.get(index).ok_or_else(|| errors::argument("Invalid attachment token"))?;
    let body = json!({"size": file.bytes.size(), "data": URL_SAFE.encode(file.bytes.to_vec())});
    Ok(Reply::json(200, body.to_string()))
}

/// Answers `threads.get`, the oldest message first.
pub(super) fn thread(google: &Google, id: &str, format: &Format) -> Result<Reply, Reply> {
    readable(id)?;
    let mailbox = google.gmail.mailbox();
    let moment = google.clock.now().timestamp_millis();
    let root = mailbox.position(id).filter(|&position| mailbox.thread(position) == position);
    let mut members: Vec<u64> = root.map(|root| mailbox.members(root).collect()).unwrap_or_default();
    members.sort_by_key(|&position| (mailbox.date(position), position));
    let version = members.iter().map(|&position| mailbox.state(position).version).max();
    let messages: Vec<_> =
        members.iter().filter_map(|&position| mailbox.message(position, format, moment)).collect();
    let (Some(version), false) = (version, messages.is_empty()) else {
        return Err(errors::newer(404, None, None));
    };
    let mut out =
        format!(r#"{{"id":"{id}","historyId":"{}","messages":["#, history::id(version)).into_bytes();
    out.extend_from_slice(&messages.join(&b','));
    out.extend_from_slice(b"]}");
    Ok(Reply::json(200, out))
}

/// Gmail tells an id that names nothing (404) from one that cannot be an id: not a hexadecimal number, or
/// one beyond 63 bits (400).
fn readable(id: &str) -> Result<(), Reply> {
    let plain = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = u64::from_str_radix(id, 16).ok().filter(|&number| plain && i64::try_from(number).is_ok());
    number.map(|_| ()).ok_or_else(|| errors::argument("Invalid id value"))
}

type Headers<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

/// The headers of the message itself, in the order in which Gmail has them.
fn headers<'a>(mail: &'a MailSpec, id: &str, user: &'a str, date: i64) -> Headers<'a> {
    let time = DateTime::<Utc>::from_timestamp_millis(date).unwrap_or_default().to_rfc2822();
    let to = if mail.to.is_empty() { user.into() } else { Cow::from(mail.to.join(", ")) };
    let own: [(&str, Cow<'a, str>); 9] = [
        ("Delivered-To", user.into()),
        ("Received", format!("by 2002:a05:7300:{}:b0:1 with SMTP id {id}; {time}", &id[..4]).into()),
        ("MIME-Version", "1.0".into()),
        ("Date", time.into()),
        ("Message-ID", format!("<{id}@mail.example.com>").into()),
        ("Subject", mail.subject.as_str().into()),
        ("From", mail.from.as_str().into()),
        ("To", to),
        ("Cc", mail.cc.join(", ").into()),
    ];
    let given = |name: &str| mail.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
    let own = own.into_iter().filter(|(name, value)| !given(name) && (*name != "Cc" || !value.is_empty()));
    let more = mail.headers.iter().map(|(name, value)| (name.as_str().into(), value.as_str().into()));
    own.map(|(name, value)| (name.into(), value)).chain(more).collect()
}

/// The beginning of the text on one line, escaped for HTML as Gmail does.
fn snippet(mail: &MailSpec) -> String {
    let bare;
    let text = if let Some(text) = &mail.text {
        text
    } else {
        bare = without_tags(mail.html.as_deref().unwrap_or_default());
        &bare
    };
    let mut line = String::new();
    for word in text.split_whitespace() {
        if line.len() + word.len() >= SNIPPET {
            break;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

fn without_tags(html: &str) -> String {
    let pieces = html.split('<').enumerate();
    let text =
        pieces.map(
            |(index, piece)| {
                if index == 0 { piece } else { piece.split_once('>').map_or("", |(_, text)| text) }
            },
        );
    text.collect::<Vec<_>>().join(" ").replace("&amp;", "&").replace("&nbsp;", " ")
}

/// A message for the test to look at.
pub(super) fn value(google: &Google, id: &str) -> Option<Value> {
    let mailbox = google.gmail.mailbox();
    let moment = google.clock.now().timestamp_millis();
    let text = mailbox.message(mailbox.position(id)?, &Format::Full, moment)?;
    serde_json::from_slice(&text).ok()
}
