//! The in-memory store of core keeps every promise of the host traits.

use std::sync::Arc;

use integrations_core::clock::Clock;
use integrations_core::memory::MemoryStore;

async fn store(clock: Arc<dyn Clock>) -> MemoryStore {
    MemoryStore::with_clock(clock)
}

integrations_testkit::job_queue_conformance!(store);
integrations_testkit::key_value_store_conformance!(store);
integrations_testkit::sync_sink_conformance!(store);
integrations_testkit::token_store_conformance!(store);
