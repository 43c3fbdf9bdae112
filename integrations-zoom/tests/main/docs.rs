//! The docs say what the service can do.

use integrations_zoom::{Zoom, ZoomConfig};

#[test]
fn the_docs_hold_the_table_of_what_zoom_can_do() {
    let adapter = Zoom::new(ZoomConfig::builder().client("id", "secret").build().unwrap()).unwrap();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs.md");
    integrations_testkit::docs::assert_capabilities(file, [&*adapter]);
}
