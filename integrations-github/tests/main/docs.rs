//! The docs say what the service can do.

use integrations_github::{GitHub, GitHubConfig};

#[test]
fn the_docs_hold_the_table_of_what_github_can_do() {
    let adapter = GitHub::new(GitHubConfig::builder().client("id", "secret").build().unwrap());
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs.md");
    integrations_testkit::docs::assert_capabilities(file, [&*adapter]);
}
