//! What would a reader see of HTML, without the pictures?
//!
//! The tags are told from the text by `html5gum`, as the HTML standard says and in one pass, whatever a
//! sender wrote; here is only where a line ends.

use std::convert::Infallible;

use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{Span, Tokenizer};

/// Elements of which nothing is seen.
const HIDDEN: &[&[u8]] = &[b"title", b"style", b"script", b"template", b"iframe", b"noscript"];
/// Elements that stand on lines of their own.
const LINES: &[&[u8]] = &[
    b"address",
    b"article",
    b"aside",
    b"center",
    b"dd",
    b"div",
    b"dl",
    b"dt",
    b"fieldset",
    b"footer",
    b"form",
    b"header",
    b"hr",
    b"li",
    b"main",
    b"nav",
    b"ol",
    b"pre",
    b"section",
    b"table",
    b"tr",
    b"ul",
];
/// Elements with an empty line before and behind them.
const PARAGRAPHS: &[&[u8]] = &[b"blockquote", b"h1", b"h2", b"h3", b"h4", b"h5", b"h6", b"p"];
/// Elements that are set apart within their line.
const CELLS: &[&[u8]] = &[b"td", b"th"];

/// What comes before the next text. The greater one holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    None,
    Space,
    Line,
    Paragraph,
}

/// The text of an HTML document, or of a piece of one.
pub fn to_text(html: &str) -> String {
    let mut page = Page { text: String::with_capacity(html.len() / 4), gap: Gap::None, hidden: None, pre: 0 };
    let read = |event: CallbackEvent<'_>, _: Span<()>| -> Option<Infallible> {
        page.read(&event);
        None
    };
    let mut emitter = CallbackEmitter::new(read);
    emitter.naively_switch_states(true);
    // A string can be read to its end.
    let Ok(()) = Tokenizer::new_with_emitter(html, emitter).finish();
    page.text
}

/// Text as HTML that shows it.
pub fn from_text(text: &str) -> String {
    let text = html_escape::encode_text(text);
    format!("<div style=\"white-space: pre-wrap\">{text}</div>")
}

struct Page {
    text: String,
    gap: Gap,
    /// The element that hides what is in it.
    hidden: Option<&'static [u8]>,
    /// How many elements there are around that keep white space as it is.
    pre: usize,
}

impl Page {
    fn read(&mut self, event: &CallbackEvent<'_>) {
        match *event {
            CallbackEvent::OpenStartTag { name } if self.hidden.is_none() => {
                self.hidden = HIDDEN.iter().find(|hidden| **hidden == name).copied();
                self.pre += usize::from(name == b"pre");
                if name == b"br" {
                    self.end_line();
                } else {
                    self.edge(name);
                }
            }
            CallbackEvent::EndTag { name } => match self.hidden {
                Some(hidden) if hidden == name => self.hidden = None,
                Some(_) => {}
                None => {
                    self.pre = self.pre.saturating_sub(usize::from(name == b"pre"));
                    self.edge(name);
                }
            },
            CallbackEvent::String { value } if self.hidden.is_none() => self.write(value),
            _ => {}
        }
    }

    /// The beginning or the end of an element.
    fn edge(&mut self, name: &[u8]) {
        let gap = if LINES.contains(&name) {
            Gap::Line
        } else if PARAGRAPHS.contains(&name) {
            Gap::Paragraph
        } else if CELLS.contains(&name) {
            Gap::Space
        } else {
            return;
        };
        self.gap = self.gap.max(gap);
    }

    /// Two in a row leave a line empty.
    fn end_line(&mut self) {
        self.gap = if self.gap >= Gap::Line { Gap::Paragraph } else { Gap::Line };
    }

    fn write(&mut self, value: &[u8]) {
        let value = String::from_utf8_lossy(value);
        if self.pre > 0 {
            self.fill_gap();
            self.text.push_str(&value);
            return;
        }
        let mut rest = &*value;
        while !rest.is_empty() {
            let word = rest.trim_ascii_start();
            if word.len() < rest.len() {
                self.gap = self.gap.max(Gap::Space);
            }
            let end = word.find(|letter: char| letter.is_ascii_whitespace()).unwrap_or(word.len());
            if end > 0 {
                self.fill_gap();
                self.text.push_str(&word[..end]);
            }
            rest = &word[end..];
        }
    }

    fn fill_gap(&mut self) {
        let gap = std::mem::replace(&mut self.gap, Gap::None);
        if !self.text.is_empty() {
            self.text.push_str(match gap {
                Gap::None => "",
                Gap::Space => " ",
                Gap::Line => "\n",
                Gap::Paragraph => "\n\n",
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_lines_stand_as_they_are_seen() {
        for (html, text) in [
            ("<div>one</div><div>two</div>", "one\ntwo"),
            ("one<br>two<br/><br />three", "one\ntwo\n\nthree"),
            ("<p>one</p>\n<p>two <b>bold</b>er</p>", "one\n\ntwo bolder"),
            ("<h1>Head</h1>text", "Head\n\ntext"),
            ("<ul><li>a</li><li>b</li></ul>", "a\nb"),
            ("<table><tr><td>a</td><td>b</td></tr>\n<tr><td>c</td></tr></table>", "a b\nc"),
            ("a &lt; b&nbsp;&amp; &#39;c&#39; &#x1F600; &bogus; &", "a < b\u{a0}& 'c' 😀 &bogus; &"),
            (" a \n\t b  c ", "a b c"),
            ("a <i> b </i> c", "a b c"),
            ("<pre>a\n  b</pre>c", "a\n  b\nc"),
            ("<a href='https://x.example/'>link</a><img alt=x>.", "link."),
            ("", ""),
        ] {
            assert_eq!(to_text(html), text, "{html}");
        }
    }

    #[test]
    fn what_no_reader_sees_is_left_out() {
        let page = "<!DOCTYPE html><html><head><title>T</title><style>p > b {}</style></head>\
                    <body><script>if (a < b) {}</script><!-- <p>no</p> -->seen<template><p>no</p></template>";
        assert_eq!(to_text(page), "seen");
    }

    #[test]
    fn soup_is_read_to_its_end() {
        for (html, text) in [
            ("a < b", "a < b"),
            ("a <", "a <"),
            ("<div", ""),
            ("</p></pre>x", "x"),
            ("<b><p>x</b>", "x"),
            ("<DIV>a</DIV>b", "a\nb"),
        ] {
            assert_eq!(to_text(html), text, "{html}");
        }
        let deep = "<div>".repeat(100_000) + "x";
        assert_eq!(to_text(&deep), "x");
    }

    #[test]
    fn text_shows_the_same_as_html() {
        let text = "a < b & c\n  d";
        assert_eq!(to_text(&from_text(text)), "a < b & c d");
        assert!(from_text(text).contains("a &lt; b &amp; c\n  d"));
    }
}
