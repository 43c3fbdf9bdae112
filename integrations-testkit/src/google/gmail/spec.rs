//! What does a message of the test say?

use chrono::{DateTime, Utc};

use crate::random::Draw;

/// A message for the fake's mailbox.
///
/// Without more than a subject it came just now from Grace Hopper to the account, stands unread in the
/// inbox, begins a thread of its own and has an empty text.
///
/// ```
/// use integrations_testkit::google::MailSpec;
///
/// let mail = MailSpec::new("Zahlen für März")
///     .from("Zoë Washburne <zoe@partner.example>")
///     .text("Anbei die Zahlen.\n")
///     .html("<p>Anbei die Zahlen.</p>")
///     .attachment("zahlen.csv", "text/csv", b"a;b\n1;2\n")
///     .labels(&["INBOX", "UNREAD", "IMPORTANT"])
///     .header("List-Id", "<numbers.partner.example>");
/// # drop(mail);
/// ```
#[derive(Debug, Clone)]
pub struct MailSpec {
    pub(super) from: String,
    /// Empty: the account.
    pub(super) to: Vec<String>,
    pub(super) cc: Vec<String>,
    pub(super) subject: String,
    pub(super) text: Option<String>,
    pub(super) html: Option<String>,
    pub(super) files: Vec<File>,
    pub(super) labels: Vec<String>,
    pub(super) thread: Option<String>,
    pub(super) date: Option<DateTime<Utc>>,
    pub(super) headers: Vec<(String, String)>,
}

impl MailSpec {
    /// A message with this subject.
    pub fn new(subject: &str) -> Self {
        Self {
            from: "Grace Hopper <grace.hopper@example.com>".to_owned(),
            to: Vec::new(),
            cc: Vec::new(),
            subject: subject.to_owned(),
            text: None,
            html: None,
            files: Vec::new(),
            labels: vec!["INBOX".to_owned(), "UNREAD".to_owned()],
            thread: None,
            date: None,
            headers: Vec::new(),
        }
    }

    /// Who sent it, as `Grace Hopper <grace.hopper@example.com>` or as a bare address.
    pub fn from(mut self, mailbox: &str) -> Self {
        mailbox.clone_into(&mut self.from);
        self
    }

    /// One more to whom it goes. Without any it goes to the account.
    pub fn to(mut self, mailbox: &str) -> Self {
        self.to.push(mailbox.to_owned());
        self
    }

    /// One more who gets a copy.
    pub fn cc(mut self, mailbox: &str) -> Self {
        self.cc.push(mailbox.to_owned());
        self
    }

    /// The plain text. Lines end in CR LF on the wire, as mail has them.
    pub fn text(mut self, text: &str) -> Self {
        self.text = Some(crlf(text));
        self
    }

    /// The HTML. With a plain text too, the message is `multipart/alternative`.
    pub fn html(mut self, html: &str) -> Self {
        self.html = Some(crlf(html));
        self
    }

    /// One more attachment; the message becomes `multipart/mixed`.
    pub fn attachment(mut self, filename: &str, mime_type: &str, bytes: &[u8]) -> Self {
        self.files.push(File {
            filename: filename.to_owned(),
            mime_type: mime_type.to_owned(),
            content_id: None,
            bytes: Bytes::Given(bytes.to_vec()),
        });
        self
    }

    /// One more file that the HTML shows as `cid:...`; it stands in a `multipart/related` with it.
    pub fn inline(mut self, content_id: &str, filename: &str, mime_type: &str, bytes: &[u8]) -> Self {
        self.files.push(File {
            filename: filename.to_owned(),
            mime_type: mime_type.to_owned(),
            content_id: Some(content_id.to_owned()),
            bytes: Bytes::Given(bytes.to_vec()),
        });
        self
    }

    /// The ids of its labels, instead of `INBOX` and `UNREAD`.
    pub fn labels(mut self, labels: &[&str]) -> Self {
        self.labels = labels.iter().map(|&label| label.to_owned()).collect();
        self
    }

    /// The thread it belongs to, by the thread's id or by that of a message in it.
    pub fn thread(mut self, thread: &str) -> Self {
        self.thread = Some(thread.to_owned());
        self
    }

    /// When Gmail accepted it (`internalDate`); the header `Date` says the same. Default: now.
    pub fn date(mut self, date: DateTime<Utc>) -> Self {
        self.date = Some(date);
        self
    }

    /// One more header. One of the same name that the fake would write gives way, so that `Date`, `From`
    /// or `Message-ID` may be odd.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// What hangs on a message.
#[derive(Debug, Clone)]
pub(super) struct File {
    pub(super) filename: String,
    pub(super) mime_type: String,
    /// Shown inside the HTML.
    pub(super) content_id: Option<String>,
    pub(super) bytes: Bytes,
}

#[derive(Debug, Clone)]
pub(super) enum Bytes {
    Given(Vec<u8>),
    /// Made up when it is asked for.
    Made {
        key: u64,
        magic: &'static [u8],
        size: usize,
    },
}

impl Bytes {
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Given(bytes) => bytes.len(),
            Self::Made { size, .. } => *size,
        }
    }

    pub(super) fn to_vec(&self) -> Vec<u8> {
        match self {
            Self::Given(bytes) => bytes.clone(),
            Self::Made { key, magic, size } => {
                let mut draw = Draw::new(*key);
                let mut bytes = Vec::with_capacity(*size + 8);
                bytes.extend_from_slice(magic);
                while bytes.len() < *size {
                    bytes.extend_from_slice(&draw.next().to_be_bytes());
                }
                bytes.truncate(*size);
                bytes
            }
        }
    }
}

/// Lines as mail has them, whichever way they were written.
pub(super) fn crlf(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\n', "\r\n")
}
