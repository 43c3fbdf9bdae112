//! How does a host use a service that the family connects and does not read?

use std::sync::Arc;

use async_trait::async_trait;

use super::{Page, Pull, ServiceAdapter, ServiceInfo, Stream};
use crate::auth::Authenticator;
use crate::error::{Error, ErrorKind, Result};
use crate::http::{Failure, Judge, Origins, Response, Session};
use crate::model::{Change, Raw};
use crate::normalize::{ItemContext, ItemError, Normalizer};
use crate::resilience::Limits;

/// A service whose accounts are connected and kept connected, and whose data the host reads itself with
/// [`Gateway::session`](crate::Gateway::session). It has no streams.
#[derive(Debug)]
pub struct AccountAdapter {
    info: ServiceInfo,
    authenticator: Arc<dyn Authenticator>,
    origins: Origins,
    limits: Limits,
    classify: fn(&Failure<'_>) -> Error,
    judge: Option<Judge>,
}

impl AccountAdapter {
    /// An adapter of a service: how its accounts are connected, where their tokens may go, and what its
    /// failures mean.
    pub fn new(
        info: ServiceInfo,
        authenticator: Arc<dyn Authenticator>,
        origins: Origins,
        classify: fn(&Failure<'_>) -> Error,
    ) -> Self {
        Self { info, authenticator, origins, limits: Limits::UNKNOWN, classify, judge: None }
    }

    /// Says how much may be asked of the provider.
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Says which answers are successes, where the status does not.
    pub fn with_judge(mut self, judge: Judge) -> Self {
        self.judge = Some(judge);
        self
    }
}

#[async_trait]
impl ServiceAdapter for AccountAdapter {
    fn info(&self) -> &ServiceInfo {
        &self.info
    }

    fn normalizer(&self) -> Arc<dyn Normalizer> {
        Arc::new(NothingToRead)
    }

    fn allowed_origins(&self) -> &Origins {
        &self.origins
    }

    fn limits(&self) -> Limits {
        self.limits
    }

    fn classify(&self, failure: &Failure<'_>) -> Error {
        (self.classify)(failure)
    }

    fn judge(&self, operation: &'static str, answer: &Response) -> Result<()> {
        match self.judge {
            Some(judge) => judge(operation, answer),
            None => super::judge_by_status(self, operation, answer),
        }
    }

    fn authenticator(&self) -> &dyn Authenticator {
        &*self.authenticator
    }

    async fn list_streams(&self, _: &Session) -> Result<Vec<Stream>> {
        Ok(Vec::new())
    }

    async fn sync_data(&self, _: &Session, _: Pull<'_>) -> Result<Page> {
        Err(Error::new(ErrorKind::UnsupportedOperation, "this service has no streams to read"))
    }

    async fn check_health(&self, session: &Session) -> Result<()> {
        self.authenticator.identify(session).await.map(drop)
    }
}

#[derive(Debug)]
struct NothingToRead;

impl Normalizer for NothingToRead {
    fn normalize(&self, _: &Raw, _: &ItemContext<'_>) -> Result<Change, ItemError> {
        Err(ItemError::new("$", "this service has no items"))
    }
}
