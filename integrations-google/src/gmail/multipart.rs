//! How does one answer carry many?
//!
//! An answer to a batch is `multipart/mixed` (RFC 2046, 5.1); each part is `application/http`, an answer of its
//! own. The parts come in any order: `Content-ID` says whose they are. The bodies are slices of the answer:
//! a MIME parser would want the headers before them, and so a copy of it all.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName};
use http::{HeaderMap, HeaderValue, StatusCode};
use integrations_core::http::Response;
use integrations_core::mail::line;
use mail_parser::parsers::MessageStream;
use memchr::memmem;

/// How many headers a part, or the answer in it, may have.
const MAX_HEADERS: usize = 64;

/// The answer to one call of a batch.
#[derive(Debug)]
pub(super) struct Part {
    /// The number that the call was given.
    pub number: usize,
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// The id that a call goes under.
pub(super) fn content_id(number: usize) -> String {
    format!("<item{number}@batch>")
}

/// The parts of an answer that can be read: one that is cut off, or does not say whose it is, is left out.
/// `None` when the answer is no batch's.
pub(super) fn parts(answer: &Response) -> Option<Vec<Part>> {
    let delimiter = format!("--{}", boundary(&answer.headers)?);
    let body = &answer.body;
    let mut parts = Vec::new();
    let mut begun: Option<usize> = None;
    let mut found = false;
    for at in memmem::find_iter(body, delimiter.as_bytes()) {
        // A delimiter is a line of its own; the end of the line before it is a part of it.
        let Some(before) = line_before(body, at) else { continue };
        let Some(Line { last, end }) = Line::behind(body, at + delimiter.len()) else { continue };
        found = true;
        if let Some(start) = begun.filter(|start| *start <= before) {
            parts.extend(part(&body.slice(start..before)));
        }
        begun = Some(end);
        if last {
            break;
        }
    }
    found.then_some(parts)
}

fn boundary(headers: &HeaderMap) -> Option<String> {
    let value = line(headers.get(CONTENT_TYPE)?.to_str().ok()?);
    let value = MessageStream::new(value.as_bytes()).parse_content_type();
    let kind = value.as_content_type().filter(|kind| kind.ctype().eq_ignore_ascii_case("multipart"))?;
    kind.attribute("boundary").filter(|boundary| !boundary.is_empty()).map(str::to_owned)
}

/// Where the line before this place ends; `None` within a line.
fn line_before(body: &[u8], at: usize) -> Option<usize> {
    match body[..at] {
        [] => Some(0),
        [.., b'\r', b'\n'] => Some(at - 2),
        [.., b'\n'] => Some(at - 1),
        _ => None,
    }
}

/// The rest of a delimiter's line.
struct Line {
    /// Whether it ends the batch.
    last: bool,
    /// Where the next line begins.
    end: usize,
}

impl Line {
    fn behind(body: &[u8], at: usize) -> Option<Self> {
        let rest = &body[at..];
        let length = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
        let last = match rest[..length].trim_ascii() {
            b"" => false,
            b"--" => true,
            _ => return None,
        };
        Some(Self { last, end: at + length })
    }
}

fn part(part: &Bytes) -> Option<Part> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let read = httparse::parse_headers(part, &mut headers).ok()?;
    let httparse::Status::Complete((start, outer)) = read else { return None };
    let id = outer.iter().find(|header| header.name.eq_ignore_ascii_case("Content-ID"))?;
    let number = number(str::from_utf8(id.value).ok()?)?;

    let answer = part.slice(start..);
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut head = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(start) = head.parse(&answer).ok()? else { return None };
    let status = StatusCode::from_u16(head.code?).ok()?;
    let headers = head
        .headers
        .iter()
        .filter_map(|header| {
            let name = HeaderName::from_bytes(header.name.as_bytes()).ok()?;
            Some((name, HeaderValue::from_bytes(header.value).ok()?))
        })
        .collect::<HeaderMap>();
    let body = answer.slice(start..);
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.trim().parse().ok());
    if length.is_some_and(|length: usize| body.len() < length) {
        return None;
    }
    Some(Part { number, status, headers, body })
}

/// The number in `<response-item7@batch>`.
fn number(content_id: &str) -> Option<usize> {
    let id = content_id.trim().trim_start_matches('<');
    let id = id.strip_prefix("response-").unwrap_or(id).strip_prefix("item")?;
    id.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(content_type: &'static str, body: impl Into<Bytes>) -> Response {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(content_type))]);
        Response::new(StatusCode::OK, headers, body)
    }

    fn read(content_type: &'static str, body: impl Into<Bytes>) -> Option<Vec<String>> {
        let parts = parts(&answer(content_type, body))?;
        let show = |part: Part| {
            let body = String::from_utf8_lossy(&part.body).trim_end().to_owned();
            format!("{} {} {body}", part.number, part.status.as_u16())
        };
        Some(parts.into_iter().map(show).collect())
    }

    const TYPE: &str = "multipart/mixed; boundary=batch_x";

    /// Two parts in Google's formatting, the second first.
    const TWO: &str = "--batch_x\r\n\
        Content-Type: application/http\r\n\
        Content-ID: <response-item1@batch>\r\n\
        \r\n\
        HTTP/1.1 404 Not Found\r\n\
        Vary: Origin\r\n\
        Content-Type: application/json; charset=UTF-8\r\n\
        Content-Length: 20\r\n\
        \r\n\
        {\"error\":\r\n{\"a\":1}}\n\
        \r\n\
        --batch_x\r\n\
        content-type: application/http\r\n\
        content-id: response-item0\r\n\
        \r\n\
        HTTP/1.1 200\r\n\
        \r\n\
        {\"note\":\"--batch_x--\"}\r\n\
        --batch_x--\r\n";

    #[test]
    fn parts_are_told_apart_and_told_whose_they_are() {
        let both = ["1 404 {\"error\":\r\n{\"a\":1}}", "0 200 {\"note\":\"--batch_x--\"}"].map(str::to_owned);
        assert_eq!(read(TYPE, TWO).unwrap(), both);
        assert_eq!(read("Multipart/Mixed; boundary=\"batch_x\"", TWO).unwrap(), both);
        let odd = format!(
            "preamble --batch_x\r\n{}\r\n--batch_x\r\nepilogue",
            TWO.replace("--batch_x\r", "--batch_x \t\r")
        );
        assert_eq!(read(TYPE, odd).unwrap(), both);
        let bare = TWO.replace("\r\n", "\n").replace("Content-Length: 20\n", "");
        assert_eq!(read(TYPE, bare).unwrap().len(), 2);
        let parts = parts(&answer(TYPE, TWO)).unwrap();
        assert_eq!(parts[0].headers["vary"], "Origin");
    }

    #[test]
    fn what_is_cut_off_is_left_out_wherever_the_cut_is() {
        let first = TWO.find("\r\n--batch_x\r\ncontent").unwrap() + "\r\n--batch_x".len();
        let second = TWO.len() - "--\r\n".len();
        for end in 0..TWO.len() {
            let count = read(TYPE, &TWO[..end]).map_or(0, |parts| parts.len());
            let whole = usize::from(end >= first) + usize::from(end >= second);
            assert!(count <= whole, "{end}: {count}");
            assert!(end < TWO.len() - 2 || count == 2, "{end}");
        }
        let short = TWO.replace("Content-Length: 20", "Content-Length: 2000");
        assert_eq!(read(TYPE, short).unwrap().len(), 1);
    }

    #[test]
    fn what_is_no_batch_has_no_parts() {
        for (content_type, body) in [
            ("text/html", TWO),
            ("multipart/mixed", TWO),
            ("multipart/mixed; boundary=", TWO),
            ("multipart/mixed; boundary=other", TWO),
            (TYPE, ""),
            (TYPE, "<html>--batch_x</html>"),
        ] {
            assert_eq!(read(content_type, body), None, "{content_type} {body}");
        }
        assert_eq!(read(TYPE, "--batch_x--"), Some(vec![]));
        assert_eq!(read(TYPE, "--batch_x\r\n--batch_x\r\n--batch_x--"), Some(vec![]));
        assert_eq!(read(TYPE, TWO.replace("item1", "1").replace("item0", "itemx")), Some(vec![]));
    }

    #[test]
    fn a_number_comes_back_as_it_went() {
        for number in [0, 7, 99] {
            let id = content_id(number);
            assert_eq!(super::number(&id), Some(number));
            assert_eq!(super::number(&id.replacen('<', "<response-", 1)), Some(number));
        }
    }
}
