//! How is the content of an attachment read?
//!
//! A record keeps the id of the part, which stays; the id by which Google gives the content is good for a
//! while only, and is asked for anew. The content comes as base64 inside of JSON, and is decoded as it arrives:
//! memory does not grow with its size.

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::GeneralPurposeConfig;
use base64::engine::{DecodePaddingMode, GeneralPurpose};
use bytes::Bytes;
use futures_util::stream;
use integrations_core::adapter::{AttachmentReader, AttachmentRef, Download};
use integrations_core::http::{Content, Priority, Request, Session, join};
use integrations_core::{Error, ErrorKind, Result, json};
use serde::Deserialize;

use super::body::ROOT;
use crate::config::GoogleConfig;

const GET: &str = "messages.get";
const GET_ATTACHMENT: &str = "messages.attachments.get";
/// How far into the answer its content may begin. Only the attachment's id and size stand before it.
const HEAD: usize = 16 << 10;
/// How much an answer has beside its content.
const AROUND: u64 = HEAD as u64;

/// Either alphabet, with or without padding; what is no letter of it is left out before.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Reads the files of mails.
#[derive(Debug)]
pub(super) struct Attachments(pub GoogleConfig);

#[derive(Deserialize)]
struct Message {
    payload: Option<Part>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Part {
    #[serde(rename = "partId")]
    id: String,
    body: Body,
    parts: Vec<Part>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Body {
    attachment_id: Option<String>,
    data: Option<String>,
}

impl Part {
    fn find(self, id: &str) -> Option<Body> {
        if self.id == id || (self.id.is_empty() && id == ROOT) {
            return Some(self.body);
        }
        self.parts.into_iter().find_map(|part| part.find(id))
    }
}

#[async_trait]
impl AttachmentReader for Attachments {
    async fn open(&self, session: &Session, wanted: &AttachmentRef<'_>) -> Result<Download> {
        let id = wanted.attachment.id.as_deref().ok_or_else(|| {
            Error::new(ErrorKind::InvalidRequest, "the attachment names no part of its message")
                .with_operation(GET)
        })?;
        let mut url = join(&self.0.gmail_url, &["users", "me", "messages", wanted.item])?;
        url.query_pairs_mut().append_pair("format", "full").append_pair("prettyPrint", "false");
        let request = Request::get(GET, url).with_priority(Priority::Interactive);
        let answer = session.send(request).await?;
        let message: Message = json::decode(&answer.body, GET)?;
        let body = message.payload.and_then(|payload| payload.find(id)).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "the message has no such part any more").with_operation(GET)
        })?;
        let content = match body {
            Body { data: Some(data), .. } => {
                let mut decoder = Decoder::default();
                let piece = decoder.letters(data.as_bytes()).and_then(|mut bytes| {
                    bytes.extend(decoder.rest()?);
                    Ok(Bytes::from(bytes))
                });
                Content::new(stream::iter([piece]))
            }
            Body { attachment_id: Some(id), .. } => self.stream(session, wanted, &id).await?,
            // An empty file.
            Body { .. } => Content::new(stream::empty()),
        };
        Ok(Download::new(content.limited(wanted.limit))
            .with_media_type(wanted.attachment.media_type.clone())
            .with_size(wanted.attachment.size))
    }
}

impl Attachments {
    async fn stream(&self, session: &Session, wanted: &AttachmentRef<'_>, id: &str) -> Result<Content> {
        let mut url = join(&self.0.gmail_url, &["users", "me", "messages", wanted.item, "attachments", id])?;
        url.query_pairs_mut().append_pair("prettyPrint", "false");
        // Four letters for three bytes.
        let encoded = (wanted.limit / 3).saturating_add(1).saturating_mul(4).saturating_add(AROUND);
        let request =
            Request::get(GET_ATTACHMENT, url).with_priority(Priority::Interactive).streamed(encoded);
        let answer = session.send(request).await?.content();
        let pieces = stream::try_unfold(Some((answer, Decoder::default())), |state| async move {
            let Some((mut answer, mut decoder)) = state else { return Ok(None) };
            match answer.next().await? {
                Some(piece) => Ok(Some((decoder.take(&piece)?, Some((answer, decoder))))),
                None => Ok(Some((decoder.end()?, None))),
            }
        });
        Ok(Content::new(pieces))
    }
}

/// Takes base64 out of JSON, piece by piece.
#[derive(Debug, Default)]
struct Decoder {
    state: State,
    /// What came before the content, or the letters of a group that is not full yet.
    kept: Vec<u8>,
    /// The digits of an escape in the text, `\u003d` or the like.
    escape: Option<Vec<u8>>,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Before,
    Within,
    Behind,
}

impl Decoder {
    fn take(&mut self, piece: &[u8]) -> Result<Bytes> {
        let mut piece = piece;
        let mut head = Vec::new();
        if self.state == State::Before {
            self.kept.extend_from_slice(piece);
            let Some(begins) = content_begins(&self.kept) else {
                return if self.kept.len() > HEAD { Err(odd()) } else { Ok(Bytes::new()) };
            };
            head = std::mem::take(&mut self.kept).split_off(begins);
            piece = &head;
            self.state = State::Within;
        }
        let bytes = if self.state == State::Within { self.letters(piece)? } else { Vec::new() };
        drop(head);
        Ok(Bytes::from(bytes))
    }

    /// Decodes letters up to the quote that ends them.
    fn letters(&mut self, text: &[u8]) -> Result<Vec<u8>> {
        for &byte in text {
            let Some(byte) = self.unescaped(byte)? else { continue };
            match byte {
                b'"' => {
                    self.state = State::Behind;
                    break;
                }
                b'-' => self.kept.push(b'+'),
                b'_' => self.kept.push(b'/'),
                b'=' | b'\r' | b'\n' | b' ' | b'\t' => {}
                letter => self.kept.push(letter),
            }
        }
        let whole = self.kept.len() - self.kept.len() % 4;
        let bytes = BASE64.decode(&self.kept[..whole]).map_err(|_| odd())?;
        self.kept.drain(..whole);
        Ok(bytes)
    }

    /// The byte that stands here, once the escape that it belongs to is whole.
    fn unescaped(&mut self, byte: u8) -> Result<Option<u8>> {
        let Some(digits) = &mut self.escape else {
            if byte == b'\\' {
                self.escape = Some(Vec::new());
                return Ok(None);
            }
            return Ok(Some(byte));
        };
        match (digits.as_slice(), byte) {
            ([], b'n' | b'r' | b't') => {
                self.escape = None;
                Ok(None)
            }
            ([], b'/') => {
                self.escape = None;
                Ok(Some(b'/'))
            }
            ([], b'u') | ([b'u', ..], _) => {
                digits.push(byte);
                if digits.len() < 5 {
                    return Ok(None);
                }
                let code =
                    std::str::from_utf8(&digits[1..]).ok().and_then(|text| u8::from_str_radix(text, 16).ok());
                self.escape = None;
                // A quote that is escaped is none of base64's letters either.
                code.filter(|code| *code != b'"').map(Some).ok_or_else(odd)
            }
            _ => Err(odd()),
        }
    }

    /// The bytes of the last letters.
    fn rest(&mut self) -> Result<Vec<u8>> {
        BASE64.decode(std::mem::take(&mut self.kept)).map_err(|_| odd())
    }

    /// The answer is at its end.
    fn end(&mut self) -> Result<Bytes> {
        match self.state {
            State::Behind => self.rest().map(Bytes::from),
            State::Within => {
                Err(Error::new(ErrorKind::Network, "the content is not whole").with_operation(GET_ATTACHMENT))
            }
            // An empty file has no content.
            State::Before => match serde_json::from_slice::<Body>(&self.kept) {
                Ok(Body { data: None, .. }) => Ok(Bytes::new()),
                _ => Err(odd()),
            },
        }
    }
}

/// Where the text of `data` begins. Neither the id nor the size before it can hold a quote.
fn content_begins(head: &[u8]) -> Option<usize> {
    const KEY: &[u8] = b"\"data\"";
    let at = head.windows(KEY.len()).position(|window| window == KEY)? + KEY.len();
    let mut rest = head[at..].iter().enumerate().filter(|(_, byte)| !byte.is_ascii_whitespace());
    match (rest.next(), rest.next()) {
        (Some((_, b':')), Some((quote, b'"'))) => Some(at + quote + 1),
        _ => None,
    }
}

fn odd() -> Error {
    Error::new(ErrorKind::DataFormat, "the answer is no content of an attachment")
        .with_operation(GET_ATTACHMENT)
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};

    use super::*;

    fn decode(answer: &[u8], size: usize) -> Result<Vec<u8>> {
        let mut decoder = Decoder::default();
        let mut bytes = Vec::new();
        for piece in answer.chunks(size) {
            bytes.extend(decoder.take(piece)?);
        }
        bytes.extend(decoder.end()?);
        Ok(bytes)
    }

    #[test]
    fn content_is_decoded_wherever_the_answer_is_cut() {
        let file: Vec<u8> = (0..=255).chain([251, 255, 254]).collect();
        let escaped = URL_SAFE.encode(&file).replace('=', "\\u003d").replace('a', "\\u0061");
        for data in [
            URL_SAFE.encode(&file),
            URL_SAFE_NO_PAD.encode(&file),
            STANDARD.encode(&file).replace('/', "\\/"),
            escaped,
        ] {
            for answer in [
                format!(r#"{{"size":259,"data":"{data}"}}"#),
                format!(
                    "{{\n  \"attachmentId\": \"ANGjdJ\",\n  \"data\" : \"{data}\",\n  \"size\": 259\n}}\n"
                ),
            ] {
                for size in [1, 2, 3, 7, 64, 10_000] {
                    assert_eq!(decode(answer.as_bytes(), size).unwrap(), file, "{size}: {answer}");
                }
            }
        }
        assert_eq!(decode(br#"{"size":0}"#, 3).unwrap(), b"");
        assert_eq!(decode(br#"{"size":0,"data":""}"#, 3).unwrap(), b"");
    }

    #[test]
    fn what_is_no_content_or_not_whole_is_an_error() {
        let kind = |answer: &[u8]| decode(answer, 5).unwrap_err().kind();
        assert_eq!(kind(br#"{"data":"QUJD"#), ErrorKind::Network);
        assert_eq!(kind(b"<html>sign in</html>"), ErrorKind::DataFormat);
        assert_eq!(kind(br#"{"data":"Q!JD"}"#), ErrorKind::DataFormat);
        assert_eq!(kind(br#"{"data":"\u00e9QJD"}"#), ErrorKind::DataFormat);
        assert_eq!(kind(br#"{"data":7}"#), ErrorKind::DataFormat);
        assert_eq!(kind(&vec![b'x'; 100_000]), ErrorKind::DataFormat);
    }
}
