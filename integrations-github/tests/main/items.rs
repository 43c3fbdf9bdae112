//! Items on their way through the pipeline, alone.

use std::sync::Arc;

use bytes::Bytes;
use integrations_core::model::{Change, Raw, Record};
use integrations_core::normalize::{Normalized, PageContext, Quarantined, Stages};
use integrations_core::sync::StreamKey;
use integrations_github::issues::GitHubNormalizer;

/// What becomes of the bytes of an item.
pub(crate) fn run(item: impl Into<Bytes>) -> (Raw, Normalized) {
    let stream = StreamKey {
        owner: "ada".into(),
        service: "github".into(),
        connection: "cn_1".into(),
        stream: "1296269".into(),
    };
    let raw = Raw::new(item);
    let stages = Stages::new(Arc::new(GitHubNormalizer));
    let done = stages.run(std::slice::from_ref(&raw), &stream, &PageContext::default());
    (raw, done)
}

/// The record of an item, or what is wrong with it.
pub(crate) fn normalise(item: impl Into<Bytes>) -> Result<Record, Quarantined> {
    let (raw, mut done) = run(item);
    match (done.changes.pop(), done.quarantined.pop()) {
        (Some(Change::Upsert(record)), None) => {
            assert_eq!(record.raw, raw);
            Ok(record)
        }
        (None, Some(item)) => {
            assert_eq!(item.raw, raw);
            Err(item)
        }
        other => panic!("{other:?}"),
    }
}
