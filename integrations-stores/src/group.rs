//! How do many small writes become few large ones?
//!
//! While one batch is on its way to the database, whoever comes waits in line; all of them go in the next
//! batch. Nobody waits for company: a single caller's batch has one operation and leaves at once.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use integrations_core::{Error, ErrorKind, Result};
use tokio::sync::oneshot;
use tracing::Instrument;

type Flush<T, R> = dyn Fn(Vec<T>) -> Pin<Box<dyn Future<Output = Vec<Result<R>>> + Send>> + Send + Sync;

/// Operations of one sort that are done in batches. Clones share the line.
pub(crate) struct Group<T, R> {
    inner: Arc<Inner<T, R>>,
}

struct Inner<T, R> {
    line: Mutex<Line<T, R>>,
    largest: usize,
    parallel: usize,
    flush: Box<Flush<T, R>>,
}

struct Line<T, R> {
    waiting: VecDeque<(T, oneshot::Sender<Result<R>>)>,
    flushing: usize,
}

impl<T, R> Clone for Group<T, R> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl<T: Send + 'static, R: Send + 'static> Group<T, R> {
    /// A group whose batches have at most `largest` operations, `parallel` of them at a time. `flush` answers each
    /// operation of a batch, in their order.
    pub(crate) fn new<F, Fut>(largest: usize, parallel: usize, flush: F) -> Self
    where
        F: Fn(Vec<T>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Vec<Result<R>>> + Send + 'static,
    {
        let line = Mutex::new(Line { waiting: VecDeque::new(), flushing: 0 });
        let flush = Box::new(move |batch| Box::pin(flush(batch)) as Pin<Box<dyn Future<Output = _> + Send>>);
        Self { inner: Arc::new(Inner { line, largest: largest.max(1), parallel: parallel.max(1), flush }) }
    }

    /// Does an operation, with those of others.
    ///
    /// # Cancel safety
    /// Dropping the future does not stop the operation.
    pub(crate) async fn run(&self, operation: &'static str, what: T) -> Result<R> {
        let (answer, answered) = oneshot::channel();
        if self.join(what, answer) {
            let inner = Arc::clone(&self.inner);
            // A task of its own, which nobody stops by not waiting for it.
            tokio::spawn(async move { inner.work().await }.in_current_span());
        }
        answered.await.unwrap_or_else(|_| Err(stopped(operation)))
    }

    /// Stands in line, and says whether somebody has to begin to work it off.
    fn join(&self, what: T, answer: oneshot::Sender<Result<R>>) -> bool {
        let mut line = self.inner.line.lock().unwrap_or_else(PoisonError::into_inner);
        line.waiting.push_back((what, answer));
        let begins = line.flushing < self.inner.parallel;
        line.flushing += usize::from(begins);
        begins
    }
}

impl<T, R> Inner<T, R> {
    async fn work(&self) {
        // A task that was torn down with its runtime, or has panicked, makes room for another.
        let mut place = Place { inner: self, held: true };
        while let Some((batch, answers)) = place.next() {
            for (answer, result) in answers.into_iter().zip((self.flush)(batch).await) {
                let _ = answer.send(result);
            }
        }
    }
}

struct Place<'a, T, R> {
    inner: &'a Inner<T, R>,
    held: bool,
}

type Batch<T, R> = (Vec<T>, Vec<oneshot::Sender<Result<R>>>);

impl<T, R> Place<'_, T, R> {
    fn next(&mut self) -> Option<Batch<T, R>> {
        let mut line = self.inner.line.lock().unwrap_or_else(PoisonError::into_inner);
        if line.waiting.is_empty() {
            line.flushing -= 1;
            self.held = false;
            return None;
        }
        let size = line.waiting.len().min(self.inner.largest);
        Some(line.waiting.drain(..size).unzip())
    }
}

impl<T, R> Drop for Place<'_, T, R> {
    fn drop(&mut self) {
        if self.held {
            let mut line = self.inner.line.lock().unwrap_or_else(PoisonError::into_inner);
            line.flushing -= 1;
            // Whoever waits is told that the work has stopped, and does not wait for the next caller.
            line.waiting.clear();
        }
    }
}

fn stopped(operation: &'static str) -> Error {
    Error::new(
        ErrorKind::Store,
        "the write was stopped before its end, and may or may not have happened; was the runtime shut down?",
    )
    .with_operation(operation)
}

/// The same failure for another operation of the same batch.
pub(crate) fn same(error: &Error) -> Error {
    let copy = Error::new(error.kind(), error.message().to_owned()).with_source(error.to_string());
    let copy = match error.provider_code() {
        Some(code) => copy.with_code(code.to_owned()),
        None => copy,
    };
    match error.operation() {
        Some(operation) => copy.with_operation(operation.to_owned()),
        None => copy,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn each_is_answered_and_whoever_comes_meanwhile_goes_together() {
        let batches = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&batches);
        let group: Group<usize, usize> = Group::new(100, 1, move |batch| {
            counted.fetch_add(1, Ordering::SeqCst);
            async move {
                tokio::task::yield_now().await;
                batch.into_iter().map(|number| Ok(number * 2)).collect()
            }
        });
        let callers = (0..200).map(|number| {
            let group = group.clone();
            async move { (number, group.run("test", number).await.unwrap()) }
        });
        for (number, doubled) in futures_util::future::join_all(callers).await {
            assert_eq!(doubled, number * 2);
        }
        assert!(batches.load(Ordering::SeqCst) <= 4, "{batches:?} batches for 200 callers");
    }

    #[tokio::test]
    async fn what_panics_keeps_nobody_from_the_next_batch() {
        let group: Group<bool, ()> = Group::new(100, 1, |batch: Vec<bool>| async move {
            assert!(!batch.contains(&true), "on purpose");
            batch.into_iter().map(|_| Ok(())).collect()
        });
        assert_eq!(group.run("test", true).await.unwrap_err().kind(), ErrorKind::Store);
        group.run("test", false).await.unwrap();
    }

    #[tokio::test]
    async fn what_nobody_waits_for_is_done_all_the_same() {
        let done = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&done);
        let group: Group<(), ()> = Group::new(100, 1, move |batch: Vec<()>| {
            let counted = Arc::clone(&counted);
            async move {
                tokio::task::yield_now().await;
                counted.fetch_add(batch.len(), Ordering::SeqCst);
                batch.into_iter().map(|()| Ok(())).collect()
            }
        });
        {
            let mut dropped = std::pin::pin!(group.run("test", ()));
            let waker = std::task::Waker::noop();
            assert!(dropped.as_mut().poll(&mut std::task::Context::from_waker(waker)).is_pending());
        }
        group.run("test", ()).await.unwrap();
        assert_eq!(done.load(Ordering::SeqCst), 2);
    }
}
