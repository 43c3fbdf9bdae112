//! What is in a generated message: text, blocks, files, reactions?
//!
//! `text` and `blocks` say the same, so both are written from the same draws.

use super::words::{BOLD, CODE, EMOJI, FILES, LINKS, PLAIN, REACTIONS};
use super::{Scene, put};
use crate::random::{Draw, mix};
use crate::slack::ids::made_up;
use crate::slack::ts::Ts;

/// A piece of a line, as `[in text, in blocks]` where they differ.
enum Piece<'a> {
    Plain(&'a [&'static str; 2]),
    User(&'a str),
    Channel,
    Here,
    Emoji(&'a [&'static str; 2]),
    Link(&'a [&'static str; 3]),
    Code(&'static str),
    Bold(&'static str),
}

impl<'a> Piece<'a> {
    fn draw(draw: &mut Draw, scene: &'a Scene) -> Self {
        match draw.below(20) {
            0..11 => Self::Plain(draw.pick(PLAIN)),
            11 | 12 => Self::User(draw.pick::<String>(&scene.authors)),
            13 => Self::Channel,
            14 => Self::Here,
            15 => Self::Emoji(draw.pick(EMOJI)),
            16 | 17 => Self::Link(draw.pick(LINKS)),
            18 => Self::Code(draw.pick::<&str>(CODE)),
            _ => Self::Bold(draw.pick::<&str>(BOLD)),
        }
    }

    fn put_text(&self, out: &mut Vec<u8>, scene: &Scene) {
        match self {
            Self::Plain([text, _]) => put!(out, text),
            Self::User(user) => put!(out, "<@", user, ">"),
            Self::Channel => put!(out, "<#", scene.channel, "|>"),
            Self::Here => put!(out, "<!here>"),
            Self::Emoji([name, _]) => put!(out, ":", name, ":"),
            Self::Link([url, _, ""]) => put!(out, "<", url, ">"),
            Self::Link([url, _, label]) => put!(out, "<", url, "|", label, ">"),
            Self::Code(code) => put!(out, "`", code, "`"),
            Self::Bold(text) => put!(out, "*", text, "*"),
        }
    }

    fn put_element(&self, out: &mut Vec<u8>, scene: &Scene) {
        match self {
            Self::Plain([_, text]) => put_plain(out, text),
            Self::User(user) => put!(out, r#"{"type":"user","user_id":""#, user, "\"}"),
            Self::Channel => put!(out, r#"{"type":"channel","channel_id":""#, scene.channel, "\"}"),
            Self::Here => put!(out, r#"{"type":"broadcast","range":"here"}"#),
            Self::Emoji([name, ""]) => put!(out, r#"{"type":"emoji","name":""#, name, "\"}"),
            Self::Emoji([name, unicode]) => {
                put!(out, r#"{"type":"emoji","name":""#, name, r#"","unicode":""#, unicode, "\"}");
            }
            Self::Link([_, url, ""]) => put!(out, r#"{"type":"link","url":""#, url, "\"}"),
            Self::Link([_, url, label]) => {
                put!(out, r#"{"type":"link","url":""#, url, r#"","text":""#, label, "\"}");
            }
            Self::Code(code) => put!(out, r#"{"type":"text","text":""#, code, r#"","style":{"code":true}}"#),
            Self::Bold(text) => put!(out, r#"{"type":"text","text":""#, text, r#"","style":{"bold":true}}"#),
        }
    }
}

fn put_plain(out: &mut Vec<u8>, text: &str) {
    put!(out, r#"{"type":"text","text":""#, text, "\"}");
}

/// What stands below the first line.
#[derive(Clone, Copy)]
enum Below {
    Nothing,
    List,
    Code,
    Quote,
}

/// The pieces of the first line, and what is below it.
fn line<'a>(draw: &mut Draw, scene: &'a Scene) -> (Vec<Piece<'a>>, Below) {
    let more = draw.below(4);
    let mut pieces = vec![Piece::Plain(draw.pick(PLAIN))];
    pieces.extend((0..more).map(|_| Piece::draw(draw, scene)));
    let below = match draw.below(25) {
        0 => Below::List,
        1 => Below::Code,
        2 => Below::Quote,
        _ => Below::Nothing,
    };
    (pieces, below)
}

/// The inside of `text`.
pub(super) fn put_text(out: &mut Vec<u8>, draw: &mut Draw, scene: &Scene) {
    let (pieces, below) = line(draw, scene);
    for (index, piece) in pieces.iter().enumerate() {
        put!(out, if index == 0 { "" } else { " " });
        piece.put_text(out, scene);
    }
    match below {
        Below::Nothing => {}
        Below::List => put!(out, "\\n\u{2022} ", draw.pick(PLAIN)[0], "\\n\u{2022} ", draw.pick(PLAIN)[0]),
        Below::Code => put!(out, r"\n```fn main() {}\n```"),
        Below::Quote => put!(out, "\\n&gt; ", draw.pick(PLAIN)[0]),
    }
}

/// The inside of `blocks`.
pub(super) fn put_blocks(out: &mut Vec<u8>, draw: &mut Draw, scene: &Scene) {
    let id = made_up(b'b', draw.clone().next());
    let (pieces, below) = line(draw, scene);
    put!(out, r#"{"type":"rich_text","block_id":""#, id[2..7]);
    put!(out, r#"","elements":[{"type":"rich_text_section","elements":["#);
    for (index, piece) in pieces.iter().enumerate() {
        if index > 0 {
            put!(out, ",");
            put_plain(out, " ");
            put!(out, ",");
        }
        piece.put_element(out, scene);
    }
    put!(out, "]}");
    match below {
        Below::Nothing => {}
        Below::List => {
            put!(out, r#",{"type":"rich_text_list","elements":["#);
            for item in 0..2 {
                put!(out, if item == 0 { "" } else { "," });
                put!(out, r#"{"type":"rich_text_section","elements":["#);
                put_plain(out, draw.pick(PLAIN)[1]);
                put!(out, "]}");
            }
            put!(out, r#"],"style":"bullet","indent":0,"border":0}"#);
        }
        Below::Code => {
            put!(out, r#",{"type":"rich_text_preformatted","elements":["#);
            put_plain(out, r"fn main() {}\n");
            put!(out, r#"],"border":0}"#);
        }
        Below::Quote => {
            put!(out, r#",{"type":"rich_text_quote","elements":["#);
            put_plain(out, draw.pick(PLAIN)[1]);
            put!(out, "]}");
        }
    }
    put!(out, "]}");
}

/// `files`, in some messages; a file may have been deleted since.
pub(super) fn put_files(out: &mut Vec<u8>, draw: &mut Draw, scene: &Scene, author: &str, ts: Ts) {
    if !draw.percent(4) {
        return;
    }
    let id = made_up(b'F', mix(ts.0));
    put!(out, r#","upload":false,"files":[{"id":""#, id, "\"");
    if draw.percent(10) {
        put!(out, r#","mode":"tombstone"}]"#);
        return;
    }
    let [name, mime, kind, pretty] = draw.pick(FILES);
    let seconds = ts.text();
    put!(out, r#","created":"#, seconds[..10], r#","timestamp":"#, seconds[..10]);
    put!(out, r#","name":""#, name, r#"","title":""#, name, r#"","mimetype":""#, mime);
    put!(out, r#"","filetype":""#, kind, r#"","pretty_type":""#, pretty, r#"","user":""#, author);
    put!(out, r#"","user_team":""#, scene.team, r#"","editable":false,"size":"#);
    put!(out, (1_000 + draw.below(5_000_000)).to_string(), r#","mode":"hosted","is_external":false"#);
    put!(out, r#","external_type":"","is_public":true,"public_url_shared":false,"display_as_bot":false"#);
    put!(out, r#","username":"","url_private":"https://files.slack.com/files-pri/"#, scene.team, "-", id);
    put!(out, "/", kind, r#"","url_private_download":"https://files.slack.com/files-pri/"#, scene.team);
    put!(out, "-", id, "/download/", kind, r#"","permalink":"https://"#, scene.host, "/files/", author);
    put!(out, "/", id, "/", kind, r#"","is_starred":false,"has_rich_preview":false"#);
    put!(out, r#","file_access":"visible"}]"#);
}

/// `attachments`, in some of a bot's messages.
pub(super) fn put_attachments(out: &mut Vec<u8>, draw: &mut Draw) {
    if draw.percent(30) {
        put!(out, r#","attachments":[{"id":1,"color":"36a64f","fallback":"All checks have passed","#);
        put!(out, r#""text":"All checks have passed","mrkdwn_in":["text"]}]"#);
    }
}

/// `reactions`, in some messages.
pub(super) fn put_reactions(out: &mut Vec<u8>, draw: &mut Draw, authors: &[String]) {
    if !draw.percent(12) {
        return;
    }
    put!(out, r#","reactions":["#);
    let (kinds, first) = (1 + draw.below(3) as usize, draw.below(6) as usize);
    for kind in 0..kinds {
        let name = REACTIONS[(first + kind) % REACTIONS.len()];
        let users = (1 + draw.below(4) as usize).min(authors.len());
        put!(out, if kind == 0 { "" } else { "," }, r#"{"name":""#, name, r#"","users":["#);
        // Neighbours in the list are different people.
        for user in authors.iter().cycle().skip(first).take(users).enumerate() {
            put!(out, if user.0 == 0 { "\"" } else { ",\"" }, user.1, "\"");
        }
        put!(out, "],\"count\":", users.to_string(), "}");
    }
    put!(out, "]");
}
