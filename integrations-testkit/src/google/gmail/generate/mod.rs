//! What does message number `i` of a generated mailbox look like?
//!
//! A message is a pure function of the seed, the account, the start day and its index, so a million of
//! them cost no memory. Messages come in blocks of eight, and a thread does not leave its block, so a
//! thread is found by looking at eight messages.

mod plan;
mod words;

use chrono::{DateTime, NaiveTime, Utc};

use self::plan::{BLOCK, Kind, PATTERNS, Plan};
use self::words::{
    CLOSINGS, FILES, FORUMS, NEWS, NEWSLETTERS, NOTICES, NOTIFIERS, PARAGRAPHS, PEOPLE, SUBJECTS,
};
use super::labels::Labels;
use super::spec::{Bytes, File, MailSpec};
use crate::random::{Draw, hash_text, mix};

/// Generated messages came in this span before the start day, in the order of their index.
const SPAN: i64 = 1_000 * 86_400_000;

/// Makes up the messages of one account.
#[derive(Debug)]
pub(super) struct Generator {
    key: u64,
    count: u64,
    user: String,
    first: i64,
    /// How far the messages lie apart, in milliseconds.
    step: i64,
}

impl Generator {
    pub(super) fn new(seed: u64, user: &str, count: u64, now: DateTime<Utc>) -> Self {
        let midnight = now.date_naive().and_time(NaiveTime::MIN).and_utc().timestamp_millis();
        Self {
            key: mix(seed ^ hash_text(user) ^ 0x0067_6d61_696c),
            count,
            user: user.to_owned(),
            first: midnight - SPAN,
            step: (SPAN / i64::try_from(count.max(1)).unwrap_or(i64::MAX)).max(1),
        }
    }

    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn user(&self) -> &str {
        &self.user
    }

    fn draw(&self, index: u64) -> Draw {
        Draw::new(mix(self.key.wrapping_add(index)) ^ self.key)
    }

    /// When the message came, in milliseconds of the epoch and on a full second; never falls from one
    /// index to the next.
    pub(super) fn date(&self, index: u64) -> i64 {
        let offset = mix(self.key ^ index) % self.step.unsigned_abs();
        let place = self.step.saturating_mul(i64::try_from(index).unwrap_or(i64::MAX));
        (self.first + place).saturating_add_unsigned(offset).div_euclid(1_000) * 1_000
    }

    /// How many messages come before a place in the order of dates and positions.
    pub(super) fn before(&self, place: (i64, u64)) -> u64 {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low + (high - low) / 2;
            if (self.date(middle), middle) < place {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// Which messages of a block belong together.
    fn pattern(&self, block: u64) -> &'static [u64; 8] {
        Draw::new(self.key ^ mix(block)).pick(PATTERNS)
    }

    /// The first message of a message's thread.
    pub(super) fn root(&self, index: u64) -> u64 {
        let (block, slot) = (index / BLOCK, index % BLOCK);
        let slots = self.pattern(block);
        block * BLOCK + slots.get(usize::try_from(slot).unwrap_or(0)).copied().unwrap_or(slot)
    }

    /// The generated messages of a thread, by its first message.
    pub(super) fn members(&self, root: u64) -> impl Iterator<Item = u64> {
        let end = (root / BLOCK + 1).saturating_mul(BLOCK).min(self.count);
        (root..end).filter(move |&index| self.root(index) == root)
    }

    /// The first message of every generated thread.
    pub(super) fn roots(&self) -> impl Iterator<Item = u64> {
        (0..self.count).filter(|&index| self.root(index) == index)
    }

    fn plan(&self, index: u64) -> (Plan, Draw) {
        let root = self.root(index);
        let conversation = root != index || self.members(root).nth(1).is_some();
        let mut draw = self.draw(index);
        (Plan::draw(&mut draw, conversation, root != index), draw)
    }

    pub(super) fn labels(&self, index: u64) -> Labels {
        self.plan(index).0.labels
    }

    /// What the message says; `id` tells the ids of messages.
    pub(super) fn mail(&self, index: u64, id: impl Fn(u64) -> String) -> MailSpec {
        let (plan, mut draw) = self.plan(index);
        let root = self.root(index);
        let mut of_thread = Draw::new(mix(self.key ^ root).wrapping_add(1));
        let mut mail = match plan.kind {
            Kind::Letter => {
                let (name, address) = *of_thread.pick(PEOPLE);
                let subject = *of_thread.pick(SUBJECTS);
                self.letter(&mut draw, &plan, (name, address), subject, root != index)
            }
            Kind::Newsletter => newsletter(&mut draw),
            Kind::Notice => notice(&mut draw, NOTIFIERS),
            Kind::Forum => notice(&mut draw, FORUMS),
        };
        if root != index {
            let before: Vec<_> = self.members(root).take_while(|&member| member < index).collect();
            let ids: Vec<_> =
                before.iter().map(|&member| format!("<{}@mail.example.com>", id(member))).collect();
            let last = ids.last().map(String::as_str).unwrap_or_default();
            mail = mail.header("In-Reply-To", last).header("References", &ids.join(" "));
        }
        mail
    }

    fn letter(
        &self,
        draw: &mut Draw,
        plan: &Plan,
        (name, address): (&str, &str),
        subject: &str,
        reply: bool,
    ) -> MailSpec {
        let other = format!("{name} <{address}>");
        let subject = if reply { format!("Re: {subject}") } else { subject.to_owned() };
        let mut mail = MailSpec::new(&subject);
        mail = if plan.sent { mail.from(&self.user).to(&other) } else { mail.from(&other) };
        if draw.percent(15) {
            let (name, address) = *draw.pick(PEOPLE);
            mail = mail.cc(&format!("{name} <{address}>"));
        }
        let (greeted, signed) = if plan.sent { (name, "Ada") } else { ("Ada", name) };
        let greeted = greeted.split(' ').next().unwrap_or_default();
        let mut text = format!("Hi {greeted},\n\n");
        let mut html = format!("<div dir=\"ltr\"><div>Hi {},</div><br>", escape(greeted));
        for _ in 0..=draw.below(4) {
            let paragraph = *draw.pick(PARAGRAPHS);
            text = text + paragraph + "\n\n";
            html = html + "<p>" + &escape(paragraph).replace('\n', "<br>") + "</p>\n";
        }
        let closing = *draw.pick(CLOSINGS);
        text = text + closing + "\n" + signed + "\n";
        html = html + "<div>" + closing + "<br>" + &escape(signed) + "</div></div>\n";
        if reply {
            let quoted = *draw.pick(PARAGRAPHS);
            text = text + "\nOn Mon, someone wrote:\n> " + &quoted.replace('\n', "\n> ") + "\n";
            html = html
                + "<div class=\"gmail_quote\"><blockquote class=\"gmail_quote\" style=\"margin:0 0 0 .8ex\">"
                + &escape(quoted)
                + "</blockquote></div>\n";
        }
        mail = mail.text(&text);
        if !draw.percent(25) {
            mail = mail.html(&html);
        }
        if draw.percent(22) {
            for _ in 0..=draw.below(3) {
                let (filename, mime_type, magic, most) = *draw.pick(FILES);
                let size = 200 + draw.below(most) as usize;
                mail.files.push(made(draw, (filename, mime_type), magic, size, None));
            }
        }
        mail
    }
}

fn newsletter(draw: &mut Draw) -> MailSpec {
    let (name, address) = *draw.pick(NEWSLETTERS);
    let headline = *draw.pick(NEWS);
    let mut text = format!("{name}\n\n");
    let mut html = format!(
        "<!DOCTYPE html><html><body style=\"margin:0\"><table width=\"600\" role=\"presentation\">\
         <tr><td><h1>{}</h1></td></tr>\n",
        escape(name)
    );
    for _ in 0..4 + draw.below(9) {
        let (title, words) = (*draw.pick(NEWS), *draw.pick(PARAGRAPHS));
        let link =
            format!("https://news.example.com/a/{:012x}?utm_source=mail&utm_medium=link", draw.next() >> 16);
        text = text + "* " + title + "\n  " + &link + "\n\n";
        html = html
            + "<tr><td style=\"padding:12px 24px;font-family:Arial,Helvetica,sans-serif;font-size:14px\">\
               <a style=\"color:#1a73e8\" href=\""
            + &escape(&link)
            + "\">"
            + &escape(title)
            + "</a><p style=\"margin:4px 0;color:#5f6368\">"
            + &escape(words)
            + "</p></td></tr>\n";
    }
    let logo = draw.percent(15);
    if logo {
        html += "<tr><td><img src=\"cid:logo\" alt=\"\" width=\"120\"></td></tr>\n";
    }
    html += "</table></body></html>\n";
    let list = address.split('@').next().unwrap_or_default();
    let mut mail = MailSpec::new(headline)
        .from(&format!("{name} <{address}>"))
        .html(&html)
        .header("List-Id", &format!("<{list}.news.example.com>"))
        .header(
            "List-Unsubscribe",
            "<https://news.example.com/unsubscribe?u=4711>, <mailto:stop@news.example.com>",
        )
        .header("Precedence", "bulk");
    if !draw.percent(30) {
        mail = mail.text(&text);
    }
    if logo {
        let size = 1_500 + draw.below(4_000) as usize;
        let file = made(draw, ("logo.png", "image/png"), b"\x89PNG\r\n\x1a\n", size, Some("logo"));
        mail.files.push(file);
    }
    mail
}

fn notice(draw: &mut Draw, senders: &[(&str, &str)]) -> MailSpec {
    let (name, address) = *draw.pick(senders);
    let number = draw.below(100_000);
    let subject = format!("[{name}] {} (#{number})", draw.pick(NOTICES));
    let words = *draw.pick(PARAGRAPHS);
    let mail = MailSpec::new(&subject)
        .from(&format!("{name} <{address}>"))
        .text(&format!("{words}\n\n-- \nView it: https://app.example.com/t/{number}\n"))
        .header("Auto-Submitted", "auto-generated");
    if draw.percent(40) {
        return mail;
    }
    let html = "<div><p>".to_owned()
        + &escape(words)
        + &format!("</p><p><a href=\"https://app.example.com/t/{number}\">View it</a></p></div>\n");
    mail.html(&html)
}

fn made(
    draw: &mut Draw,
    (filename, mime_type): (&str, &str),
    magic: &'static [u8],
    size: usize,
    content_id: Option<&str>,
) -> File {
    File {
        filename: filename.to_owned(),
        mime_type: mime_type.to_owned(),
        content_id: content_id.map(str::to_owned),
        bytes: Bytes::Made { key: draw.next(), magic, size },
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
