//! Which operations are there, and what belongs to each?

use percent_encoding::percent_decode_str;

use super::limits::Category;

/// An operation of the API that this fake answers itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    User,
    Users,
    Meetings,
    Meeting,
    PastMeeting,
    PastInstances,
    PastParticipants,
    Recordings,
    RecordingsOfMeeting,
}

/// One operation, as data.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) operation: Operation,
    pub(super) name: &'static str,
    /// `{}` stands for one segment, `{me}` for the word `me`.
    path: &'static str,
    pub(super) parameters: &'static [&'static str],
    /// Any of these opens it; without the ending `:admin` for the user's own only.
    pub(super) scopes: &'static [&'static str],
    pub(super) category: Category,
    /// Whether it is for accounts that pay.
    pub(super) paid: bool,
}

const USER: &[&str] = &["user:read:user", "user:read:user:admin", "user:read", "user:read:admin"];
const USERS: &[&str] = &["user:read:list_users:admin", "user:read:admin"];
const LIST: &[&str] =
    &["meeting:read:list_meetings", "meeting:read:list_meetings:admin", "meeting:read", "meeting:read:admin"];
const GET: &[&str] =
    &["meeting:read:meeting", "meeting:read:meeting:admin", "meeting:read", "meeting:read:admin"];
const PAST: &[&str] =
    &["meeting:read:past_meeting", "meeting:read:past_meeting:admin", "meeting:read", "meeting:read:admin"];
const INSTANCES: &[&str] = &[
    "meeting:read:list_past_instances",
    "meeting:read:list_past_instances:admin",
    "meeting:read",
    "meeting:read:admin",
];
const PARTICIPANTS: &[&str] = &[
    "meeting:read:list_past_participants",
    "meeting:read:list_past_participants:admin",
    "meeting:read",
    "meeting:read:admin",
];
const RECORDINGS: &[&str] = &[
    "cloud_recording:read:list_user_recordings",
    "cloud_recording:read:list_user_recordings:admin",
    "recording:read",
    "recording:read:admin",
];
const FILES: &[&str] = &[
    "cloud_recording:read:list_recording_files",
    "cloud_recording:read:list_recording_files:admin",
    "recording:read",
    "recording:read:admin",
];

const LISTED_USERS: &[&str] = &["status", "page_size", "page_number", "next_page_token"];
const LISTED_MEETINGS: &[&str] =
    &["type", "page_size", "page_number", "next_page_token", "from", "to", "timezone"];
const ONE_MEETING: &[&str] = &["occurrence_id", "show_previous_occurrences"];
const PAGES: &[&str] = &["page_size", "next_page_token"];
const LISTED_RECORDINGS: &[&str] =
    &["from", "to", "page_size", "next_page_token", "trash", "trash_type", "mc", "meeting_id"];

const fn row(
    operation: Operation,
    name: &'static str,
    path: &'static str,
    parameters: &'static [&'static str],
    scopes: &'static [&'static str],
    category: Category,
) -> Row {
    Row { operation, name, path, parameters, scopes, category, paid: false }
}

impl Row {
    const fn paid(self) -> Self {
        Self { paid: true, ..self }
    }
}

#[rustfmt::skip]
const OPERATIONS: &[Row] = &[
    row(Operation::User, "users.me", "/v2/users/{me}", &[], USER, Category::Light),
    row(Operation::User, "users.get", "/v2/users/{}", &[], USER, Category::Light),
    row(Operation::Users, "users.list", "/v2/users", LISTED_USERS, USERS, Category::Medium),
    row(Operation::Meetings, "meetings.list", "/v2/users/{}/meetings", LISTED_MEETINGS, LIST, Category::Medium),
    row(Operation::Meeting, "meetings.get", "/v2/meetings/{}", ONE_MEETING, GET, Category::Light),
    row(Operation::PastMeeting, "pastMeetings.get", "/v2/past_meetings/{}", &[], PAST, Category::Light),
    row(Operation::PastInstances, "pastMeetings.instances", "/v2/past_meetings/{}/instances", &[], INSTANCES, Category::Medium),
    row(Operation::PastParticipants, "pastMeetings.participants", "/v2/past_meetings/{}/participants", PAGES, PARTICIPANTS, Category::Medium).paid(),
    row(Operation::Recordings, "recordings.list", "/v2/users/{}/recordings", LISTED_RECORDINGS, RECORDINGS, Category::Medium).paid(),
    row(Operation::RecordingsOfMeeting, "recordings.get", "/v2/meetings/{}/recordings", &[], FILES, Category::Light).paid(),
];

/// What a call asks for.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) row: &'static Row,
    /// The user, meeting or session that the path names.
    pub(super) named: String,
}

/// The operation that a path is for.
pub(super) fn asked(path: &str) -> Option<Asked> {
    OPERATIONS.iter().find_map(|row| {
        let (mut segments, mut named) = (path.split('/'), String::new());
        for expected in row.path.split('/') {
            let segment = segments.next()?;
            match expected {
                "{}" if !segment.is_empty() => named = decoded(segment),
                "{me}" if segment == "me" => named = decoded(segment),
                _ if expected == segment => {}
                _ => return None,
            }
        }
        segments.next().is_none().then_some(Asked { row, named })
    })
}

/// What a segment says. Zoom decodes it once on the way in, and after that a slash at its beginning, or two in
/// a row, are taken for a mistake in writing; what is encoded twice comes through.
fn decoded(segment: &str) -> String {
    let once = percent_decode_str(segment).decode_utf8_lossy().into_owned();
    if once.contains('%') {
        return percent_decode_str(&once).decode_utf8_lossy().into_owned();
    }
    let mut squeezed = once.trim_start_matches('/').to_owned();
    while squeezed.contains("//") {
        squeezed = squeezed.replace("//", "/");
    }
    squeezed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(path: &str) -> Option<(&'static str, String)> {
        asked(path).map(|asked| (asked.row.name, asked.named))
    }

    #[test]
    fn a_path_names_its_operation_and_what_it_is_about() {
        for row in OPERATIONS {
            let path = row.path.replace("{}", "81234567890").replace("{me}", "me");
            assert_eq!(asked(&path).map(|asked| asked.row.name), Some(row.name), "{path}");
        }
        assert_eq!(named("/v2/users/me/meetings"), Some(("meetings.list", "me".to_owned())));
        for unknown in
            ["/v2/users/", "/v2/meetings", "/v2/users/me/webinars", "/v2/meetings/1/2/3", "/users/me"]
        {
            assert_eq!(named(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn a_uuid_with_two_slashes_has_to_be_encoded_twice() {
        let of = |segment: &str| named(&format!("/v2/past_meetings/{segment}")).map(|(_, named)| named);
        assert_eq!(of("aDYlohsHRtCd4ii1uC2+hA==").as_deref(), Some("aDYlohsHRtCd4ii1uC2+hA=="));
        assert_eq!(of("aD%2BlohsHRtCd4ii1uC2%2FhA%3D%3D").as_deref(), Some("aD+lohsHRtCd4ii1uC2/hA=="));
        assert_eq!(of("%2Fajx%2F%2Fd%3D%3D").as_deref(), Some("ajx/d=="));
        assert_eq!(of("%252Fajx%252F%252Fd%253D%253D").as_deref(), Some("/ajx//d=="));
        assert_eq!(of("a/d=="), None);
    }
}
