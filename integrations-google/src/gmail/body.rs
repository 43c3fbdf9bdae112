//! What is the text of a mail, and which files belong to it?
//!
//! Which parts are shown as the text and which are files is told by the algorithm of JMAP (RFC 8621, 4.1.4),
//! with Gmail's rule that a part with a file's name is a file. What is inside of an attached message belongs
//! to that message.

use std::fmt::Write as _;

use base64::Engine;
use base64::engine::general_purpose::GeneralPurposeConfig;
use base64::engine::{DecodePaddingMode, GeneralPurpose};
use integrations_core::model::Attachment;
use integrations_core::normalize::ItemError;
use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::parsers::MessageStream;
use memchr::memmem;

use super::wire::WirePart;
use super::{headers, html};

/// Stands for the id of the root, whose own is empty.
const ROOT: &str = "root";

/// Google's alphabet (RFC 4648, 5), with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// What a mail holds.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Content {
    pub text: Option<String>,
    pub html: Option<String>,
    pub attachments: Vec<Attachment>,
}

/// Reads a MIME tree.
pub(super) fn read(root: &WirePart<'_>) -> Result<Content, ItemError> {
    let mut reader = Reader::default();
    reader.walk(std::slice::from_ref(root), Within { to_text: true, to_html: true, ..Within::default() })?;
    Ok(reader.content())
}

/// A piece of the text, as plain text or as HTML.
struct Piece {
    is_html: bool,
    text: String,
}

#[derive(Default)]
struct Reader {
    pieces: Vec<Piece>,
    /// The pieces of the plain text, and those of the HTML.
    text: Vec<usize>,
    html: Vec<usize>,
    attachments: Vec<Attachment>,
    /// The place of the part that is read: its number within each part around it.
    place: Vec<usize>,
}

/// Where a part stands.
#[derive(Clone, Copy, Default)]
struct Within {
    /// Right inside of a `multipart/alternative`, or of a `multipart/related`.
    alternative: bool,
    related: bool,
    /// Anywhere inside of a `multipart/alternative`.
    any_alternative: bool,
    /// Where text belongs that stands here.
    to_text: bool,
    to_html: bool,
}

impl Reader {
    fn walk(&mut self, parts: &[WirePart<'_>], mut within: Within) -> Result<(), ItemError> {
        let before = (self.text.len(), self.html.len());
        for (index, part) in parts.iter().enumerate() {
            self.place.push(index);
            let media_type = media_type(part);
            if let Some(kind) = starts(media_type, "multipart/") {
                let alternative = kind.eq_ignore_ascii_case("alternative");
                let inside = Within {
                    alternative,
                    related: kind.eq_ignore_ascii_case("related"),
                    any_alternative: alternative || within.any_alternative,
                    ..within
                };
                self.walk(&part.parts, inside)?;
            } else if let Some(is_html) = is_text(part).filter(|_| index == 0 || !within.related) {
                // Of two alternatives each goes its own way; beside them, what follows belongs to both.
                if within.any_alternative && !within.alternative {
                    within.to_text &= !is_html;
                    within.to_html &= is_html;
                }
                self.add(part, is_html, within)?;
            } else if part.body.size.is_some() || part.body.data.is_some() || !part.filename.0.is_empty() {
                self.attachments.push(attachment(part));
            }
            self.place.pop();
        }
        if within.alternative && within.to_text && within.to_html {
            let (text, html) = (self.text[before.0..].to_vec(), self.html[before.1..].to_vec());
            // One alternative alone is shown as both.
            if text.is_empty() {
                self.text.extend(html);
            } else if html.is_empty() {
                self.html.extend(text);
            }
        }
        Ok(())
    }

    fn add(&mut self, part: &WirePart<'_>, is_html: bool, within: Within) -> Result<(), ItemError> {
        let data = part.body.data.as_ref().map_or("", |data| &*data.0);
        let bytes = decode(data).ok_or_else(|| ItemError::new(self.path("body.data"), "expected base64"))?;
        if bytes.is_empty() {
            return Ok(());
        }
        let number = self.pieces.len();
        self.pieces.push(Piece { is_html, text: text(bytes, part) });
        if within.to_text && !(within.alternative && is_html) {
            self.text.push(number);
        }
        if within.to_html && (is_html || !within.alternative) {
            self.html.push(number);
        }
        Ok(())
    }

    /// The JSON path of a field of the part that is read.
    fn path(&self, field: &str) -> String {
        let mut path = "$.payload".to_owned();
        for index in &self.place[1..] {
            // Writing to a string cannot fail.
            let _ = write!(path, ".parts[{index}]");
        }
        path + "." + field
    }

    fn content(self) -> Content {
        let Self { mut pieces, text, html: shown, mut attachments, .. } = self;
        // Without any HTML, the text is enough.
        let has_html = shown.iter().any(|number| pieces[*number].is_html);
        let shown = if has_html { shown } else { Vec::new() };
        let text = join(&text, "\n", |number| {
            let piece = &mut pieces[number];
            match (piece.is_html, shown.contains(&number)) {
                (true, _) => html::to_text(&piece.text),
                (false, true) => piece.text.clone(),
                (false, false) => std::mem::take(&mut piece.text),
            }
        });
        let shown = join(&shown, "\n", |number| {
            let piece = &mut pieces[number];
            if piece.is_html { std::mem::take(&mut piece.text) } else { html::from_text(&piece.text) }
        });
        if let Some(html) = &shown {
            for file in &mut attachments {
                file.inline |= file.content_id.as_deref().is_some_and(|id| shows(html, id));
            }
        }
        Content { text, html: shown, attachments }
    }
}

fn join(numbers: &[usize], between: &str, mut piece: impl FnMut(usize) -> String) -> Option<String> {
    let (first, rest) = numbers.split_first()?;
    let mut all = piece(*first);
    for number in rest {
        all.push_str(between);
        all.push_str(&piece(*number));
    }
    Some(all)
}

/// The part's media type; without one it is plain text (RFC 2045, 5.2).
fn media_type<'p>(part: &'p WirePart<'_>) -> &'p str {
    if part.mime_type.0.is_empty() { "text/plain" } else { &part.mime_type.0 }
}

/// Whether a part is text that may be shown as the mail's, and if so, whether it is HTML.
fn is_text(part: &WirePart<'_>) -> Option<bool> {
    let is_html = match media_type(part) {
        kind if kind.eq_ignore_ascii_case("text/plain") => false,
        kind if kind.eq_ignore_ascii_case("text/html") => true,
        _ => return None,
    };
    let file = !part.filename.0.is_empty() || disposition_is(part, "attachment");
    // Text that is kept apart is read when it is asked for, as a file is.
    let apart = part.body.attachment_id.is_some() && part.body.data.is_none();
    (!file && !apart).then_some(is_html)
}

fn attachment(part: &WirePart<'_>) -> Attachment {
    let some = |text: &str| Some(text).filter(|text| !text.is_empty()).map(str::to_owned);
    Attachment {
        // The id that Google gives for the content is good for a while; that of the part stays.
        id: some(&part.part_id).or_else(|| some(ROOT)),
        title: some(&part.filename.0).map(|name| headers::decode(&name)),
        media_type: some(&part.mime_type.0),
        size: part.body.size,
        content_id: part.header("Content-ID").and_then(|id| headers::ids(id).into_iter().next()),
        inline: disposition_is(part, "inline"),
        ..Attachment::default()
    }
}

fn disposition_is(part: &WirePart<'_>, word: &str) -> bool {
    let disposition = part.header("Content-Disposition").and_then(|value| value.split(';').next());
    disposition.is_some_and(|disposition| disposition.trim().eq_ignore_ascii_case(word))
}

/// Whether HTML shows what has this Content-ID (RFC 2392).
fn shows(html: &str, content_id: &str) -> bool {
    let html = html.as_bytes();
    let mut ends = memmem::find_iter(html, content_id.as_bytes());
    ends.any(|at| starts(&String::from_utf8_lossy(&html[at.saturating_sub(4)..at]), "cid:").is_some())
}

/// What stands behind a beginning, which is compared without case.
fn starts<'t>(text: &'t str, beginning: &str) -> Option<&'t str> {
    let (start, rest) = text.split_at_checked(beginning.len())?;
    start.eq_ignore_ascii_case(beginning).then_some(rest)
}

/// Some write the standard alphabet, or break the lines.
fn decode(data: &str) -> Option<Vec<u8>> {
    BASE64.decode(data).ok().or_else(|| {
        let letter = |byte: u8| match byte {
            b'+' => Some(b'-'),
            b'/' => Some(b'_'),
            b' ' | b'\r' | b'\n' | b'\t' | b'=' => None,
            other => Some(other),
        };
        BASE64.decode(data.bytes().filter_map(letter).collect::<Vec<_>>()).ok()
    })
}

/// The text of bytes: UTF-8, into which Gmail brings most mail, or else what the part says that they are.
fn text(bytes: Vec<u8>, part: &WirePart<'_>) -> String {
    match String::from_utf8(bytes) {
        Ok(text) if !seems_shifted(&text) => text,
        Ok(text) => match charset(part).filter(|charset| is_shifted(charset)) {
            Some(charset) => decode_charset(text.as_bytes(), &charset),
            None => text,
        },
        // As browsers take text that says nothing.
        Err(error) => {
            let charset = charset(part).unwrap_or_else(|| "windows-1252".to_owned());
            decode_charset(error.as_bytes(), &charset)
        }
    }
}

/// Whether UTF-8 may be no UTF-8, because it holds what text does not, and encodings do that shift from one
/// set to another or fill each letter up.
fn seems_shifted(text: &str) -> bool {
    memchr::memchr2(0x1b, 0, text.as_bytes()).is_some()
}

fn is_shifted(charset: &str) -> bool {
    ["iso-2022-", "csiso2022", "utf-16", "unicode"].iter().any(|name| starts(charset, name).is_some())
}

fn decode_charset(bytes: &[u8], charset: &str) -> String {
    match charset_decoder(charset.as_bytes()) {
        Some(decode) => decode(bytes),
        None => String::from_utf8_lossy(bytes).into_owned(),
    }
}

fn charset(part: &WirePart<'_>) -> Option<String> {
    let value = format!("{}\n", part.header("Content-Type")?);
    let value = MessageStream::new(value.as_bytes()).parse_content_type();
    value.as_content_type()?.attribute("charset").map(str::to_owned)
}
