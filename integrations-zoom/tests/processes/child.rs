//! A process that uses a connection when it is told to.
//!
//! It reads commands from its input, one a line: `touch N` uses the connection from N tasks at once and
//! answers with how many went well and what the first failure was; the end of the input ends it.

use std::io::{BufRead, Write};
use std::time::Duration;

use integrations_core::http::Request;

use super::{gateway, runtime};

/// Begins every line that is meant for the parent.
pub(crate) const MARK: &str = "@child ";

fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{MARK}{text}");
    let _ = out.flush();
}

#[test]
#[ignore = "run by the other tests"]
fn child() {
    let read = |name: &str| std::env::var(name).unwrap_or_default();
    let limit: u64 = read("CHILD_LIMIT").parse().unwrap();
    let ttl: u64 = read("CHILD_TTL").parse().unwrap();
    runtime().block_on(async {
        let fake = read("CHILD_FAKE");
        let gateway = gateway(
            &fake,
            read("CHILD_DB").as_ref(),
            Duration::from_millis(ttl),
            Duration::from_millis(limit),
        )
        .await;
        let id = integrations_core::ConnectionId::new(read("CHILD_CONNECTION"));
        say("ready");
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            let tasks: usize = line.strip_prefix("touch ").unwrap().parse().unwrap();
            say("begin");
            let calls: Vec<_> = (0..tasks)
                .map(|_| {
                    let (gateway, id, fake) = (gateway.clone(), id.clone(), fake.clone());
                    tokio::spawn(async move {
                        let url = format!("{fake}/v2/users/me").parse().unwrap();
                        gateway.session(&id).await?.send(Request::get("users.me", url)).await
                    })
                })
                .collect();
            let (mut well, mut first) = (0, None);
            for call in calls {
                match call.await.unwrap() {
                    Ok(_) => well += 1,
                    Err(error) => first = first.or(Some(error)),
                }
            }
            match first {
                None => say(&format!("well {well}")),
                Some(error) => say(&format!("failed {} {}", error.kind().as_str(), error.message())),
            }
        }
    });
}
