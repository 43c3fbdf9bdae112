//! What would a broken client do?

use std::sync::Arc;

use async_trait::async_trait;
use http::{HeaderMap, StatusCode, header};
use integrations_core::Result;
use integrations_core::http::{Request, Response, Transport};

use super::Subject;

/// What a client does wrong.
#[derive(Debug, Clone, Copy)]
enum Flaw {
    FollowsRedirects,
    LosesRetryAfter,
    TakesABreakForAnEnd,
}

/// A redirect is followed, token and all.
pub fn a_client_that_follows_redirects(subject: Subject) -> Subject {
    flawed(subject, Flaw::FollowsRedirects)
}

/// How long to wait is not heard.
pub fn a_client_that_loses_retry_after(subject: Subject) -> Subject {
    flawed(subject, Flaw::LosesRetryAfter)
}

/// A connection that breaks is taken for the end of an answer.
pub fn a_client_that_takes_a_break_for_the_end(subject: Subject) -> Subject {
    flawed(subject, Flaw::TakesABreakForAnEnd)
}

fn flawed(subject: Subject, flaw: Flaw) -> Subject {
    subject.wrap_transport(move |inner| Arc::new(Flawed { inner, flaw }))
}

#[derive(Debug)]
struct Flawed {
    inner: Arc<dyn Transport>,
    flaw: Flaw,
}

#[async_trait]
impl Transport for Flawed {
    async fn send(&self, request: Request) -> Result<Response> {
        let again = request.clone();
        let mut answer = match (self.flaw, self.inner.send(request).await) {
            (Flaw::TakesABreakForAnEnd, Err(_)) => Response::new(StatusCode::OK, HeaderMap::new(), "{}"),
            (_, answer) => answer?,
        };
        match self.flaw {
            Flaw::FollowsRedirects if answer.status.is_redirection() => {
                let to = answer.headers.get(header::LOCATION).and_then(|to| to.to_str().ok());
                let mut followed = again;
                if let Some(url) = to.and_then(|to| to.parse().ok()) {
                    followed.url = url;
                    answer = self.inner.send(followed).await?;
                }
            }
            Flaw::LosesRetryAfter => drop(answer.headers.remove(header::RETRY_AFTER)),
            _ => {}
        }
        Ok(answer)
    }
}
