//! The ABI as the text that is hashed.
//!
//! In: the `abi` field of a Sierra class. Out: a string. Nodes and gateways serve the ABI as the very string that was hashed; it
//! is taken as it is. Compilers write a JSON array; the network hashes it printed with `", "` and `": "` and the keys in the
//! order of the file, so that is how it is printed here, straight from the reader, without a tree in between. Must not know: what
//! an ABI says.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// The text of an `abi` field; empty when the field is null or missing.
#[derive(Default)]
pub(super) struct AbiText(pub(super) String);

impl<'de> Deserialize<'de> for AbiText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Top;
        impl<'de> Visitor<'de> for Top {
            type Value = AbiText;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an ABI: a string, an array or null")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<AbiText, E> {
                Ok(AbiText(text.to_owned()))
            }
            fn visit_unit<E: Error>(self) -> Result<AbiText, E> {
                Ok(AbiText::default())
            }
            fn visit_seq<A: SeqAccess<'de>>(self, array: A) -> Result<AbiText, A::Error> {
                let mut text = String::new();
                Print(&mut text).visit_seq(array)?;
                Ok(AbiText(text))
            }
        }
        deserializer.deserialize_any(Top)
    }
}

/// Prints the value that is being read.
struct Print<'text>(&'text mut String);

impl<'de> DeserializeSeed<'de> for Print<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Print<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.0.push_str("null");
        Ok(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.0.push_str(if value { "true" } else { "false" });
        Ok(())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.0.push_str(&value.to_string());
        Ok(())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.0.push_str(&value.to_string());
        Ok(())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.0.push_str(&value.to_string());
        Ok(())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        self.0.push_str(&serde_json::to_string(value).map_err(E::custom)?);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        self.0.push('[');
        let start = self.0.len();
        loop {
            let before = self.0.len();
            if before > start {
                self.0.push_str(", ");
            }
            if array.next_element_seed(Print(self.0))?.is_none() {
                self.0.truncate(before);
                break;
            }
        }
        self.0.push(']');
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.0.push('{');
        let mut first = true;
        while let Some(key) = map.next_key::<String>()? {
            if !first {
                self.0.push_str(", ");
            }
            first = false;
            Print(self.0).visit_str(&key)?;
            self.0.push_str(": ");
            map.next_value_seed(Print(self.0))?;
        }
        self.0.push('}');
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_are_printed_in_file_order_and_strings_taken_as_they_are() {
        let text = |json: &str| serde_json::from_str::<AbiText>(json).unwrap().0;
        assert_eq!(
            text(r#"[{"z":1,"a":[true,null,{}],"q":"\"\n"}, [], -3]"#),
            r#"[{"z": 1, "a": [true, null, {}], "q": "\"\n"}, [], -3]"#
        );
        assert_eq!(text(r#""[{\"a\":1}]""#), r#"[{"a":1}]"#);
        assert_eq!(text("null"), "");
        assert_eq!(text("[]"), "[]");
        assert!(serde_json::from_str::<AbiText>("7").is_err());
    }
}
