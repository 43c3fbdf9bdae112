//! What is the text of a mail, and which files belong to it?
//!
//! Which parts are shown as the text and which are files is told by the algorithm of JMAP (RFC 8621, 4.1.4),
//! with Gmail's rule that a part with a file's name is a file. What is inside of an attached message belongs
//! to that message.

use std::fmt::Write as _;

use base64::Engine;
use base64::engine::general_purpose::GeneralPurposeConfig;
use base64::engine::{DecodePaddingMode, GeneralPurpose};
use integrations_core::mail::{self, strip_prefix};
use integrations_core::model::Attachment;
use integrations_core::normalize::ItemError;
use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::parsers::MessageStream;
use memchr::memmem;

use super::wire::WirePart;

/// Stands for the id of the root, whose own is empty.
pub(super) const ROOT: &str = "root";

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
    let top = Within { kind: Multipart::Mixed, optional: false, to_text: true, to_html: true };
    reader.walk(std::slice::from_ref(root), top)?;
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

/// What sort of `multipart` a part stands right inside of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Multipart {
    Mixed,
    /// The first is shown, and shows the others.
    Related,
    /// One of them is shown.
    Alternative,
}

impl Multipart {
    fn of(media_type: &str) -> Option<Self> {
        Some(match strip_prefix(media_type, "multipart/")? {
            kind if kind.eq_ignore_ascii_case("alternative") => Self::Alternative,
            kind if kind.eq_ignore_ascii_case("related") => Self::Related,
            _ => Self::Mixed,
        })
    }
}

/// Where a part stands.
#[derive(Clone, Copy)]
struct Within {
    kind: Multipart,
    /// Whether there is an alternative to it, or to what it stands in.
    optional: bool,
    /// Where text belongs that stands here.
    to_text: bool,
    to_html: bool,
}

impl Reader {
    fn walk(&mut self, parts: &[WirePart<'_>], mut within: Within) -> Result<(), ItemError> {
        let before = (self.text.len(), self.html.len());
        for (index, part) in parts.iter().enumerate() {
            self.place.push(index);
            let shown = index == 0 || within.kind != Multipart::Related;
            if let Some(kind) = Multipart::of(media_type(part)) {
                let optional = within.optional || kind == Multipart::Alternative;
                self.walk(&part.parts, Within { kind, optional, ..within })?;
            } else if let Some(is_html) = is_text(part).filter(|_| shown) {
                // A part of an alternative is text or HTML, and so is what follows within that part.
                if within.optional && within.kind != Multipart::Alternative {
                    within.to_text &= !is_html;
                    within.to_html &= is_html;
                }
                self.add(part, is_html, within)?;
            } else if part.body.size.is_some() || part.body.data.is_some() || !part.filename.0.is_empty() {
                self.attachments.push(attachment(part));
            }
            self.place.pop();
        }
        if within.kind == Multipart::Alternative && within.to_text && within.to_html {
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
        let alternative = within.kind == Multipart::Alternative;
        if within.to_text && !(alternative && is_html) {
            self.text.push(number);
        }
        if within.to_html && (is_html || !alternative) {
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
                (true, _) => mail::to_text(&piece.text),
                (false, true) => piece.text.clone(),
                (false, false) => std::mem::take(&mut piece.text),
            }
        });
        let shown = join(&shown, "\n", |number| {
            let piece = &mut pieces[number];
            if piece.is_html { std::mem::take(&mut piece.text) } else { mail::from_text(&piece.text) }
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

/// The part's media type; without one it is plain text (RFC 2045, 5.2), if it has no parts.
fn media_type<'p>(part: &'p WirePart<'_>) -> &'p str {
    match (&*part.mime_type.0, &part.parts[..]) {
        ("", []) => "text/plain",
        ("", _) => "multipart/mixed",
        (known, _) => known,
    }
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
        title: some(&part.filename.0).map(|name| mail::decode(&name)),
        media_type: some(&part.mime_type.0),
        size: part.body.size,
        content_id: part.header("Content-ID").and_then(|id| mail::ids(id).into_iter().next()),
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
    ends.any(|at| strip_prefix(&String::from_utf8_lossy(&html[at.saturating_sub(4)..at]), "cid:").is_some())
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
    ["iso-2022-", "csiso2022", "utf-16", "unicode"].iter().any(|name| strip_prefix(charset, name).is_some())
}

fn decode_charset(bytes: &[u8], charset: &str) -> String {
    match charset_decoder(charset.as_bytes()) {
        Some(decode) => decode(bytes),
        None => String::from_utf8_lossy(bytes).into_owned(),
    }
}

fn charset(part: &WirePart<'_>) -> Option<String> {
    let value = mail::line(part.header("Content-Type")?);
    let value = MessageStream::new(value.as_bytes()).parse_content_type();
    value.as_content_type()?.attribute("charset").map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::slice;

    use base64::engine::general_purpose::STANDARD;
    use serde_json::{Value, json};

    use super::*;

    fn part(media_type: &str, text: &[u8]) -> Value {
        json!({"mimeType": media_type, "body": {"size": text.len(), "data": STANDARD.encode(text)}})
    }

    fn many(media_type: &str, parts: &[Value]) -> Value {
        json!({"mimeType": media_type, "body": {"size": 0}, "parts": parts})
    }

    fn with(mut part: Value, header: &str, value: &str) -> Value {
        part["headers"] = json!([{"name": header, "value": value}]);
        part
    }

    fn file(mut part: Value, name: &str) -> Value {
        part["filename"] = json!(name);
        part["body"] = json!({"size": 7, "attachmentId": "A"});
        part
    }

    fn content(tree: &Value) -> Content {
        let tree = tree.to_string();
        read(&serde_json::from_str(&tree).unwrap()).unwrap()
    }

    /// Text, HTML and the media types of the files.
    fn shape(tree: &Value) -> (String, String, Vec<String>) {
        let Content { text, html, attachments } = content(tree);
        let types = attachments.into_iter().map(|file| file.media_type.unwrap_or_default()).collect();
        (text.unwrap_or_default(), html.unwrap_or_default(), types)
    }

    fn expect(tree: &Value, text: &str, html: &str, files: &[&str]) {
        let files = files.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(shape(tree), (text.into(), html.into(), files), "{tree}");
    }

    #[test]
    fn the_text_is_found_in_every_tree() {
        let (plain, html) = (part("text/plain", b"plain"), part("text/html", b"<p>html</p>"));
        let picture = file(part("image/png", b""), "");
        let both = many("multipart/alternative", &[plain.clone(), html.clone()]);
        expect(&plain, "plain", "", &[]);
        expect(&html, "html", "<p>html</p>", &[]);
        expect(&both, "plain", "<p>html</p>", &[]);
        expect(
            &many("multipart/mixed", &[both.clone(), picture.clone()]),
            "plain",
            "<p>html</p>",
            &["image/png"],
        );
        let related = many("multipart/related", &[html.clone(), picture.clone()]);
        expect(
            &many("MULTIPART/ALTERNATIVE", &[plain.clone(), related]),
            "plain",
            "<p>html</p>",
            &["image/png"],
        );
        // Apple Mail's way, with a file amidst the HTML.
        let mixed =
            many("multipart/mixed", &[html.clone(), picture.clone(), part("text/html", b"<p>end</p>")]);
        let apple = many("multipart/alternative", &[plain.clone(), mixed]);
        expect(&apple, "plain", "<p>html</p>\n<p>end</p>", &["image/png"]);
        expect(&many("multipart/alternative", slice::from_ref(&html)), "html", "<p>html</p>", &[]);
        expect(&many("multipart/alternative", slice::from_ref(&plain)), "plain", "", &[]);
        // A mailing list's footer.
        let footer = "<p>html</p>\n<div style=\"white-space: pre-wrap\">a &lt; b</div>";
        expect(&many("multipart/mixed", &[both, part("text/plain", b"a < b")]), "plain\na < b", footer, &[]);
        expect(&many("multipart/mixed", &[]), "", "", &[]);
        expect(&json!({}), "", "", &[]);
        expect(&json!({"body": {"size": 0}}), "", "", &[]);
    }

    #[test]
    fn what_is_a_file_is_no_text() {
        let (plain, other) = (part("text/plain", b"plain"), part("text/plain", b"other"));
        let named =
            json!({"mimeType": "text/plain", "filename": "a.txt", "body": {"size": 5, "data": "b3RoZXI"}});
        expect(&many("multipart/mixed", &[plain.clone(), named.clone()]), "plain", "", &["text/plain"]);
        expect(&named, "", "", &["text/plain"]);
        let apart = with(other.clone(), "content-disposition", "Attachment; size=5");
        expect(&many("multipart/mixed", &[plain.clone(), apart]), "plain", "", &["text/plain"]);
        expect(&many("multipart/related", &[plain.clone(), other.clone()]), "plain", "", &["text/plain"]);
        // Too large to come with its mail.
        let large = json!({"mimeType": "text/plain", "body": {"size": 1_000_000, "attachmentId": "A"}});
        expect(&large, "", "", &["text/plain"]);
        // An invitation, and what is inside of an attached message.
        let invitation = part("text/calendar", b"BEGIN:VCALENDAR");
        let both = many("multipart/alternative", &[plain.clone(), invitation]);
        let message = json!({"mimeType": "message/rfc822", "filename": "x.eml", "body": {"size": 9, "attachmentId": "A"},
            "parts": [many("multipart/mixed", &[other, file(part("image/png", b""), "y.png")])]});
        expect(&many("multipart/mixed", &[both, message]), "plain", "", &["text/calendar", "message/rfc822"]);
    }

    #[test]
    fn a_file_has_its_name_and_its_place() {
        let mut picture =
            with(file(part("image/png", b""), "=?utf-8?q?B=C3=A4r.png?="), "Content-Id", "<p@x>");
        picture["partId"] = json!("0.1");
        let tree = |html: &[u8]| many("multipart/related", &[part("text/html", html), picture.clone()]);
        let shown = content(&tree(b"<img src='CID:p@x'>")).attachments.remove(0);
        let expected = Attachment {
            id: Some("0.1".into()),
            title: Some("Bär.png".into()),
            media_type: Some("image/png".into()),
            size: Some(7),
            content_id: Some("p@x".into()),
            inline: true,
            ..Attachment::default()
        };
        assert_eq!(shown, expected);
        assert!(!content(&tree(b"p@x cid:q@x")).attachments[0].inline);
        let below = with(file(part("application/pdf", b""), "a.pdf"), "Content-Disposition", "inline");
        let alone = content(&below).attachments.remove(0);
        assert_eq!((alone.inline, alone.id.as_deref()), (true, Some(ROOT)));
    }

    #[test]
    fn base64_is_read_as_it_is_written() {
        let odd = "a?b>c~~";
        for data in ["YT9iPmN-fg==", "YT9iPmN-fg", "YT9iPmN+fg==", "YT9i\r\nPmN-\r\nfg==\r\n", "YT9iPmN-fh"] {
            assert_eq!(decode(data).unwrap(), odd.as_bytes(), "{data}");
        }
        assert_eq!(decode("").unwrap(), b"");
        let broken = json!({"mimeType": "text/html", "body": {"size": 3, "data": "a*b"}});
        let tree =
            many("multipart/mixed", &[part("text/plain", b"x"), many("multipart/alternative", &[broken])]);
        let tree = tree.to_string();
        let error = read(&serde_json::from_str(&tree).unwrap()).unwrap_err();
        assert_eq!(error.to_string(), "$.payload.parts[1].parts[0].body.data: expected base64");
    }

    #[test]
    fn letters_come_from_the_charset_where_they_are_not_utf_8() {
        for (charset, bytes, text) in [
            ("text/plain; charset=UTF-8", "ü".as_bytes(), "ü"),
            // Brought into UTF-8 by Gmail, which leaves the header.
            ("text/plain; charset=iso-8859-1", "ü".as_bytes(), "ü"),
            ("text/plain; charset=iso-8859-1", b"\xfc", "ü"),
            ("text/plain; charset=\"Shift_JIS\"", b"\x8e\x52\x93\x63", "山田"),
            ("text/plain; charset=iso-2022-jp", b"\x1b$B;3ED\x1b(B", "山田"),
            ("text/plain; charset=us-ascii", b"\x1b[1m", "\x1b[1m"),
            ("text/plain; charset=utf-16le", b"a\0b\0", "ab"),
            ("text/plain", b"\x80 \xfc", "€ ü"),
            ("text/plain; charset=utf-8", b"a\xfc", "a\u{fffd}"),
            ("text/plain; charset=klingon", b"a\xfc", "a\u{fffd}"),
            ("", b"\xfc", "ü"),
        ] {
            let part = with(part("text/plain", bytes), "Content-Type", charset);
            expect(&part, text, "", &[]);
        }
    }
}
