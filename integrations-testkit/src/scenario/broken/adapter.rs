//! What would a broken adapter do?

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use integrations_core::adapter::{Deletions, Next, Page, Pull, PullFrom, ServiceInfo, Stream};
use integrations_core::auth::Authenticator;
use integrations_core::http::{Failure, Origins, Response, Session};
use integrations_core::model::{Change, Raw};
use integrations_core::normalize::{ItemContext, ItemError, Normalizer, PageContext};
use integrations_core::resilience::Limits;
use integrations_core::sync::{StreamKey, Window};
use integrations_core::{Error, ErrorKind, Result, ServiceAdapter};

use super::Subject;
use crate::scenario::fake::ODD_WORD;

/// What an adapter does wrong.
#[derive(Debug)]
enum Flaw {
    ForgetsLostPositions,
    GivesUpOnRefusedTokens,
    GivesUpOnServerErrors,
    StopsAtEmptyPages,
    ReadsOnePageOfAListing,
    ReadsOnePageOfChanges,
    SeesNoChanges,
    ListsInsteadOfChanges,
    TakesItsMarkLast,
    KeepsItsOwnPosition(Mutex<Option<Next>>),
    FailsWithABadItem,
    DropsBadItems,
    OverlooksDeletions,
    PromisesToNameDeletions,
    RefusesOddWords,
    TakesNonsenseForNothing,
    AsksForEverything,
    AsksForLargePages,
    RemembersItsStreams(Mutex<Option<Vec<Stream>>>),
    IsPoisonedByAFailure(AtomicBool),
}

/// A position that the provider has forgotten is just an error.
pub fn an_adapter_that_does_not_know_a_lost_position(subject: Subject) -> Subject {
    flawed(subject, || Flaw::ForgetsLostPositions)
}

/// A token that is refused is the end of it.
pub fn an_adapter_that_gives_up_on_a_refused_token(subject: Subject) -> Subject {
    flawed(subject, || Flaw::GivesUpOnRefusedTokens)
}

/// A server error is taken for the last word.
pub fn an_adapter_that_gives_up_on_a_server_error(subject: Subject) -> Subject {
    flawed(subject, || Flaw::GivesUpOnServerErrors)
}

/// A page without items is the last one.
pub fn an_adapter_that_stops_at_an_empty_page(subject: Subject) -> Subject {
    flawed(subject, || Flaw::StopsAtEmptyPages)
}

/// The next pages of a listing are never read.
pub fn an_adapter_that_reads_one_page_of_a_listing(subject: Subject) -> Subject {
    flawed(subject, || Flaw::ReadsOnePageOfAListing)
}

/// The next pages of changes are never read, though the position moves behind them.
pub fn an_adapter_that_reads_one_page_of_changes(subject: Subject) -> Subject {
    flawed(subject, || Flaw::ReadsOnePageOfChanges)
}

/// Changes are never read.
pub fn an_adapter_that_sees_no_changes(subject: Subject) -> Subject {
    flawed(subject, || Flaw::SeesNoChanges)
}

/// Everything is listed where changes are asked for.
pub fn an_adapter_that_lists_instead_of_reading_changes(subject: Subject) -> Subject {
    flawed(subject, || Flaw::ListsInsteadOfChanges)
}

/// The mark from which the next run goes on is that of the end of this one, and not of its beginning.
pub fn an_adapter_that_takes_its_mark_last(subject: Subject) -> Subject {
    flawed(subject, || Flaw::TakesItsMarkLast)
}

/// The adapter goes on from what it has read, whatever was committed of it.
pub fn an_adapter_that_keeps_its_own_position(subject: Subject) -> Subject {
    // All processes share it, as they would a cache.
    let position = Arc::new(Flaw::KeepsItsOwnPosition(Mutex::default()));
    subject.wrap_adapter(move |inner| Arc::new(Flawed::new(inner, Arc::clone(&position))))
}

/// One item that cannot be read fails the whole page.
pub fn an_adapter_that_fails_with_a_bad_item(subject: Subject) -> Subject {
    flawed(subject, || Flaw::FailsWithABadItem)
}

/// An item that cannot be read is passed over in silence.
pub fn an_adapter_that_drops_bad_items(subject: Subject) -> Subject {
    flawed(subject, || Flaw::DropsBadItems)
}

/// What says that an item is gone is passed over.
pub fn an_adapter_that_overlooks_deletions(subject: Subject) -> Subject {
    flawed(subject, || Flaw::OverlooksDeletions)
}

/// What is gone is said to be named, and is not.
pub fn an_adapter_that_promises_to_name_deletions(subject: Subject) -> Subject {
    flawed(subject, || Flaw::PromisesToNameDeletions)
}

/// A word that it does not know is an error.
pub fn an_adapter_that_refuses_odd_words(subject: Subject) -> Subject {
    flawed(subject, || Flaw::RefusesOddWords)
}

/// An answer that cannot be read is taken for a page without items.
pub fn an_adapter_that_takes_nonsense_for_an_empty_page(subject: Subject) -> Subject {
    flawed(subject, || Flaw::TakesNonsenseForNothing)
}

/// The window is not asked for.
pub fn an_adapter_that_asks_for_everything(subject: Subject) -> Subject {
    flawed(subject, || Flaw::AsksForEverything)
}

/// Pages are as large as they can be, whatever is asked for.
pub fn an_adapter_that_asks_for_large_pages(subject: Subject) -> Subject {
    flawed(subject, || Flaw::AsksForLargePages)
}

/// Which streams there are is asked once.
pub fn an_adapter_that_remembers_its_streams(subject: Subject) -> Subject {
    flawed(subject, || Flaw::RemembersItsStreams(Mutex::default()))
}

/// After one call has failed, every call fails.
pub fn an_adapter_that_is_poisoned_by_a_failure(subject: Subject) -> Subject {
    flawed(subject, || Flaw::IsPoisonedByAFailure(AtomicBool::new(false)))
}

fn flawed(subject: Subject, flaw: fn() -> Flaw) -> Subject {
    subject.wrap_adapter(move |inner| Arc::new(Flawed::new(inner, Arc::new(flaw()))))
}

/// An adapter with a flaw.
#[derive(Debug)]
struct Flawed {
    inner: Arc<dyn ServiceAdapter>,
    flaw: Arc<Flaw>,
    info: ServiceInfo,
}

impl Flawed {
    fn new(inner: Arc<dyn ServiceAdapter>, flaw: Arc<Flaw>) -> Self {
        let mut info = inner.info().clone();
        if matches!(*flaw, Flaw::PromisesToNameDeletions) {
            info.capabilities.deletions = Deletions::Named;
        }
        Self { inner, flaw, info }
    }

    fn overlooks_deletions(&self) -> bool {
        matches!(*self.flaw, Flaw::OverlooksDeletions | Flaw::PromisesToNameDeletions)
    }

    fn flaw(&self, error: Error) -> Error {
        match (&*self.flaw, error.kind()) {
            (Flaw::ForgetsLostPositions, ErrorKind::CursorExpired) => {
                Error::new(ErrorKind::InvalidRequest, "the provider does not like the request")
            }
            (Flaw::GivesUpOnRefusedTokens, ErrorKind::TokenExpired) => {
                Error::new(ErrorKind::InvalidCredentials, "the provider does not like the token")
            }
            (Flaw::GivesUpOnServerErrors, ErrorKind::ServiceUnavailable) => {
                Error::new(ErrorKind::UnsupportedOperation, "the provider does not like anything")
            }
            _ => error,
        }
    }

    /// Reads on to the end; returns where that is.
    async fn end(&self, session: &Session, pull: Pull<'_>, mut next: Next) -> Result<Next> {
        while let Next::Page(cursor) = &next {
            let page = Some(cursor);
            let from = match pull.from {
                PullFrom::Listing { .. } => PullFrom::Listing { page },
                PullFrom::Changes { since, .. } => PullFrom::Changes { since, page },
            };
            next = self.inner.sync_data(session, Pull { from, ..pull }).await?.next;
        }
        Ok(next)
    }

    async fn read(&self, session: &Session, pull: Pull<'_>) -> Result<Page> {
        let is_listing = matches!(pull.from, PullFrom::Listing { .. });
        let mut page = self.inner.sync_data(session, pull).await?;
        match &*self.flaw {
            Flaw::StopsAtEmptyPages if page.items.is_empty() && page.deleted.is_empty() => {
                page.next = self.end(session, pull, page.next).await?;
            }
            Flaw::ReadsOnePageOfAListing if is_listing => {
                page.next = self.end(session, pull, page.next).await?;
            }
            Flaw::ReadsOnePageOfChanges if !is_listing => {
                page.next = self.end(session, pull, page.next).await?;
            }
            Flaw::TakesItsMarkLast => {
                if let Next::Done(mark) = &page.next {
                    let from = match pull.from {
                        PullFrom::Listing { .. } => PullFrom::Listing { page: None },
                        PullFrom::Changes { .. } => PullFrom::Changes { since: mark, page: None },
                    };
                    let again = Pull { from, ..pull };
                    let next = self.inner.sync_data(session, again).await?.next;
                    page.next = self.end(session, again, next).await?;
                }
            }
            Flaw::KeepsItsOwnPosition(own) => {
                *own.lock().unwrap_or_else(PoisonError::into_inner) = Some(page.next.clone());
            }
            Flaw::FailsWithABadItem => {
                let bad = |item: &Raw| matches!(self.mapped(item, pull, &page.context), Mapped::Unreadable);
                if page.items.iter().any(bad) {
                    return Err(Error::new(ErrorKind::DataFormat, "an item cannot be read"));
                }
            }
            Flaw::DropsBadItems | Flaw::OverlooksDeletions | Flaw::PromisesToNameDeletions => {
                let Page { items, context, .. } = &mut page;
                items.retain(|item| matches!(self.mapped(item, pull, context), Mapped::Kept));
                if self.overlooks_deletions() {
                    page.deleted.clear();
                }
            }
            _ => {}
        }
        Ok(page)
    }

    /// What the flaw makes of an item.
    fn mapped(&self, item: &Raw, pull: Pull<'_>, page: &PageContext) -> Mapped {
        let service = self.inner.info().id.clone();
        let stream = StreamKey {
            owner: "ada".into(),
            service,
            connection: "cn_1".into(),
            stream: pull.stream.clone(),
        };
        let mapped = self.inner.normalizer().normalize(item, &ItemContext { stream: &stream, page });
        match (mapped, &*self.flaw) {
            (Err(_), Flaw::DropsBadItems | Flaw::FailsWithABadItem) => Mapped::Unreadable,
            (Ok(Change::Delete { .. }), _) if self.overlooks_deletions() => Mapped::Gone,
            _ => Mapped::Kept,
        }
    }
}

enum Mapped {
    Kept,
    Gone,
    Unreadable,
}

#[async_trait]
impl ServiceAdapter for Flawed {
    fn info(&self) -> &ServiceInfo {
        &self.info
    }

    fn normalizer(&self) -> Arc<dyn Normalizer> {
        match &*self.flaw {
            Flaw::RefusesOddWords => Arc::new(Strict(self.inner.normalizer())),
            _ => self.inner.normalizer(),
        }
    }

    fn allowed_origins(&self) -> &Origins {
        self.inner.allowed_origins()
    }

    fn limits(&self) -> Limits {
        self.inner.limits()
    }

    fn classify(&self, failure: &Failure<'_>) -> Error {
        self.flaw(self.inner.classify(failure))
    }

    fn judge(&self, operation: &'static str, answer: &Response) -> Result<()> {
        self.inner.judge(operation, answer).map_err(|error| self.flaw(error))
    }

    fn authenticator(&self) -> &dyn Authenticator {
        self.inner.authenticator()
    }

    async fn list_streams(&self, session: &Session) -> Result<Vec<Stream>> {
        let Flaw::RemembersItsStreams(known) = &*self.flaw else {
            return self.inner.list_streams(session).await;
        };
        let remembered = known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(streams) = remembered {
            return Ok(streams);
        }
        let streams = self.inner.list_streams(session).await?;
        *known.lock().unwrap_or_else(PoisonError::into_inner) = Some(streams.clone());
        Ok(streams)
    }

    async fn sync_data(&self, session: &Session, mut pull: Pull<'_>) -> Result<Page> {
        let own = match &*self.flaw {
            Flaw::KeepsItsOwnPosition(own) => own.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            _ => None,
        };
        if let (PullFrom::Changes { since, page }, Some(own)) = (&mut pull.from, &own) {
            match own {
                Next::Page(next) => *page = Some(next),
                Next::Done(mark) => (*since, *page) = (mark, None),
                Next::Listed => {}
            }
        }
        match (&*self.flaw, pull.from) {
            (Flaw::AsksForEverything, _) => pull.window = Window::ALL,
            (Flaw::AsksForLargePages, _) => pull.page_size = u32::MAX,
            (Flaw::SeesNoChanges, PullFrom::Changes { since, .. }) => {
                return Ok(Page::new(Vec::new(), Next::Done(since.clone())));
            }
            (Flaw::ListsInsteadOfChanges, PullFrom::Changes { page, .. }) => {
                pull.from = PullFrom::Listing { page };
            }
            _ => {}
        }
        if let Flaw::IsPoisonedByAFailure(poisoned) = &*self.flaw
            && poisoned.load(Ordering::SeqCst)
        {
            return Err(Error::new(ErrorKind::ServiceUnavailable, "a call has failed before"));
        }
        let outcome = self.read(session, pull).await.map_err(|error| self.flaw(error));
        match (&*self.flaw, outcome) {
            (Flaw::TakesNonsenseForNothing, Err(error)) if error.kind() == ErrorKind::DataFormat => {
                Ok(Page::new(Vec::new(), Next::Listed))
            }
            (Flaw::IsPoisonedByAFailure(poisoned), Err(error)) => {
                poisoned.store(true, Ordering::SeqCst);
                Err(error)
            }
            (_, outcome) => outcome,
        }
    }

    async fn check_health(&self, session: &Session) -> Result<()> {
        self.inner.check_health(session).await
    }
}

/// Knows every word, or so it thinks.
#[derive(Debug)]
struct Strict(Arc<dyn Normalizer>);

impl Normalizer for Strict {
    fn normalize(&self, item: &Raw, context: &ItemContext<'_>) -> Result<Change, ItemError> {
        if item.to_text().contains(ODD_WORD) {
            return Err(ItemError::new("$", "unknown variant"));
        }
        self.0.normalize(item, context)
    }
}
