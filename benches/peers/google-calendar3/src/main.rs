//! Lists all events of the primary calendar with google-calendar3.
//!
//! `peer-google-calendar3 URL TOKEN PAGE_SIZE` prints one line of JSON, `{"events", "seconds"}`, and
//! stays until its standard input is closed, so that whoever started it can look at it.

use std::error::Error;
use std::io::Read as _;
use std::time::Instant;

use google_calendar3::{CalendarHub, hyper_rustls, hyper_util};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, token, page_size] = arguments.as_slice() else {
        return Err("usage: peer-google-calendar3 URL TOKEN PAGE_SIZE".into());
    };
    let page_size = page_size.parse()?;
    let connector = hyper_rustls::HttpsConnectorBuilder::new()
        .with_native_roots()?
        .https_or_http()
        .enable_http1()
        .build();
    let client =
        hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new()).build(connector);
    let mut hub = CalendarHub::new(client, token.clone());
    hub.base_url(format!("{url}/calendar/v3/"));

    let start = Instant::now();
    let mut events = 0;
    let mut page_token: Option<String> = None;
    loop {
        let mut call = hub.events().list("primary").max_results(page_size).single_events(false);
        if let Some(page_token) = &page_token {
            call = call.page_token(page_token);
        }
        let (_, page) = call.doit().await?;
        events += page.items.as_ref().map_or(0, Vec::len);
        page_token = page.next_page_token;
        if page_token.is_none() {
            break;
        }
    }
    let seconds = start.elapsed().as_secs_f64();

    println!("{}", serde_json::json!({ "events": events, "seconds": seconds }));
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
