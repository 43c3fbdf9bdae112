//! Is a commit one step, whoever else commits, looks or gives up?

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use integrations_core::clock::ManualClock;
use integrations_core::sync::{StreamKey, SyncSink};

use super::super::{at_once, conflict, ok, stream, upsert};
use super::{calendar, count, step, upserts};

const RUNNERS: usize = 32;

/// Of many runners that have read the same revision, one commits; the others leave no record behind.
pub async fn committing_at_once_has_one_winner(sink: Arc<dyn SyncSink>, _clock: ManualClock) {
    for revision in 0..4 {
        let results = at_once(RUNNERS, |runner| {
            let sink = Arc::clone(&sink);
            let id = |index| upsert(&format!("{revision}-{runner}-{index}"));
            let commit = step(&calendar(), revision, 1, (0..10).map(id).collect());
            async move {
                match sink.commit(commit).await {
                    Ok(receipt) => Some(receipt.revision),
                    refused => {
                        conflict(refused);
                        None
                    }
                }
            }
        })
        .await;
        let winners: Vec<u64> = results.into_iter().flatten().collect();
        assert_eq!(winners, [revision + 1]);
        assert_eq!(ok(sink.load(&calendar()).await).revision, revision + 1);
        assert_eq!(count(&sink, &calendar()).await, 10 * (revision + 1));
    }
}

/// They may wait for each other, but none is refused.
pub async fn streams_commit_at_once_independently(sink: Arc<dyn SyncSink>, _clock: ManualClock) {
    let streams: Vec<StreamKey> = (0..RUNNERS).map(|index| stream("cn_1", &format!("s{index}"))).collect();
    at_once(RUNNERS, |runner| {
        let (sink, stream) = (Arc::clone(&sink), streams[runner].clone());
        async move {
            for revision in 0..5 {
                let id = format!("id-{revision}");
                ok(sink.commit(step(&stream, revision, 1, upserts(&[&id]))).await);
            }
        }
    })
    .await;
    for stream in &streams {
        assert_eq!(count(&sink, stream).await, 5);
    }
}

/// Who looks while somebody commits sees what was before, or what is after.
pub async fn nobody_sees_half_a_commit(sink: Arc<dyn SyncSink>, _clock: ManualClock) {
    const RECORDS: u64 = 40;
    let over = Arc::new(AtomicBool::new(false));
    at_once(4, |looker| {
        let (sink, over) = (Arc::clone(&sink), Arc::clone(&over));
        async move {
            if looker > 0 {
                while !over.load(Ordering::SeqCst) {
                    let records = count(&sink, &calendar()).await;
                    assert_eq!(records % RECORDS, 0, "half a commit shows");
                    tokio::task::yield_now().await;
                }
                return;
            }
            for revision in 0..10 {
                let changes = (0..RECORDS).map(|index| upsert(&format!("{revision}-{index}"))).collect();
                let committed = sink.commit(step(&calendar(), revision, 1, changes)).await;
                // Whatever came of it: nobody looks for ever.
                over.store(committed.is_err() || revision == 9, Ordering::SeqCst);
                ok(committed);
                tokio::task::yield_now().await;
            }
        }
    })
    .await;
    assert_eq!(count(&sink, &calendar()).await, 10 * RECORDS);
}

/// Wherever it is dropped, and the sink goes on working.
pub async fn a_dropped_commit_is_applied_whole_or_not_at_all(sink: Arc<dyn SyncSink>, _clock: ManualClock) {
    const RECORDS: usize = 300;
    for polls in 0..24 {
        let stream = stream("cn_1", &format!("dropped-after-{polls}"));
        let changes = (0..RECORDS).map(|index| upsert(&format!("id-{index}"))).collect();
        {
            let mut commit = pin!(sink.commit(step(&stream, 0, 1, changes)));
            for _ in 0..polls {
                if let Poll::Ready(result) = commit.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                    ok(result);
                    break;
                }
                // Lets other threads get on, so that the drop meets the commit at different places.
                for _ in 0..100 {
                    tokio::task::yield_now().await;
                }
            }
        }
        let (revision, records) = loop {
            let before = ok(sink.load(&stream).await).revision;
            let records = count(&sink, &stream).await;
            if ok(sink.load(&stream).await).revision == before {
                break (before, records);
            }
        };
        assert_eq!(records, revision * RECORDS as u64, "dropped after {polls} polls");
        let next = stream_after(&sink, &stream).await;
        assert_eq!(next, ok(sink.load(&stream).await).revision, "the sink goes on");
    }
}

/// Commits until it is not refused: a dropped commit may still be on its way.
async fn stream_after(sink: &Arc<dyn SyncSink>, stream: &StreamKey) -> u64 {
    loop {
        let revision = ok(sink.load(stream).await).revision;
        match sink.commit(step(stream, revision, 1, vec![])).await {
            Ok(receipt) => return receipt.revision,
            refused => conflict(refused),
        }
    }
}
