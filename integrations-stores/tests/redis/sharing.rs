//! Do several processes get along?

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use integrations_core::queue::{JobQueue, LeaseRequest, NewJob, Settlement};

use super::{Prefix, url};

const TTL: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs redis"]
async fn no_job_is_leased_twice() {
    let prefix = Prefix::new();
    let stores =
        [prefix.builder().connect(&url()).await.unwrap(), prefix.builder().connect(&url()).await.unwrap()];
    for batch in 0..4 {
        let jobs = (0..500).map(|number| NewJob::new("work", format!("user-{}", (batch * 500 + number) % 7)));
        stores[0].enqueue(jobs.collect()).await.unwrap();
    }
    let seen = Arc::new(Mutex::new(HashSet::new()));
    let workers = (0..6).map(|worker| {
        let (store, seen) = (stores[worker % 2].clone(), Arc::clone(&seen));
        tokio::spawn(async move {
            loop {
                let request = LeaseRequest::new(format!("worker-{worker}"), "work", 7, TTL);
                let leases = store.lease(&request).await.unwrap().leases;
                if leases.is_empty() {
                    return;
                }
                for lease in &leases {
                    assert!(
                        seen.lock().unwrap().insert(lease.job.id.clone()),
                        "{} was leased twice",
                        lease.job.id
                    );
                }
                let done = store.settle(leases.iter().map(Settlement::done).collect()).await.unwrap();
                assert!(done.iter().all(|held| *held));
            }
        })
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.await.unwrap();
    }
    assert_eq!(seen.lock().unwrap().len(), 2_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis"]
async fn who_waits_is_woken_by_another_process() {
    let prefix = Prefix::new();
    let (here, there) =
        (prefix.builder().connect(&url()).await.unwrap(), prefix.builder().connect(&url()).await.unwrap());
    let waiter = tokio::spawn(async move {
        // The first time, everybody is woken, since the connection has just begun to listen.
        loop {
            here.wait(&["work".into()]).await;
            let leased = here.lease(&LeaseRequest::new("here", "work", 1, TTL)).await.unwrap();
            if let Some(lease) = leased.leases.first() {
                return lease.job.id.clone();
            }
        }
    });
    let enqueued =
        there.enqueue(vec![NewJob::new("other", "ada"), NewJob::new("work", "ada")]).await.unwrap();
    assert_eq!(waiter.await.unwrap(), enqueued[1].id);
}
