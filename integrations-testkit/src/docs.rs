//! Do a crate's docs say what its services can do?

use std::path::Path;

use integrations_core::ServiceAdapter;
use integrations_core::adapter::capability_table;

const BEGIN: &str = "<!-- capabilities -->\n";
const END: &str = "<!-- /capabilities -->";

/// Asserts that a file holds the [table](capability_table) of these services between the lines
/// `<!-- capabilities -->` and `<!-- /capabilities -->`. With `UPDATE_DOCS=1` in the environment, it is written
/// there instead.
///
/// # Panics
/// When the file cannot be read, has no such place, or says something else.
pub fn assert_capabilities<'a>(
    file: impl AsRef<Path>,
    adapters: impl IntoIterator<Item = &'a dyn ServiceAdapter>,
) {
    let file = file.as_ref();
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let table = capability_table(adapters.into_iter().map(ServiceAdapter::info));
    let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{name}: {error}"));
    let place = text.find(BEGIN).zip(text.find(END)).map(|(begin, end)| (begin + BEGIN.len(), end));
    let Some((begin, end)) = place.filter(|(begin, end)| begin <= end) else {
        panic!("{name} has no place for the table: add the lines {BEGIN}{END}");
    };
    if text[begin..end] == table {
        return;
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let updated = format!("{}{table}{}", &text[..begin], &text[end..]);
        std::fs::write(file, updated).unwrap_or_else(|error| panic!("{name}: {error}"));
        return;
    }
    panic!("{name} does not say what the services can do; run this test with UPDATE_DOCS=1:\n{table}");
}
