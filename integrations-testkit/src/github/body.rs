//! In which forms is Markdown shown?

use serde::ser::SerializeMap;

use super::json::text;
use super::view::Media;

/// What somebody wrote. The fake renders no Markdown: as HTML it is one paragraph.
pub(super) struct Body<'a>(pub(super) Option<&'a str>);

impl Body<'_> {
    /// Writes the forms that a media type asks for.
    pub(super) fn write<M: SerializeMap>(&self, media: Media, map: &mut M) -> Result<(), M::Error> {
        if media.raw {
            map.serialize_entry("body", &self.0)?;
        }
        if media.text {
            map.serialize_entry("body_text", self.0.unwrap_or_default())?;
        }
        if media.html {
            let escaped =
                self.0.map(|body| body.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"));
            let html = escaped.unwrap_or_default();
            map.serialize_entry("body_html", &text!("<p dir=\"auto\">{html}</p>"))?;
        }
        Ok(())
    }
}
