//! How is the content of an attachment read?
//!
//! `$value` gives a file's bytes, and an attached item as MIME, as they are: they are handed out as they arrive,
//! and memory does not grow with their size. What is a reference lies elsewhere and has no content here.

use async_trait::async_trait;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName};
use integrations_core::adapter::{AttachmentReader, AttachmentRef, Download};
use integrations_core::http::{Priority, Request, Session, join};
use integrations_core::{Error, ErrorKind, Result, json};
use url::Url;

use super::wire::WireAttachment;
use crate::config::GraphConfig;
use crate::delta::{IMMUTABLE_IDS, PREFER, prefer};

const VALUE: &str = "attachments.value";
const GET: &str = "attachments.get";
const REFERENCE: &str = "graph.referenceAttachment";

/// Reads what hangs on mails.
#[derive(Debug)]
pub(super) struct Attachments(pub GraphConfig);

#[async_trait]
impl AttachmentReader for Attachments {
    async fn open(&self, session: &Session, wanted: &AttachmentRef<'_>) -> Result<Download> {
        let id = wanted.attachment.id.as_deref().ok_or_else(|| {
            Error::new(ErrorKind::InvalidRequest, "the attachment has no id").with_operation(VALUE)
        })?;
        let url = join(&self.0.api_url, &["me", "messages", wanted.item, "attachments", id, "$value"])?;
        let request = asking(VALUE, url)?.streamed(wanted.limit);
        let answer = match session.send(request).await {
            Ok(answer) => answer,
            Err(error) if is_refusal(&error) => return Err(self.why(session, wanted, id, error).await),
            Err(error) => return Err(error),
        };
        let text = |name: HeaderName| answer.headers.get(name)?.to_str().ok().map(str::to_owned);
        let media_type = text(CONTENT_TYPE).or_else(|| wanted.attachment.media_type.clone());
        // Graph's own size counts what Exchange keeps beside the content.
        let size = text(CONTENT_LENGTH).and_then(|length| length.parse().ok());
        Ok(Download::new(answer.content().limited(wanted.limit)).with_media_type(media_type).with_size(size))
    }
}

impl Attachments {
    /// Why there is no content, if more can be said of it than Graph does.
    async fn why(&self, session: &Session, wanted: &AttachmentRef<'_>, id: &str, error: Error) -> Error {
        let kind = self.kind(session, wanted, id).await;
        if !kind.is_ok_and(|kind| kind.is_some_and(|kind| kind.ends_with(REFERENCE))) {
            return error;
        }
        let message = "the attachment is a reference to a file that lies elsewhere; open its address";
        Error::new(ErrorKind::UnsupportedOperation, message)
            .with_operation(VALUE)
            .with_code("reference_attachment")
    }

    async fn kind(&self, session: &Session, wanted: &AttachmentRef<'_>, id: &str) -> Result<Option<String>> {
        let mut url = join(&self.0.api_url, &["me", "messages", wanted.item, "attachments", id])?;
        url.set_query(Some("$select=id,name"));
        let answer = session.send(asking(GET, url)?).await?;
        json::decode(&answer.body, GET).map(|WireAttachment { kind, .. }| kind)
    }
}

fn asking(operation: &'static str, url: Url) -> Result<Request> {
    let preferred = prefer([IMMUTABLE_IDS], None)?;
    Ok(Request::get(operation, url).with_priority(Priority::Interactive).header(PREFER, preferred))
}

/// Whether Graph says that it cannot be done, and not that it is not there, or not now.
fn is_refusal(error: &Error) -> bool {
    error.status().is_some()
        && matches!(error.kind(), ErrorKind::InvalidRequest | ErrorKind::UnsupportedOperation)
}
