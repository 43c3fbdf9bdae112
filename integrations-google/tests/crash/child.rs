//! The process that is killed.

use std::io::{Read, Write};
use std::sync::Arc;

use async_trait::async_trait;
use integrations_core::Result;
use integrations_core::auth::TokenStore;
use integrations_core::cache::KeyValueStore;
use integrations_core::connection::{ConnectionId, StreamId};
use integrations_core::http::reqwest::ReqwestTransport;
use integrations_core::http::{Request, Response, Transport};
use integrations_core::sync::{Commit, Receipt, StreamKey, StreamState, SyncSink, Unseen};
use integrations_stores::SqliteStore;

pub(crate) const CHECKPOINT: &str = "@checkpoint";

/// Says where it is, and stops until it is told to go on.
fn checkpoint(place: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{CHECKPOINT} {place}");
    let _ = out.flush();
    let _ = std::io::stdin().read(&mut [0]);
}

#[derive(Debug)]
struct StoppingSink(Arc<SqliteStore>);

#[async_trait]
impl SyncSink for StoppingSink {
    async fn load(&self, stream: &StreamKey) -> Result<StreamState> {
        self.0.load(stream).await
    }

    async fn commit(&self, commit: Commit) -> Result<Receipt> {
        checkpoint("before commit");
        let receipt = self.0.commit(commit).await?;
        checkpoint("after commit");
        Ok(receipt)
    }

    async fn count_unseen(&self, stream: &StreamKey, generation: u64) -> Result<Unseen> {
        self.0.count_unseen(stream, generation).await
    }

    async fn forget(&self, connection: &ConnectionId) -> Result<u64> {
        self.0.forget(connection).await
    }

    async fn streams(&self, connection: &ConnectionId) -> Result<Vec<StreamId>> {
        SyncSink::streams(&*self.0, connection).await
    }

    async fn forget_stream(&self, stream: &StreamKey) -> Result<u64> {
        self.0.forget_stream(stream).await
    }
}

#[derive(Debug)]
struct StoppingTransport(ReqwestTransport);

#[async_trait]
impl Transport for StoppingTransport {
    async fn send(&self, request: Request) -> Result<Response> {
        checkpoint("before call");
        let answer = self.0.send(request).await;
        checkpoint("after call");
        answer
    }
}

#[tokio::test]
#[ignore = "needs a parent: started by the test of this binary"]
async fn child() {
    let variable = |name: &str| std::env::var(name).unwrap();
    let store = Arc::new(SqliteStore::open(variable("CRASH_DB")).await.unwrap());
    let gateway = super::gateway(&variable("CRASH_FAKE"), (*store).clone())
        .token_store(Arc::clone(&store) as Arc<dyn TokenStore>)
        .key_value_store(Arc::clone(&store) as Arc<dyn KeyValueStore>)
        .sync_sink(Arc::new(StoppingSink(Arc::clone(&store))))
        .transport(Arc::new(StoppingTransport(ReqwestTransport::new("test").unwrap())))
        .build()
        .unwrap();
    gateway.sync(&ConnectionId::new(variable("CRASH_CONNECTION"))).await.unwrap().into_result().unwrap();
}
