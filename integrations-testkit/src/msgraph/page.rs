//! What is a page made of, and how does a listing go on?

use http::header::HOST;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::Graph;
use super::errors::Refusal;
use super::prefer::Preferences;
use super::query::Query;
use super::text::put;
use crate::server::{Call, Reply};

/// What a client gets that asks for no size.
const DEFAULT: usize = 10;
const MOST: usize = 1_000;

const PARAMETER: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The items of a page.
#[derive(Debug)]
pub(super) struct Items {
    out: Vec<u8>,
    limit: usize,
    pub(super) count: usize,
    /// Where the first item stands.
    first: (usize, usize),
}

impl Items {
    pub(super) fn begin(context: &str, limit: usize) -> Self {
        let mut out = Vec::with_capacity(4_096);
        put!(
            out,
            r#"{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#"#,
            context,
            r#"","value":["#
        );
        Self { out, limit, count: 0, first: (0, 0) }
    }

    pub(super) const fn full(&self) -> bool {
        self.count >= self.limit
    }

    pub(super) fn add(&mut self, put: impl FnOnce(&mut Vec<u8>)) {
        if self.count > 0 {
            self.out.push(b',');
        }
        let start = self.out.len();
        put(&mut self.out);
        if self.count == 0 {
            self.first = (start, self.out.len());
        }
        self.count += 1;
    }

    /// Says the first item once more: clients have to bear it.
    pub(super) fn repeat(&mut self) {
        if self.count > 0 {
            let (start, end) = self.first;
            let again = self.out[start..end].to_vec();
            self.add(|out| out.extend_from_slice(&again));
        }
    }

    pub(super) fn reply(mut self, link: Option<(&str, String)>) -> Reply {
        self.out.push(b']');
        if let Some((name, url)) = link {
            put!(self.out, ",\"@odata.", name, "\":\"", url, "\"");
        }
        self.out.push(b'}');
        let reply = Reply::json(200, self.out);
        Reply { items: self.count as u64, ..reply }
    }
}

/// The answer that is one item. Text of the test that is no object goes out as it is.
pub(super) fn single(context: &str, item: &[u8]) -> Reply {
    if !item.starts_with(b"{\"") {
        return Reply::json(200, item.to_vec());
    }
    let mut out = Vec::with_capacity(item.len() + 96);
    put!(out, r#"{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#"#, context, "\",");
    out.extend_from_slice(&item[1..]);
    Reply::json(200, out)
}

/// How many items a page may hold.
pub(super) fn size(graph: &Graph, prefer: &Preferences, top: Option<usize>) -> usize {
    prefer.page_size.or(top).unwrap_or(DEFAULT).min(MOST).min(graph.page_cap.max(1))
}

/// An address of the fake, as the caller knows it.
pub(super) fn address(call: &Call, path: &str) -> String {
    format!("http://{}{path}", call.header(HOST).unwrap_or("127.0.0.1"))
}

/// A listing that is no round: it goes on after a number of items, so what changes in the meantime shifts it.
pub(super) struct Listing {
    skip: u64,
    passed: u64,
    more: bool,
    items: Items,
}

impl Listing {
    pub(super) fn begin(
        graph: &Graph,
        query: &Query,
        prefer: &Preferences,
        context: &str,
    ) -> Result<Self, Refusal> {
        let skip = query.number("$skip")?.unwrap_or(0);
        let items = Items::begin(context, size(graph, prefer, query.top()?));
        Ok(Self { skip, passed: 0, more: false, items })
    }

    /// Takes an item, passes over it, or says that the page is full: then the answer is false.
    pub(super) fn offer(&mut self, put: impl FnOnce(&mut Vec<u8>)) -> bool {
        if self.passed < self.skip {
            self.passed += 1;
            return true;
        }
        if self.items.full() {
            self.more = true;
            return false;
        }
        self.items.add(put);
        true
    }

    pub(super) fn reply(self, call: &Call, query: &Query) -> Reply {
        let next = self.more.then(|| {
            let mut path = format!("{}?", call.path);
            for (name, value) in query.iter().filter(|(name, _)| *name != "$skip") {
                path.extend([name, "=", &utf8_percent_encode(value, PARAMETER).to_string(), "&"]);
            }
            let skip = self.skip + self.items.count as u64;
            ("nextLink", address(call, &format!("{path}$skip={skip}")))
        });
        self.items.reply(next)
    }
}
