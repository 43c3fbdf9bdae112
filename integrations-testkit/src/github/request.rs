//! What does one call carry through its answer?

use http::header::ACCEPT;
use http::{HeaderName, Method};

use super::GitHub;
use super::access::Caller;
use super::errors::{refused, unsupported};
use super::hub::Hub;
use super::operation::{Asked, Row};
use super::query::Query;
use super::view::{Media, Version, View};
use crate::server::{Call, Reply};

const VERSION: HeaderName = HeaderName::from_static("x-github-api-version");
/// Behind this is the API of GitHub Enterprise.
const ENTERPRISE: &str = "/api/v3";

/// The path of a call without the prefix of the API.
pub(super) fn path_of(call: &Call) -> &str {
    match call.path.strip_prefix(ENTERPRISE) {
        Some(rest) if rest.starts_with('/') => rest,
        _ => &call.path,
    }
}

/// The base of the API's addresses, as the caller knows it.
pub(super) fn base_of(call: &Call) -> String {
    let host = call.header(http::header::HOST).unwrap_or("127.0.0.1");
    let enterprise = call.path.len() != path_of(call).len() || call.path.starts_with("/api/");
    format!("http://{host}{}", if enterprise { ENTERPRISE } else { "" })
}

/// What a media type asks for: what `Accept` has, what is in bodies (raw, text, HTML), and its name.
type MediaRow = (&'static str, [bool; 3], &'static str);

const MEDIA: &[MediaRow] = &[
    ("application/vnd.github+json", [true, false, false], "github.v3; format=json"),
    ("application/vnd.github.v3+json", [true, false, false], "github.v3; format=json"),
    ("application/json", [true, false, false], "github.v3; format=json"),
    ("application/vnd.github.raw+json", [true, false, false], "github.v3; param=raw; format=json"),
    ("application/vnd.github.text+json", [false, true, false], "github.v3; param=text; format=json"),
    ("application/vnd.github.html+json", [false, false, true], "github.v3; param=html; format=json"),
    ("application/vnd.github.full+json", [true, true, true], "github.v3; param=full; format=json"),
    ("*/*", [true, false, false], "github.v3; format=json"),
];

/// The forms that a call asks for; the first that is known of several.
pub(super) fn media_of(call: &Call) -> Result<Media, Reply> {
    let accept = call.header(ACCEPT).unwrap_or("*/*");
    let mut asked = accept.split(',').map(|part| part.split(';').next().unwrap_or_default().trim());
    let known = asked.find_map(|asked| MEDIA.iter().find(|(name, ..)| name.eq_ignore_ascii_case(asked)));
    match known {
        Some(&(_, [raw, text, html], name)) => Ok(Media { raw, text, html, name }),
        None => Err(refused(
            415,
            &format!("Unsupported 'Accept' header: {accept:?}. Must accept 'application/json'."),
            "",
        )),
    }
}

/// The version that a call asks for; the oldest when it asks for none.
pub(super) fn version_of(call: &Call) -> Result<Version, Reply> {
    match call.header(VERSION) {
        None | Some("2022-11-28") => Ok(Version::V2022),
        Some("2026-03-10") => Ok(Version::V2026),
        Some(other) => {
            let message = format!(
                "The version you specified in the \"X-GitHub-API-Version\" request header, {other:?}, is not a \
                 supported version. The following versions are currently supported: \"2026-03-10\" (most \
                 recent), \"2022-11-28\"."
            );
            Err(refused(400, &message, "about-the-rest-api/api-versions"))
        }
    }
}

/// A call that is in order, on its way to an answer.
pub(super) struct Request<'a> {
    pub(super) github: &'a GitHub,
    pub(super) caller: &'a Caller,
    pub(super) asked: &'a Asked,
    pub(super) query: Query,
    pub(super) api: String,
    media: Media,
    version: Version,
}

impl<'a> Request<'a> {
    pub(super) fn of(
        github: &'a GitHub,
        caller: &'a Caller,
        asked: &'a Asked,
        call: &Call,
    ) -> Result<Self, Reply> {
        if call.method != Method::GET {
            return Err(unsupported(call.method.as_str()));
        }
        Ok(Self {
            github,
            caller,
            asked,
            query: Query::of(call, asked.row)?,
            api: base_of(call),
            media: media_of(call)?,
            version: version_of(call)?,
        })
    }

    pub(super) const fn row(&self) -> &'static Row {
        self.asked.row
    }

    pub(super) fn view<'v>(&'v self, hub: &'v Hub) -> View<'v> {
        View { hub, api: &self.api, media: self.media, version: self.version }
    }

    pub(super) const fn version(&self) -> Version {
        self.version
    }

    /// How many items a page of this listing has.
    pub(super) fn per_page(&self) -> usize {
        self.per_page_of(30, 100)
    }

    pub(super) fn per_page_of(&self, usual: usize, most: usize) -> usize {
        self.query.per_page(usual, most).min(self.github.settings.page_cap)
    }
}
