//! How is the content of an attachment read?

use std::fmt;

use async_trait::async_trait;

use crate::connection::StreamId;
use crate::error::Result;
use crate::http::{Content, Session};
use crate::model::Attachment;

/// Reads the content of attachments, which the records only name. Providers whose
/// [capabilities](super::Capabilities::attachments) say so have one.
///
/// # Cancel safety
/// Dropping a future, or the content, ends the call.
#[async_trait]
pub trait AttachmentReader: fmt::Debug + Send + Sync + 'static {
    /// Opens an attachment.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) when the provider does not have it any more,
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for an attachment that names no content, and those
    /// of the call.
    async fn open(&self, session: &Session, wanted: &AttachmentRef<'_>) -> Result<Download>;
}

/// An attachment of an item.
#[derive(Debug, Clone, Copy)]
pub struct AttachmentRef<'a> {
    /// The stream of the item.
    pub stream: &'a StreamId,
    /// The provider's id of the item.
    pub item: &'a str,
    /// The attachment, as the item's record names it.
    pub attachment: &'a Attachment,
    /// How many bytes its content may have.
    pub limit: u64,
}

/// The content of an attachment, as it arrives.
#[derive(Debug)]
#[non_exhaustive]
pub struct Download {
    /// The media type, as the provider says.
    pub media_type: Option<String>,
    /// How many bytes there are, where the provider says so beforehand.
    pub size: Option<u64>,
    /// The bytes.
    pub content: Content,
}

impl Download {
    /// The content of an attachment.
    pub fn new(content: Content) -> Self {
        Self { media_type: None, size: None, content }
    }

    /// Says what sort of content it is.
    pub fn with_media_type(mut self, media_type: Option<String>) -> Self {
        self.media_type = media_type;
        self
    }

    /// Says how large it is.
    pub fn with_size(mut self, size: Option<u64>) -> Self {
        self.size = size;
        self
    }
}
