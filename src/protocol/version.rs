//! Protocol versions: their order, their text form, and those with constants in this crate.
//!
//! Input: text, or a version of `starknet_api`. Output: versions, and the supported version that replaces an
//! unsupported one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use starknet_api::block::StarknetVersion;

use super::ProtocolError;

/// A version of the Starknet protocol, as block headers carry it: `0.13.1` or `0.13.1.1`. A missing fourth
/// number is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProtocolVersion([u8; 4]);

impl ProtocolVersion {
    /// Starknet 0.13.0, the oldest supported version.
    pub const V0_13_0: Self = Self::new(0, 13, 0, 0);
    /// Starknet 0.13.1.
    pub const V0_13_1: Self = Self::new(0, 13, 1, 0);
    /// Starknet 0.13.1.1.
    pub const V0_13_1_1: Self = Self::new(0, 13, 1, 1);
    /// Starknet 0.13.2.
    pub const V0_13_2: Self = Self::new(0, 13, 2, 0);
    /// Starknet 0.13.2.1.
    pub const V0_13_2_1: Self = Self::new(0, 13, 2, 1);
    /// Starknet 0.13.3.
    pub const V0_13_3: Self = Self::new(0, 13, 3, 0);
    /// Starknet 0.13.4.
    pub const V0_13_4: Self = Self::new(0, 13, 4, 0);
    /// Starknet 0.13.5.
    pub const V0_13_5: Self = Self::new(0, 13, 5, 0);
    /// Starknet 0.13.6.
    pub const V0_13_6: Self = Self::new(0, 13, 6, 0);
    /// Starknet 0.14.0.
    pub const V0_14_0: Self = Self::new(0, 14, 0, 0);
    /// Starknet 0.14.1.
    pub const V0_14_1: Self = Self::new(0, 14, 1, 0);
    /// Starknet 0.14.2.
    pub const V0_14_2: Self = Self::new(0, 14, 2, 0);
    /// Starknet 0.14.3.
    pub const V0_14_3: Self = Self::new(0, 14, 3, 0);
    /// Starknet 0.14.4, the newest supported version.
    pub const V0_14_4: Self = Self::new(0, 14, 4, 0);

    /// The oldest supported version.
    pub const OLDEST: Self = Self::V0_13_0;
    /// The newest supported version.
    pub const NEWEST: Self = Self::V0_14_4;

    /// The versions with constants in this crate, oldest first.
    pub const SUPPORTED: [Self; 14] = [
        Self::V0_13_0,
        Self::V0_13_1,
        Self::V0_13_1_1,
        Self::V0_13_2,
        Self::V0_13_2_1,
        Self::V0_13_3,
        Self::V0_13_4,
        Self::V0_13_5,
        Self::V0_13_6,
        Self::V0_14_0,
        Self::V0_14_1,
        Self::V0_14_2,
        Self::V0_14_3,
        Self::V0_14_4,
    ];

    /// Creates a version from its four numbers; it need not be supported.
    pub const fn new(major: u8, minor: u8, patch: u8, hotfix: u8) -> Self {
        Self([major, minor, patch, hotfix])
    }

    /// Returns the supported version whose constants apply to this one under `policy`.
    pub fn resolve(self, policy: VersionPolicy) -> Result<Self, ProtocolError> {
        if Self::SUPPORTED.contains(&self) {
            return Ok(self);
        }
        let newer = self > Self::NEWEST;
        match policy {
            VersionPolicy::Exact => Err(ProtocolError::Unsupported(self)),
            VersionPolicy::Nearest if newer => {
                Err(ProtocolError::TooNew { version: self, newest: Self::NEWEST })
            }
            VersionPolicy::Nearest | VersionPolicy::AllowNewer => {
                let older = Self::SUPPORTED.into_iter().rev().find(|supported| *supported < self);
                Ok(older.unwrap_or(Self::OLDEST))
            }
        }
    }
}

impl fmt::Display for ProtocolVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch, hotfix] = self.0;
        write!(formatter, "{major}.{minor}.{patch}")?;
        if hotfix == 0 { Ok(()) } else { write!(formatter, ".{hotfix}") }
    }
}

impl FromStr for ProtocolVersion {
    type Err = ProtocolError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let not_a_version = || ProtocolError::NotAVersion(text.to_owned());
        let mut numbers = [0; 4];
        let mut parts = text.split('.');
        for (position, number) in numbers.iter_mut().enumerate() {
            match parts.next() {
                // `u8::from_str` would also take a sign.
                Some(part) if part.bytes().all(|byte| byte.is_ascii_digit()) => {
                    *number = part.parse().map_err(|_| not_a_version())?;
                }
                None if position == 3 => {}
                _ => return Err(not_a_version()),
            }
        }
        if parts.next().is_some() { Err(not_a_version()) } else { Ok(Self(numbers)) }
    }
}

impl From<StarknetVersion> for ProtocolVersion {
    fn from(version: StarknetVersion) -> Self {
        let mut numbers = [0; 4];
        numbers.iter_mut().zip(Vec::<u8>::from(version)).for_each(|(number, part)| *number = part);
        Self(numbers)
    }
}

impl TryFrom<ProtocolVersion> for StarknetVersion {
    type Error = ProtocolError;

    /// Fails for versions that `starknet_api` does not list; it lists all of [`ProtocolVersion::SUPPORTED`].
    fn try_from(version: ProtocolVersion) -> Result<Self, Self::Error> {
        Self::try_from(version.to_string()).map_err(|_| ProtocolError::Unsupported(version))
    }
}

impl Serialize for ProtocolVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ProtocolVersion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// The rule that selects the constants of a version that is not supported.
///
/// | requested version | `Exact` | `Nearest` | `AllowNewer` |
/// |---|---|---|---|
/// | in [`ProtocolVersion::SUPPORTED`] | its own | its own | its own |
/// | older than 0.13.0 | error | 0.13.0 | 0.13.0 |
/// | between two supported ones | error | the next older one | the next older one |
/// | newer than the newest | error | error | the newest |
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum VersionPolicy {
    /// Only supported versions; any other is an error.
    Exact,
    /// The next older supported version, or the oldest. A version after the newest is an error: its rules are
    /// unknown, and results would silently differ from those of the network.
    #[default]
    Nearest,
    /// Like `Nearest`, but versions after the newest use the newest constants. For tools that prefer an
    /// approximate answer to none; never for consensus.
    AllowNewer,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> ProtocolVersion {
        text.parse().unwrap()
    }

    #[test]
    fn text_form_round_trips() {
        for supported in ProtocolVersion::SUPPORTED {
            assert_eq!(version(&supported.to_string()), supported);
            let json = serde_json::to_string(&supported).unwrap();
            assert_eq!(serde_json::from_str::<ProtocolVersion>(&json).unwrap(), supported);
        }
        assert_eq!(version("0.13.1.1"), ProtocolVersion::V0_13_1_1);
        assert_eq!(version("0.13.1.0"), ProtocolVersion::V0_13_1);
        assert_eq!(ProtocolVersion::V0_13_2_1.to_string(), "0.13.2.1");
    }

    #[test]
    fn other_texts_are_errors() {
        for text in [
            "",
            "0",
            "0.13",
            "0.13.1.1.1",
            "0.13.",
            "0.13.1.",
            ".13.1",
            "0.+13.1",
            "0.13.256",
            "v0.13.1",
            "0.13. 1",
        ] {
            assert_eq!(
                text.parse::<ProtocolVersion>(),
                Err(ProtocolError::NotAVersion(text.to_owned())),
                "{text:?}"
            );
        }
    }

    #[test]
    fn order_is_by_number() {
        assert!(ProtocolVersion::SUPPORTED.is_sorted());
        assert!(version("0.13.1.1") < version("0.13.2"));
        assert!(version("0.9.1") < version("0.13.0"));
    }

    #[test]
    fn agrees_with_starknet_api() {
        assert_eq!(ProtocolVersion::from(StarknetVersion::V0_13_1_1), ProtocolVersion::V0_13_1_1);
        assert_eq!(ProtocolVersion::from(StarknetVersion::V0_11_0_2), ProtocolVersion::new(0, 11, 0, 2));
        assert_eq!(ProtocolVersion::from(StarknetVersion::PreV0_9_1), ProtocolVersion::new(0, 0, 0, 0));
        assert_eq!(ProtocolVersion::from(StarknetVersion::LATEST), ProtocolVersion::NEWEST);
        for supported in ProtocolVersion::SUPPORTED {
            assert_eq!(ProtocolVersion::from(StarknetVersion::try_from(supported).unwrap()), supported);
        }
        let unlisted = version("0.13.7");
        assert_eq!(StarknetVersion::try_from(unlisted), Err(ProtocolError::Unsupported(unlisted)));
    }

    #[test]
    fn policy_for_known_versions() {
        for policy in [VersionPolicy::Exact, VersionPolicy::Nearest, VersionPolicy::AllowNewer] {
            for supported in ProtocolVersion::SUPPORTED {
                assert_eq!(supported.resolve(policy), Ok(supported));
            }
        }
        assert_eq!(VersionPolicy::default(), VersionPolicy::Nearest);
    }

    #[test]
    fn policy_for_older_versions() {
        for old in ["0.0.0", "0.9.1", "0.12.3", "0.12.255.255"] {
            assert_eq!(
                version(old).resolve(VersionPolicy::Exact),
                Err(ProtocolError::Unsupported(version(old)))
            );
            assert_eq!(version(old).resolve(VersionPolicy::Nearest), Ok(ProtocolVersion::V0_13_0));
            assert_eq!(version(old).resolve(VersionPolicy::AllowNewer), Ok(ProtocolVersion::V0_13_0));
        }
    }

    #[test]
    fn policy_between_versions() {
        for (between, expected) in [
            ("0.13.0.1", ProtocolVersion::V0_13_0),
            ("0.13.1.2", ProtocolVersion::V0_13_1_1),
            ("0.13.7", ProtocolVersion::V0_13_6),
            ("0.14.3.9", ProtocolVersion::V0_14_3),
        ] {
            assert_eq!(
                version(between).resolve(VersionPolicy::Exact),
                Err(ProtocolError::Unsupported(version(between)))
            );
            assert_eq!(version(between).resolve(VersionPolicy::Nearest), Ok(expected));
            assert_eq!(version(between).resolve(VersionPolicy::AllowNewer), Ok(expected));
        }
    }

    #[test]
    fn policy_for_newer_versions() {
        for new in ["0.14.4.1", "0.14.5", "1.0.0"] {
            let error = ProtocolError::TooNew { version: version(new), newest: ProtocolVersion::NEWEST };
            assert_eq!(
                version(new).resolve(VersionPolicy::Exact),
                Err(ProtocolError::Unsupported(version(new)))
            );
            assert_eq!(version(new).resolve(VersionPolicy::Nearest), Err(error));
            assert_eq!(version(new).resolve(VersionPolicy::AllowNewer), Ok(ProtocolVersion::NEWEST));
        }
    }
}
