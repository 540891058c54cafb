//! The ABI of a Sierra class, as the text that is hashed.
//!
//! Input: the `abi` field of a Sierra class. Output: a string. Nodes and gateways serve the string that was
//! hashed. Compilers write a JSON array; its hash is that of the array printed with `", "` and `": "` and the
//! keys in the order of the file. The array is printed while it is parsed, without an intermediate tree. Must
//! not know: the meaning of an ABI.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// The text of an `abi` field; empty if the field is null or missing.
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

/// A deserializer target that prints the value.
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
    fn arrays_are_printed_in_file_order_and_strings_are_unchanged() {
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
