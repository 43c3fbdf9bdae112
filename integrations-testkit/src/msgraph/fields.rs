//! Which properties does an answer have?
//!
//! `$select` names them; a set of them fits into a number, so that a token can carry it.

use std::marker::PhantomData;

use super::errors::Refusal;
use super::text::put;

/// The properties of a kind of item.
pub(super) trait Field: Copy + 'static {
    /// Graph's name of the kind, as its errors say it.
    const OWNER: &'static str;
    const NAMES: &'static [&'static str];
    /// What a client gets that does not select.
    const USUAL: u64;
    fn number(self) -> usize;
}

macro_rules! fields {
    ($(#[$doc:meta])* $name:ident of $owner:literal without [$($rare:ident),*] { $($field:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(in crate::msgraph) enum $name { $($field),+ }

        impl $crate::msgraph::fields::Field for $name {
            const OWNER: &'static str = $owner;
            const NAMES: &'static [&'static str] = &[$($text),+];
            const USUAL: u64 = !(0 $(| 1 << Self::$rare as usize)*);
            fn number(self) -> usize { self as usize }
        }
    };
}
pub(super) use fields;

/// A set of properties.
#[derive(Debug)]
pub(super) struct Select<F> {
    pub(super) bits: u64,
    fields: PhantomData<F>,
}

impl<F> Clone for Select<F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<F> Copy for Select<F> {}

impl<F: Field> Select<F> {
    pub(super) const fn of_bits(bits: u64) -> Self {
        Self { bits, fields: PhantomData }
    }

    /// What a client gets that does not select.
    pub(super) const fn usual() -> Self {
        Self::of_bits(F::USUAL)
    }

    /// Reads `$select`.
    pub(super) fn parse(text: Option<&str>) -> Result<Self, Refusal> {
        let Some(text) = text else { return Ok(Self::usual()) };
        let mut bits = 0;
        for name in text.split(',').map(str::trim) {
            if matches!(name, "id" | "@odata.etag") {
                continue;
            }
            let number = F::NAMES.iter().position(|known| *known == name).ok_or_else(|| {
                let message = format!("Parsing OData Select and Expand failed: Could not find a property named '{name}' on type '{}'.", F::OWNER);
                Refusal::new(400, "RequestBroker--ParseUri", message)
            })?;
            bits |= 1 << number;
        }
        Ok(Self::of_bits(bits))
    }

    pub(super) fn has(self, field: F) -> bool {
        self.bits & (1 << field.number()) != 0
    }

    pub(super) fn without(self, fields: &[F]) -> Self {
        Self::of_bits(fields.iter().fold(self.bits, |bits, field| bits & !(1 << field.number())))
    }

    /// Whether it leaves nothing out that is usually there.
    pub(super) fn is_usual(self) -> bool {
        self.bits == F::USUAL
    }
}

/// Writes one item, without what is not selected.
#[derive(Debug)]
pub(super) struct Object<'a, F> {
    out: &'a mut Vec<u8>,
    select: Select<F>,
    started: bool,
}

impl<'a, F: Field> Object<'a, F> {
    pub(super) fn begin(out: &'a mut Vec<u8>, select: Select<F>) -> Self {
        out.push(b'{');
        Self { out, select, started: false }
    }

    /// The place for a value that no `$select` leaves out.
    pub(super) fn always(&mut self, name: &str) -> &mut Vec<u8> {
        put!(self.out, if self.started { ",\"" } else { "\"" }, name, "\":");
        self.started = true;
        self.out
    }

    /// The place for a property's value, if it is wanted.
    pub(super) fn field(&mut self, field: F) -> Option<&mut Vec<u8>> {
        self.select.has(field).then(|| self.always(F::NAMES[field.number()]))
    }

    pub(super) const fn select(&self) -> Select<F> {
        self.select
    }

    pub(super) fn end(self) {
        self.out.push(b'}');
    }
}

/// The number of a property that has this name.
pub(super) fn named<F: Field>(name: &str) -> Option<usize> {
    F::NAMES.iter().position(|known| *known == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fields! {
        /// For the tests.
        Sample of "Sample" without [Rare] { Title = "title", Size = "size", Rare = "rare", }
    }

    #[test]
    fn what_is_not_selected_is_left_out() {
        let written = |select: Option<&str>| {
            let mut out = Vec::new();
            let mut object = Object::begin(&mut out, Select::<Sample>::parse(select).unwrap());
            put!(object.always("id"), "1");
            for (field, text) in [(Sample::Title, "2"), (Sample::Size, "3"), (Sample::Rare, "4")] {
                if let Some(out) = object.field(field) {
                    put!(out, text);
                }
            }
            object.end();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(written(None), r#"{"id":1,"title":2,"size":3}"#);
        assert_eq!(written(Some("rare, id,size")), r#"{"id":1,"size":3,"rare":4}"#);
        let refused = Select::<Sample>::parse(Some("size,colour")).unwrap_err();
        assert_eq!((refused.status, refused.code.as_ref()), (400, "RequestBroker--ParseUri"));
    }
}
