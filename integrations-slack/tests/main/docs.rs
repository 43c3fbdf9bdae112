//! The docs say what the service can do.

use integrations_slack::{Slack, SlackConfig};

#[test]
fn the_docs_hold_the_table_of_what_slack_can_do() {
    let adapter = Slack::new(SlackConfig::builder().client("id", "secret").build().unwrap()).unwrap();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs.md");
    integrations_testkit::docs::assert_capabilities(file, [&*adapter]);
}
