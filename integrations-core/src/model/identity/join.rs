//! Which meeting does an address lead to, however it is written?

use std::borrow::Cow;
use std::fmt;

use percent_encoding::percent_decode_str;
use sha2::{Digest, Sha256};
use url::Url;

/// How many addresses may be wrapped in each other.
const WRAPPERS: usize = 3;

/// What an address to join by leads to: the same for every way of writing it, without passcodes.
///
/// | Service | Addresses | Key |
/// |---|---|---|
/// | Zoom | `*.zoom.us` with `/j/`, `/w/`, `/s/` or `/wc/` and a number | `zoom:91234567890` |
/// | | `*.zoom.us/my/NAME` | `zoom:my/name`, a room |
/// | Google Meet | `meet.google.com/abc-defg-hij`, also without dashes | `meet:abc-defg-hij` |
/// | | `meet.google.com/lookup/NAME` | `meet:lookup/name`, a room |
/// | Teams | `/l/meetup-join/THREAD/MESSAGE` | `teams:THREAD/MESSAGE` |
/// | | `/meet/NUMBER` | `teams:meet/NUMBER` |
/// | Webex | any with an `MTID` | `webex:acme.webex.com/mtid/…` |
/// | | `/meet/NAME`, `/join/NAME` | `webex:acme.webex.com/meet/name`, a room |
/// | others | [where a meeting is stated to be](Self::of_place) | `url:HOST/DIGEST`, taken for a room |
///
/// A room is there for many meetings, at different times: that two items lead to one room says little.
/// Addresses that Outlook's Safe Links, Google's redirects, Proofpoint or the launcher of Teams have wrapped
/// are unwrapped.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JoinKey {
    // First, so that what leads to one meeting sorts before what leads to a room.
    room: bool,
    text: Box<str>,
}

impl JoinKey {
    /// Where an address of a known service leads; `None` for any other page.
    pub fn of_url(url: &str) -> Option<Self> {
        let mut url = Cow::Borrowed(url.trim());
        for _ in 0..=WRAPPERS {
            let parsed = Url::parse(&url).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
            match unwrapped(&parsed, &url) {
                Some(inner) => url = Cow::Owned(inner),
                None => return Self::of_known(&parsed),
            }
        }
        None
    }

    /// Where an address leads that is stated to be the way into a meeting, whosever service it is.
    pub fn of_place(url: &str) -> Option<Self> {
        Self::of_url(url).or_else(|| {
            let url = Url::parse(url.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
            let host = url.host_str()?;
            // A service that has a way of its own to name meetings has other pages, too.
            if host.is_empty() || SERVICES.iter().any(|(domain, _)| is_below(host, domain)) {
                return None;
            }
            // The rest may hold what lets people in: the key does not show it.
            let mut digest = Sha256::new();
            digest.update(url.path().trim_end_matches('/'));
            digest.update("?");
            digest.update(url.query().unwrap_or_default());
            let digest = bytes::Bytes::copy_from_slice(&digest.finalize()[..16]);
            Some(Self::room(format!("url:{host}/{digest:x}")))
        })
    }

    /// Where a number or a code leads that people type in, of a service whose codes are unlike others'.
    pub fn of_code(code: &str) -> Option<Self> {
        let bare: String = code.chars().filter(|char| !matches!(char, ' ' | '-' | '\u{a0}')).collect();
        if (9..=11).contains(&bare.len()) && bare.bytes().all(|byte| byte.is_ascii_digit()) {
            Some(Self::meeting(format!("zoom:{bare}")))
        } else {
            meet_code(&bare.to_ascii_lowercase()).map(Self::meeting)
        }
    }

    /// Whether it leads to a room that is there for many meetings.
    pub fn is_room(&self) -> bool {
        self.room
    }

    /// The key as text: the service, a colon, and what the service calls the meeting.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn meeting(text: impl Into<Box<str>>) -> Self {
        Self { room: false, text: text.into() }
    }

    fn room(text: impl Into<Box<str>>) -> Self {
        Self { room: true, text: text.into() }
    }

    fn of_known(url: &Url) -> Option<Self> {
        let host = url.host_str()?;
        let (_, read) = SERVICES.iter().find(|(domain, _)| is_below(host, domain))?;
        read(&Address::new(host, url))
    }
}

impl fmt::Display for JoinKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// How the addresses of a service are read.
type Read = fn(&Address<'_>) -> Option<JoinKey>;

/// The services, by the domain that their hosts are below.
const SERVICES: &[(&str, Read)] = &[
    ("zoom.us", |address| zoom("zoom", address)),
    ("zoom.com", |address| zoom("zoom", address)),
    ("zoomgov.com", |address| zoom("zoomgov", address)),
    ("meet.google.com", meet),
    ("teams.microsoft.com", teams),
    ("teams.cloud.microsoft", teams),
    ("teams.live.com", teams),
    ("teams.microsoft.us", teams),
    ("webex.com", webex),
];

/// Whether a host is this domain, or below it.
fn is_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|below| below.is_empty() || below.ends_with('.'))
}

/// An address in parts.
struct Address<'a> {
    host: &'a str,
    url: &'a Url,
    /// The segments of the path, decoded.
    path: Vec<String>,
}

impl<'a> Address<'a> {
    fn new(host: &'a str, url: &'a Url) -> Self {
        // The web client of Teams keeps its path behind a `#`.
        let path = match (url.path(), url.fragment()) {
            ("/_", Some(fragment)) => fragment.split('?').next().unwrap_or_default(),
            (path, _) => path,
        };
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let path = path.split('/').filter(|part| !part.is_empty()).map(decoded).collect();
        Self { host, url, path }
    }

    fn parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        let mut pairs = self.url.query_pairs();
        pairs
            .find_map(|(key, value)| key.eq_ignore_ascii_case(name).then_some(value))
            .filter(|value| !value.is_empty())
    }

    fn lower_path(&self) -> Vec<String> {
        self.path.iter().map(|part| part.to_lowercase()).collect()
    }
}

/// The numbers of one Zoom are the same under every host; names of rooms are given once as well.
fn zoom(space: &str, address: &Address<'_>) -> Option<JoinKey> {
    let path = address.lower_path();
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    match path[..] {
        ["my", name, ..] => Some(JoinKey::room(format!("{space}:my/{name}"))),
        ["wc", "join", number, ..] | ["wc" | "j" | "w" | "s", number, ..] => {
            // What stands behind the digits was glued to the address by a text.
            let end = number.find(|char: char| !char.is_ascii_digit()).unwrap_or(number.len());
            (5..=20).contains(&end).then(|| JoinKey::meeting(format!("{space}:{}", &number[..end])))
        }
        _ => None,
    }
}

fn meet(address: &Address<'_>) -> Option<JoinKey> {
    let path = address.lower_path();
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    match path[..] {
        ["lookup", name, ..] => Some(JoinKey::room(format!("meet:lookup/{name}"))),
        [code, ..] => meet_code(&code.replace('-', "")).map(JoinKey::meeting),
        [] => None,
    }
}

/// Ten letters, in groups of three, four and three.
fn meet_code(bare: &str) -> Option<String> {
    let is_code = bare.len() == 10 && bare.bytes().all(|byte| byte.is_ascii_lowercase());
    is_code.then(|| format!("meet:{}-{}-{}", &bare[..3], &bare[3..7], &bare[7..]))
}

/// A meeting is a message of a thread; the case of a thread's name counts.
fn teams(address: &Address<'_>) -> Option<JoinKey> {
    let path: Vec<&str> = address.path.iter().map(String::as_str).collect();
    match path[..] {
        ["l", "meetup-join", thread, ref rest @ ..] => {
            // Some programs encode an address that is encoded.
            let thread = percent_decode_str(thread).decode_utf8_lossy();
            let message = rest.first().copied().unwrap_or("0");
            Some(JoinKey::meeting(format!("teams:{thread}/{message}")))
        }
        ["meet", number, ..] if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(JoinKey::meeting(format!("teams:meet/{number}")))
        }
        _ => None,
    }
}

/// The path of most meetings is the same, and a parameter tells them apart.
fn webex(address: &Address<'_>) -> Option<JoinKey> {
    let host = address.host;
    if let Some(id) = address.parameter("MTID") {
        return Some(JoinKey::meeting(format!("webex:{host}/mtid/{}", id.to_lowercase())));
    }
    let path = address.lower_path();
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    match path[..] {
        ["meet" | "join", name, ..] => Some(JoinKey::room(format!("webex:{host}/meet/{name}"))),
        ["m", id, ..]
        | ["webappng", "sites", _, "meeting", "info" | "download", id, ..]
        | ["wbxmjs", "joinservice", "sites", _, "meeting", "download", id, ..] => {
            Some(JoinKey::meeting(format!("webex:{host}/meeting/{id}")))
        }
        _ => None,
    }
}

/// The address within an address, where a service has wrapped it.
fn unwrapped(url: &Url, text: &str) -> Option<String> {
    let host = url.host_str()?;
    let parameter =
        |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    if is_below(host, "safelinks.protection.outlook.com") {
        parameter("url")
    } else if matches!(host, "google.com" | "www.google.com") && url.path() == "/url" {
        parameter("q").or_else(|| parameter("url"))
    } else if host.starts_with("teams.") && url.path().starts_with("/dl/launcher/") {
        let inner = parameter("url")?;
        url.join(&inner).ok().filter(|inner| inner.host_str() == Some(host)).map(Into::into)
    } else if host == "urldefense.com" {
        // The address is in the path as it is, `?` and `//` and all, so that it is cut out of the text.
        let (_, inner) = text.split_once("/v3/__")?;
        Some(inner.split_once("__;").map_or(inner, |(inner, _)| inner).to_owned())
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(url: &str) -> Option<String> {
        JoinKey::of_url(url).map(|key| key.to_string())
    }

    #[test]
    fn every_way_of_writing_an_address_has_one_key() {
        let thread = "19:meeting_NzIyNzhlMGEtM2YyZC00ZmY0@thread.v2";
        let teams = "https%3A%2F%2Fteams.microsoft.com%2Fl%2Fmeetup-join%2F19%253ameeting_NzIyNzhlMGEtM2YyZC00ZmY0%2540thread.v2%2F0%3Fcontext%3D%257b%257d";
        for (expected, urls) in [
            (
                "zoom:91234567890",
                &[
                    "https://zoom.us/j/91234567890",
                    "http://zoom.us/j/91234567890?pwd=YWJjZA.1",
                    "https://us02web.zoom.us/j/91234567890?pwd=x#success",
                    "https://acme.zoom.us/w/91234567890?tk=x",
                    "https://acme.zoom.us/s/91234567890?zak=secret",
                    "HTTPS://ACME.ZOOM.US/J/91234567890/",
                    "https://app.zoom.us/wc/91234567890/join?fromPWA=1",
                    "https://acme.zoom.us/wc/join/91234567890",
                    "https://zoom.us:443/j/91234567890",
                    "https://zoom.us/j/91234567890&nbsp",
                    " https://zoom.us/j/91234567890\n",
                    "https://www.google.com/url?q=https://acme.zoom.us/j/91234567890?pwd%3Dx&sa=D&ust=1&usg=a",
                    "https://urldefense.com/v3/__https://acme.zoom.us/j/91234567890?pwd=x__;!!AbC!dEf$",
                    "https://nam12.safelinks.protection.outlook.com/?url=https%3A%2F%2Fwww.google.com%2Furl%3Fq%3Dhttps%253A%252F%252Fzoom.us%252Fj%252F91234567890&data=05",
                ][..],
            ),
            ("zoomgov:1612345678", &["https://www.zoomgov.com/j/1612345678?pwd=x"]),
            (
                "zoom:my/ada.lovelace",
                &["https://zoom.us/my/ada.lovelace", "https://acme.zoom.us/my/Ada.Lovelace?pwd=x"],
            ),
            (
                "meet:abc-defg-hij",
                &[
                    "https://meet.google.com/abc-defg-hij",
                    "https://meet.google.com/abc-defg-hij?authuser=0&hs=122",
                    "http://meet.google.com/ABCDEFGHIJ",
                ],
            ),
            ("meet:lookup/standup", &["https://meet.google.com/lookup/standup?hs=1"]),
            (
                &format!("teams:{thread}/0"),
                &[
                    "https://teams.microsoft.com/l/meetup-join/19%3ameeting_NzIyNzhlMGEtM2YyZC00ZmY0%40thread.v2/0?context=%7b%22Tid%22%3a%22x%22%7d",
                    "https://teams.microsoft.com/l/meetup-join/19:meeting_NzIyNzhlMGEtM2YyZC00ZmY0@thread.v2/0",
                    "https://teams.cloud.microsoft/l/meetup-join/19%253Ameeting_NzIyNzhlMGEtM2YyZC00ZmY0%2540thread.v2/0",
                    "https://teams.microsoft.com/_#/l/meetup-join/19:meeting_NzIyNzhlMGEtM2YyZC00ZmY0@thread.v2/0?context=x",
                    "https://teams.microsoft.com/dl/launcher/launcher.html?url=%2F_%23%2Fl%2Fmeetup-join%2F19%3Ameeting_NzIyNzhlMGEtM2YyZC00ZmY0@thread.v2%2F0%3Fcontext%3Dx&type=meetup-join",
                    &format!(
                        "https://eur01.safelinks.protection.outlook.com/ap/t-59584e83/?url={teams}&data=05%7C01&reserved=0"
                    ),
                ],
            ),
            (
                "teams:19:900876baa3134907b0dcb41a0d220e31@thread.skype/1501527539926",
                &[
                    "https://teams.microsoft.com/l/meetup-join/19%3a900876baa3134907b0dcb41a0d220e31%40thread.skype/1501527539926?tenantId=d",
                ],
            ),
            (
                "teams:meet/2345678901234",
                &[
                    "https://teams.microsoft.com/meet/2345678901234?p=secret",
                    "https://teams.live.com/meet/2345678901234",
                ],
            ),
            (
                "webex:acme.webex.com/mtid/m0a1b",
                &[
                    "https://acme.webex.com/acme/j.php?MTID=M0A1B",
                    "https://acme.webex.com/webappng/sites/acme/meeting/info/77?siteurl=acme&MTID=m0a1b",
                ],
            ),
            (
                "webex:acme.webex.com/meet/ada",
                &["https://acme.webex.com/meet/Ada", "https://acme.webex.com/join/ada?x=1"],
            ),
        ] {
            for url in urls {
                assert_eq!(key(url).as_deref(), Some(expected), "{url}");
            }
        }
    }

    #[test]
    fn pages_that_no_meeting_is_behind_have_no_key() {
        for url in [
            "",
            "zoom.us/j/91234567890",
            "mailto:ada@zoom.us",
            "ftp://zoom.us/j/91234567890",
            "https://zoom.us/",
            "https://zoom.us/j/",
            "https://zoom.us/j/ada",
            "https://zoom.us/rec/share/91234567890",
            "https://zoom.us/webinar/register/WN_91234567890",
            // Names that look like the service's.
            "https://zoom.us.example.com/j/91234567890",
            "https://notzoom.us/j/91234567890",
            "https://zoom.us@example.com/j/91234567890",
            "https://example.com/?u=https://zoom.us/j/91234567890",
            "https://meet.google.com/",
            "https://meet.google.com/new",
            "https://teams.microsoft.com/l/chat/19%3ameeting_x%40thread.v2/0",
            "https://teams.microsoft.com/meet/ada",
            "https://help.webex.com/en-us/article/n1",
            "https://acme.webex.com/acme/j.php",
        ] {
            assert_eq!(key(url), None, "{url}");
        }
        // Wrapped again and again.
        let mut url = "https://zoom.us/j/91234567890".to_owned();
        for depth in 1..8 {
            url = format!(
                "https://www.google.com/url?q={}",
                percent_encoding::utf8_percent_encode(&url, percent_encoding::NON_ALPHANUMERIC)
            );
            assert_eq!(key(&url).is_some(), depth <= WRAPPERS, "{depth}");
        }
    }

    #[test]
    fn what_is_stated_to_be_the_way_in_has_a_key_whosever_it_is() {
        let place = |url| JoinKey::of_place(url).map(|key| key.to_string());
        let room = place("https://meet.example.com/Standup?pwd=secret").unwrap();
        assert!(room.starts_with("url:meet.example.com/") && !room.contains("secret"), "{room}");
        assert_eq!(place("https://MEET.example.com/Standup/?pwd=secret#x").as_deref(), Some(&*room));
        assert_ne!(place("https://meet.example.com/standup?pwd=secret").as_deref(), Some(&*room));
        assert!(JoinKey::of_place("https://meet.example.com/Standup").unwrap().is_room());
        assert_eq!(place("https://zoom.us/j/91234567890").as_deref(), Some("zoom:91234567890"));
        for url in
            ["tel:+4930", "sip:1@example.com", "https://zoom.us/signin", "https://help.webex.com/x", "Room 1"]
        {
            assert_eq!(place(url), None, "{url}");
        }
    }

    #[test]
    fn codes_are_read_by_their_shape() {
        let code = |code| JoinKey::of_code(code).map(|key| key.to_string());
        assert_eq!(code("912 3456 7890").as_deref(), Some("zoom:91234567890"));
        assert_eq!(code("123-456-789").as_deref(), Some("zoom:123456789"));
        assert_eq!(code("ABC-defg-hij").as_deref(), Some("meet:abc-defg-hij"));
        for other in
            ["", "12345678", "123456789012", "abcdefghijk", "abc-defg-hi1", "4444AAAiAAAAAiAiAiiAii=="]
        {
            assert_eq!(code(other), None, "{other}");
        }
    }
}
