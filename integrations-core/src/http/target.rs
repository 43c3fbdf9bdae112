//! Where does a call go?

use url::Url;

use crate::error::{Error, ErrorKind, Result};

/// Puts segments behind a base address. Each is percent-encoded, so that no id can name another path.
///
/// # Errors
/// [`ErrorKind::Configuration`] for a base address that takes no path, such as `mailto:`.
pub fn join(base: &Url, segments: &[&str]) -> Result<Url> {
    let mut url = base.clone();
    match url.path_segments_mut() {
        Ok(mut path) => {
            path.pop_if_empty().extend(segments);
        }
        Err(()) => {
            return Err(Error::new(
                ErrorKind::Configuration,
                "the provider's base address cannot have a path",
            ));
        }
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_cannot_leave_its_place() {
        let base: Url = "https://api.example/v1/".parse().unwrap();
        let url = join(&base, &["lists", "../../token?x=#é", "items"]).unwrap();
        assert_eq!(url.as_str(), "https://api.example/v1/lists/..%2F..%2Ftoken%3Fx=%23%C3%A9/items");
        assert!(join(&"mailto:a@b.example".parse().unwrap(), &["x"]).is_err());
    }
}
