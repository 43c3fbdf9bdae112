//! The docs say what the services can do.

use std::path::Path;

use integrations_msgraph::{GraphConfig, OutlookCalendar, OutlookMail};
use integrations_testkit::docs::assert_capabilities;

#[test]
fn the_table_is_that_of_the_adapters() {
    let config = GraphConfig::builder().client("id", "secret").build().unwrap();
    let adapters = [OutlookCalendar::new(config.clone()).unwrap(), OutlookMail::new(config).unwrap()];
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs.md");
    assert_capabilities(docs, adapters.iter().map(|adapter| &**adapter));
}
