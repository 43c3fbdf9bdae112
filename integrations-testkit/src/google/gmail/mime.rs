//! How is a message built, as a tree of parts (RFC 2045) and as the text that travels (RFC 5322)?
//!
//! Both come from one tree, so that `format=full` and `format=raw` say the same.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

use super::spec::{File, MailSpec};

/// How long a line of base64 may be (RFC 2045, 6.8).
const LINE: usize = 76;
/// How many bytes fit into one encoded word (RFC 2047, 2).
const WORD: usize = 45;

pub(super) type Header<'a> = (&'static str, Cow<'a, str>);

/// A part of a message.
pub(super) struct Part<'a> {
    mime_type: &'a str,
    /// Beside those of the message itself.
    headers: Vec<Header<'a>>,
    content: Content<'a>,
}

enum Content<'a> {
    Text(&'a str),
    /// With its place among the files of the message.
    File(usize, &'a File),
    Parts(Vec<Part<'a>>),
}

impl<'a> Part<'a> {
    /// The tree of a message: mixed, around related, around alternative, each where it is needed.
    pub(super) fn of(mail: &'a MailSpec, id: &str) -> Self {
        let files = || mail.files.iter().enumerate();
        let (text, html) = (mail.text.as_deref(), mail.html.as_deref());
        let words = match (text, html) {
            (Some(text), Some(html)) => {
                let parts = vec![Self::text("text/plain", text), Self::text("text/html", html)];
                Self::group("multipart/alternative", id, 'a', parts)
            }
            (None, Some(html)) => Self::text("text/html", html),
            (text, None) => Self::text("text/plain", text.unwrap_or_default()),
        };
        let shown: Vec<_> = files().filter(|(_, file)| file.content_id.is_some()).collect();
        let related = if shown.is_empty() {
            words
        } else {
            let parts = std::iter::once(words).chain(shown.into_iter().map(Self::file));
            Self::group("multipart/related", id, 'b', parts.collect())
        };
        let attached: Vec<_> = files().filter(|(_, file)| file.content_id.is_none()).collect();
        if attached.is_empty() {
            return related;
        }
        let parts = std::iter::once(related).chain(attached.into_iter().map(Self::file));
        Self::group("multipart/mixed", id, 'c', parts.collect())
    }

    fn text(mime_type: &'a str, text: &'a str) -> Self {
        let mut headers = vec![("Content-Type", Cow::from(format!("{mime_type}; charset=\"UTF-8\"")))];
        if !text.is_ascii() {
            headers.push(("Content-Transfer-Encoding", "base64".into()));
        }
        Self { mime_type, headers, content: Content::Text(text) }
    }

    fn file((index, file): (usize, &'a File)) -> Self {
        let File { filename, mime_type, content_id, .. } = file;
        let mut written = String::new();
        if filename.is_ascii() {
            written.push_str(filename);
        } else {
            // Inside quotes, against the RFC and as most programs do it.
            put_words(filename, " ", &mut written);
        }
        let (name, id) = match content_id {
            Some(id) => ("inline", id.clone()),
            None => ("attachment", format!("f_{index}")),
        };
        let headers = vec![
            ("Content-Type", format!("{mime_type}; name=\"{written}\"").into()),
            ("Content-Disposition", format!("{name}; filename=\"{written}\"").into()),
            ("Content-Transfer-Encoding", "base64".into()),
            ("X-Attachment-Id", id.clone().into()),
            ("Content-ID", format!("<{id}>").into()),
        ];
        Self { mime_type, headers, content: Content::File(index, file) }
    }

    fn group(mime_type: &'a str, id: &str, level: char, parts: Vec<Self>) -> Self {
        let content_type = format!("{mime_type}; boundary=\"00000000{id}{level}\"");
        Self {
            mime_type,
            headers: vec![("Content-Type", content_type.into())],
            content: Content::Parts(parts),
        }
    }

    pub(super) const fn mime_type(&self) -> &str {
        self.mime_type
    }

    pub(super) fn headers(&self) -> &[Header<'a>] {
        &self.headers
    }

    fn boundary(&self) -> &str {
        let content_type = self.headers.first().map(|header| header.1.as_ref());
        content_type.and_then(|text| text.split('"').nth(1)).unwrap_or_default()
    }

    /// About as many bytes as travel.
    pub(super) fn size(&self) -> usize {
        let headers: usize = self.headers.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
        headers
            + match &self.content {
                Content::Text(text) => text.len(),
                Content::File(_, file) => file.bytes.size() / 3 * 4,
                Content::Parts(parts) => parts.iter().map(|part| part.size() + 32).sum(),
            }
    }

    /// Appends the part as Gmail parses it, but for the headers that stand before its own: those of the
    /// message, as the inside of a JSON array.
    pub(super) fn write_json(
        &self,
        number: &str,
        before: &[u8],
        attachment_id: &dyn Fn(usize) -> String,
        out: &mut Vec<u8>,
    ) {
        let filename = match &self.content {
            Content::File(_, file) => file.filename.as_str(),
            Content::Text(_) | Content::Parts(_) => "",
        };
        for (name, value) in [(r#"{"partId":"#, number), (r#","mimeType":"#, self.mime_type)] {
            out.extend_from_slice(name.as_bytes());
            put_text(value, out);
        }
        out.extend_from_slice(br#","filename":"#);
        put_text(filename, out);
        out.extend_from_slice(br#","headers":["#);
        out.extend_from_slice(before);
        put_headers(&self.headers, !before.is_empty(), out);
        out.extend_from_slice(br#"],"body":{"#);
        match &self.content {
            Content::Parts(parts) => {
                out.extend_from_slice(br#""size":0},"parts":["#);
                for (index, part) in parts.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    let dot = if number.is_empty() { "" } else { "." };
                    part.write_json(&format!("{number}{dot}{index}"), &[], attachment_id, out);
                }
                out.extend_from_slice(b"]}");
                return;
            }
            Content::File(index, file) => {
                out.extend_from_slice(br#""attachmentId":"#);
                put_text(&attachment_id(*index), out);
                out.extend_from_slice(format!(r#","size":{}"#, file.bytes.size()).as_bytes());
            }
            Content::Text(text) => {
                out.extend_from_slice(format!(r#""size":{}"#, text.len()).as_bytes());
                if !text.is_empty() {
                    out.extend_from_slice(br#","data":""#);
                    out.extend_from_slice(URL_SAFE.encode(text).as_bytes());
                    out.push(b'"');
                }
            }
        }
        out.extend_from_slice(b"}}");
    }

    /// Appends the part as it travels, with the headers of the message before its own.
    pub(super) fn write_mail(&self, before: &[(Cow<'_, str>, Cow<'_, str>)], out: &mut String) {
        let own = self.headers.iter().map(|(name, value)| (*name, value.as_ref()));
        for (name, value) in before.iter().map(|(name, value)| (name.as_ref(), value.as_ref())).chain(own) {
            out.push_str(name);
            out.push_str(": ");
            put_encoded(value, out);
            out.push_str("\r\n");
        }
        out.push_str("\r\n");
        match &self.content {
            Content::Text(text) if text.is_ascii() => out.push_str(text),
            Content::Text(text) => put_base64(text.as_bytes(), out),
            Content::File(_, file) => put_base64(&file.bytes.to_vec(), out),
            Content::Parts(parts) => {
                for part in parts {
                    for piece in ["--", self.boundary(), "\r\n"] {
                        out.push_str(piece);
                    }
                    part.write_mail(&[], out);
                    out.push_str("\r\n");
                }
                for piece in ["--", self.boundary(), "--\r\n"] {
                    out.push_str(piece);
                }
            }
        }
    }
}

/// Appends a JSON string.
pub(super) fn put_text(text: &str, out: &mut Vec<u8>) {
    // Writing to memory does not fail.
    let _ = serde_json::to_writer(out, text);
}

/// Appends headers as the inside of a JSON array.
pub(super) fn put_headers<N: AsRef<str>, V: AsRef<str>>(
    headers: &[(N, V)],
    mut more: bool,
    out: &mut Vec<u8>,
) {
    for (name, value) in headers {
        out.extend_from_slice(if more { br#",{"name":"# } else { br#"{"name":"# });
        put_text(name.as_ref(), out);
        out.extend_from_slice(br#","value":"#);
        put_text(value.as_ref(), out);
        out.push(b'}');
        more = true;
    }
}

fn put_base64(bytes: &[u8], out: &mut String) {
    for line in bytes.chunks(LINE / 4 * 3) {
        STANDARD.encode_string(line, out);
        out.push_str("\r\n");
    }
}

/// Appends a header's value; words beyond ASCII become encoded words (RFC 2047), with the spaces between
/// them.
fn put_encoded(value: &str, out: &mut String) {
    let mut words = value.split(' ').peekable();
    while let Some(word) = words.next() {
        if word.is_ascii() {
            out.push_str(word);
        } else {
            let mut run = word.to_owned();
            while let Some(next) = words.next_if(|next| !next.is_ascii()) {
                run.push(' ');
                run.push_str(next);
            }
            put_words(&run, "\r\n ", out);
        }
        if words.peek().is_some() {
            out.push(' ');
        }
    }
}

fn put_words(text: &str, between: &str, out: &mut String) {
    let mut word = String::new();
    for (index, piece) in text.char_indices() {
        word.push(piece);
        let end = index + piece.len_utf8();
        if word.len() + 4 > WORD || end == text.len() {
            out.push_str("=?UTF-8?B?");
            STANDARD.encode_string(&word, out);
            out.push_str("?=");
            word.clear();
            if end < text.len() {
                out.push_str(between);
            }
        }
    }
}
