//! What do generated messages say, and who says it? Except for names, fragments are escaped for JSON.

/// A person of every generated workspace: short name, full name, display name, title, time zone.
pub(in crate::slack) const PEOPLE: &[[&str; 5]] = &[
    ["grace", "Grace Hopper", "grace", "Rear Admiral", "America/New_York"],
    ["alan", "Alan Turing", "", "Mathematician", "Europe/London"],
    ["katherine", "Katherine Johnson", "kat", "Trajectories", "America/New_York"],
    ["jose", "José Núñez", "José", "Sales", "Europe/Madrid"],
    ["zoe", "Zoë \"Z\" Washburne", "Z", "First mate", "America/Los_Angeles"],
    ["tanaka", "田中 太郎", "太郎", "営業", "Asia/Tokyo"],
    ["edsger", "Edsger Dijkstra", "", "", "Europe/Amsterdam"],
    ["barbara", "Barbara Liskov", "barbara", "Substitution", "America/New_York"],
    ["donald", "Donald Knuth", "", "Author", "America/Los_Angeles"],
    ["frances", "Frances Allen", "fran", "Compilers", "America/New_York"],
    ["niklaus", "Niklaus Wirth", "", "", "Europe/Zurich"],
    ["radmila", "Радмила Ћирић", "Рада", "Подршка", "Europe/Belgrade"],
];

/// A bot that writes.
pub(super) struct Bot {
    pub(super) name: &'static str,
    pub(super) emoji: &'static str,
}

pub(super) const BOTS: &[Bot] =
    &[Bot { name: "deploy", emoji: ":rocket:" }, Bot { name: "pager", emoji: ":rotating_light:" }];

/// What is said, as `text` has it, with Slack's entities, and as blocks have it, without.
pub(super) const PLAIN: &[[&str; 2]] = &[
    ["Morning all!"; 2],
    ["Will be 5 min late for standup"; 2],
    ["I\\u2019ll have a look after lunch"; 2],
    ["R&amp;D budget is at &lt;80 %", "R&D budget is at <80 %"],
    ["Grüße aus Köln, bis später …"; 2],
    ["四半期レビューの資料を更新しました"; 2],
    ["The build is green again \u{1f389}"; 2],
    ["Can somebody review this before noon?"; 2],
    ["a &gt; b implies b &lt; a", "a > b implies b < a"],
    ["He said \\\"ship it\\\" and left"; 2],
    ["First line\\nsecond line"; 2],
    ["Планёрка в 10:00"; 2],
    ["We look at the three candidates for the storage layer, what each costs to run, and what it would take to leave again. Numbers from the load test are in the sheet; read them before.";
        2],
    ["Path C:\\\\reports\\\\weekly"; 2],
];

/// A link's address as text has it and as blocks have it, and its label; without a label it stands bare.
pub(super) const LINKS: &[[&str; 3]] = &[
    ["https://docs.example.com/d/1a2b", "https://docs.example.com/d/1a2b", "the document"],
    ["https://example.com/search?q=sync&amp;page=2", "https://example.com/search?q=sync&page=2", ""],
    ["https://example.zoom.us/j/123456789?pwd=abc", "https://example.zoom.us/j/123456789?pwd=abc", ""],
];

/// An emoji's name, and its code points; an emoji of the workspace has none.
pub(super) const EMOJI: &[[&str; 2]] =
    &[["tada", "1f389"], ["+1", "1f44d"], ["male-technologist", "1f468-200d-1f4bb"], ["shipit", ""]];

pub(super) const CODE: &[&str] = &["cargo test", "SELECT 1", "x += 1"];

pub(super) const BOLD: &[&str] = &["important", "wichtig", "today"];

pub(super) const BOT_TEXTS: &[&str] = &[
    "Deployed `api` to *production* in 42 s",
    "Build <https://ci.example.com/b/1812|#1812> passed",
    ":warning: p95 of `checkout` is &gt; 800 ms",
    "Weekly report: 17 deals, 3 lost",
];

pub(super) const REACTIONS: &[&str] = &["+1", "eyes", "tada", "heart", "white_check_mark", "+1::skin-tone-2"];

/// A file's name, MIME type, Slack's type, and Slack's name of it.
pub(super) const FILES: &[[&str; 4]] = &[
    ["image.png", "image/png", "png", "PNG"],
    ["Notizen – Woche.pdf", "application/pdf", "pdf", "PDF"],
    [
        "numbers.xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "xlsx",
        "Excel Spreadsheet",
    ],
];
