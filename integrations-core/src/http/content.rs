//! How is a body read that is too large to be held whole?

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures_util::stream::{BoxStream, Stream, StreamExt};

use crate::error::{Error, ErrorKind, Result};

/// The body of an answer, piece by piece, as it arrives. No piece is empty.
///
/// It stops with an error of code `body_too_large` past its [limit](Self::limited), and with one of kind
/// [`Network`](ErrorKind::Network) where the connection breaks: what came until then is not the whole body.
///
/// # Cancel safety
/// Dropping it closes the connection. [`next`](Self::next) loses nothing when it is dropped.
pub struct Content {
    pieces: BoxStream<'static, Result<Bytes>>,
    left: u64,
    limit: u64,
}

impl Content {
    /// A body of these pieces.
    pub fn new(pieces: impl Stream<Item = Result<Bytes>> + Send + 'static) -> Self {
        Self { pieces: pieces.boxed(), left: u64::MAX, limit: u64::MAX }
    }

    /// Stops with an error when there are more bytes than this.
    pub fn limited(mut self, bytes: u64) -> Self {
        (self.left, self.limit) = (bytes, bytes);
        self
    }

    /// The next piece; `None` when the body is at its end.
    ///
    /// # Errors
    /// [`ErrorKind::Network`], [`ErrorKind::Timeout`], and [`ErrorKind::DataFormat`] with code
    /// `body_too_large` or for a body that is not what the provider promises.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        StreamExt::next(self).await.transpose()
    }

    /// The whole body, for one that is known to be small enough.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub async fn bytes(mut self) -> Result<Bytes> {
        let mut whole = BytesMut::new();
        while let Some(piece) = self.next().await? {
            whole.extend_from_slice(&piece);
        }
        Ok(whole.freeze())
    }
}

impl Stream for Content {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            let piece = match self.pieces.as_mut().poll_next(context) {
                Poll::Ready(Some(Ok(piece))) => piece,
                other => return other,
            };
            if piece.is_empty() {
                continue;
            }
            let Some(left) = self.left.checked_sub(piece.len() as u64) else {
                self.pieces = futures_util::stream::empty().boxed();
                return Poll::Ready(Some(Err(too_large(self.limit))));
            };
            self.left = left;
            return Poll::Ready(Some(Ok(piece)));
        }
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Content").field("limit", &self.limit).finish_non_exhaustive()
    }
}

pub(crate) fn too_large(limit: u64) -> Error {
    Error::new(ErrorKind::DataFormat, format!("the answer is larger than {limit} bytes"))
        .with_code("body_too_large")
}

/// A [`Content`] on its way through those who look at the answer's head: the first who takes it has it.
#[derive(Clone)]
pub(crate) struct Handed(Arc<Mutex<Option<Content>>>);

impl Handed {
    pub(crate) fn new(content: Content) -> Self {
        Self(Arc::new(Mutex::new(Some(content))))
    }

    pub(crate) fn take(&self) -> Option<Content> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    fn content(pieces: &[&'static str]) -> Content {
        let pieces: Vec<_> = pieces.iter().map(|piece| Ok(Bytes::from_static(piece.as_bytes()))).collect();
        Content::new(stream::iter(pieces))
    }

    #[tokio::test]
    async fn a_body_comes_in_pieces_and_stops_at_its_limit() {
        assert_eq!(content(&["ab", "", "c"]).bytes().await.unwrap(), "abc");
        assert_eq!(content(&["ab", "c"]).limited(3).bytes().await.unwrap(), "abc");
        let mut over = content(&["ab", "cd", "ef"]).limited(3);
        assert_eq!(over.next().await.unwrap().unwrap(), "ab");
        let error = over.next().await.unwrap_err();
        assert_eq!(error.provider_code(), Some("body_too_large"));
        assert_eq!(over.next().await.unwrap(), None);
    }
}
