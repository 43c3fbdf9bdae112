//! How do users come in at this crate's own fakes, and how do their answers go wrong?

use async_trait::async_trait;

use crate::FakeApi;
use crate::fault::Fault;
use crate::google::FakeGoogle;
use crate::msgraph::FakeGraph;
use crate::scenario::{Answer, FakeServer};
use crate::slack::FakeSlack;
use crate::zoom::FakeZoom;

#[async_trait]
impl FakeServer for FakeGoogle {
    async fn consent(&self, authorization_url: &str) -> Result<String, String> {
        self.consent(authorization_url).await
    }

    fn fault(&self, fault: Fault) {
        self.fault(fault);
    }

    fn calls(&self, operation: &str) -> u64 {
        self.count(operation)
    }

    fn expire_tokens(&self) -> Answer {
        self.expire_access_tokens();
        Ok(())
    }
}

#[async_trait]
impl FakeServer for FakeGraph {
    async fn consent(&self, authorization_url: &str) -> Result<String, String> {
        self.consent(authorization_url).await
    }

    fn fault(&self, fault: Fault) {
        drop(self.fault(fault));
    }

    fn calls(&self, operation: &str) -> u64 {
        self.count(operation)
    }

    fn expire_tokens(&self) -> Answer {
        self.expire_access_tokens();
        Ok(())
    }
}

#[async_trait]
impl FakeServer for FakeSlack {
    async fn consent(&self, authorization_url: &str) -> Result<String, String> {
        self.consent(authorization_url).await
    }

    fn fault(&self, fault: Fault) {
        drop(self.fault(fault));
    }

    fn calls(&self, operation: &str) -> u64 {
        self.count(if operation == "revoke" { "auth.revoke" } else { operation })
    }

    fn expire_tokens(&self) -> Answer {
        self.expire_access_tokens();
        Ok(())
    }
}

#[async_trait]
impl FakeServer for FakeZoom {
    async fn consent(&self, authorization_url: &str) -> Result<String, String> {
        self.consent(authorization_url).await
    }

    fn fault(&self, fault: Fault) {
        drop(self.fault(fault));
    }

    fn calls(&self, operation: &str) -> u64 {
        self.count(operation)
    }

    fn expire_tokens(&self) -> Answer {
        self.expire_access_tokens();
        Ok(())
    }
}

/// Accounts are connected in a way of the test's own; see [`Fake::connect`](crate::scenario::Fake::connect).
#[async_trait]
impl FakeServer for FakeApi {
    async fn consent(&self, _: &str) -> Result<String, String> {
        Err("there is no such page".to_owned())
    }

    fn fault(&self, fault: Fault) {
        self.fault(fault);
    }

    fn calls(&self, operation: &str) -> u64 {
        self.count(operation)
    }
}
