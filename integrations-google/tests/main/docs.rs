//! The docs say what the services can do.

use std::path::Path;

use integrations_google::{Gmail, GoogleCalendar, GoogleConfig, GoogleTasks};
use integrations_testkit::docs::assert_capabilities;

#[test]
fn the_table_is_that_of_the_adapters() {
    let config = GoogleConfig::builder().client("id", "secret").build().unwrap();
    let adapters =
        [GoogleCalendar::new(config.clone()), Gmail::new(config.clone()), GoogleTasks::new(config)];
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs.md");
    assert_capabilities(docs, adapters.iter().map(|adapter| &**adapter));
}
