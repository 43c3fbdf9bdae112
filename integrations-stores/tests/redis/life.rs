//! What if the server goes away?

use std::collections::HashSet;
use std::time::Duration;

use integrations_core::clock::{Clock, SystemClock};
use integrations_core::queue::{JobId, JobQueue, JobState, LeaseRequest, NewJob, Settlement};
use integrations_core::{Error, ErrorKind};
use integrations_stores::RedisStore;

use super::server::Server;

const TTL: Duration = Duration::from_millis(300);

async fn connect(server: &Server) -> RedisStore {
    RedisStore::builder().answer_timeout(Duration::from_secs(5)).connect(&server.url()).await.unwrap()
}

/// The words that a host reads while the server is away.
fn says_what_happened(error: &Error) {
    assert_eq!(error.kind(), ErrorKind::Store, "{error:?}");
    let code = error.provider_code().unwrap();
    assert!(["redis_unreachable", "redis_loading"].contains(&code), "{error:?}");
}

/// Puts jobs into the queue, and works them off, until it has done so many; returns those that the queue has taken.
async fn load(store: &RedisStore, jobs: usize, errors: &mut usize) -> HashSet<JobId> {
    let mut taken = HashSet::new();
    for number in 0..jobs {
        match store.enqueue(vec![NewJob::new("work", format!("user-{}", number % 5))]).await {
            Ok(enqueued) => {
                taken.insert(enqueued[0].id.clone());
            }
            Err(error) => {
                says_what_happened(&error);
                *errors += 1;
            }
        }
        let leased = match store.lease(&LeaseRequest::new("worker", "work", 1, TTL)).await {
            Ok(leased) => leased.leases,
            Err(error) => {
                says_what_happened(&error);
                *errors += 1;
                continue;
            }
        };
        if number % 2 == 0
            && let Err(error) = store.settle(leased.iter().map(Settlement::done).collect()).await
        {
            says_what_happened(&error);
            *errors += 1;
        }
    }
    taken
}

/// Works off what is there, and returns which jobs were done in all.
async fn work_off(store: &RedisStore) -> HashSet<JobId> {
    let clock = SystemClock::new();
    for _ in 0..1_000 {
        let leased = store.lease(&LeaseRequest::new("worker", "work", 100, TTL)).await.unwrap();
        store.settle(leased.leases.iter().map(Settlement::done).collect()).await.unwrap();
        let total = store.stats().await.unwrap().total();
        if total.ready + total.delayed + total.running == 0 {
            let mut query = integrations_core::queue::JobQuery::in_state(JobState::Done);
            query.limit = Some(1_000_000);
            return store.find(&query).await.unwrap().into_iter().map(|record| record.job.id).collect();
        }
        clock.sleep(Duration::from_millis(20)).await;
    }
    panic!("the jobs do not come to their end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs redis"]
async fn what_was_taken_survives_restarts_in_the_middle_of_the_load() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path(), true);
    let store = connect(&server).await;
    store.migrate().await.unwrap();
    let (mut taken, mut errors) = (HashSet::new(), 0);
    for _ in 0..3 {
        let port = server.port();
        let loaded = tokio::spawn({
            let store = store.clone();
            async move {
                let mut errors = 0;
                (load(&store, 400, &mut errors).await, errors)
            }
        });
        // Somewhere in the middle of the load.
        while store.stats().await.map_or(0, |stats| stats.total().ready) < 20 {
            tokio::task::yield_now().await;
        }
        server.kill();
        server = Server::start_at(port, folder.path(), true);
        let (more, failed) = loaded.await.unwrap();
        taken.extend(more);
        errors += failed;
        // The scripts are gone with the server, and are sent again.
        work_off(&store).await;
    }
    let done = work_off(&store).await;
    assert!(done.is_superset(&taken), "{} jobs are lost", taken.difference(&done).count());
    println!("three restarts: {} jobs taken, {errors} calls failed, none lost", taken.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis"]
async fn a_server_that_has_lost_everything_goes_on_and_fences_rise() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), false);
    let store = connect(&server).await;
    let lease = async || {
        store.enqueue(vec![NewJob::new("work", "ada")]).await.unwrap();
        store.lease(&LeaseRequest::new("worker", "work", 1, TTL)).await.unwrap().leases.remove(0)
    };
    let (first, second) = (lease().await, lease().await);
    assert!(second.fence > first.fence);
    let port = server.port();
    server.kill();
    let _server = Server::start_at(port, folder.path(), false);
    let clock = SystemClock::new();
    while let Err(error) = store.stats().await {
        says_what_happened(&error);
        clock.sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(store.settle(vec![Settlement::done(&second)]).await.unwrap(), [false]);
    assert!(lease().await.fence > second.fence);
}

#[tokio::test]
#[ignore = "needs redis"]
async fn scripts_that_the_server_has_forgotten_are_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), false);
    let store = connect(&server).await;
    store.enqueue(vec![NewJob::new("work", "ada")]).await.unwrap();
    let client = redis::Client::open(server.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let _: () = redis::cmd("SCRIPT").arg("FLUSH").query_async(&mut connection).await.unwrap();
    store.enqueue(vec![NewJob::new("work", "ada")]).await.unwrap();
    assert_eq!(store.stats().await.unwrap().total().ready, 2);
}
