//! Values of configuration keys: from TOML, from text, back to TOML.

use vigil_accel::BackendName;

/// A backend of the verification engine, or the choice of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub struct BackendChoice(pub Option<BackendName>);

impl BackendChoice {
    /// Whatever is fastest.
    pub const AUTO: Self = Self(None);
}

impl ConfigValue for BackendChoice {
    const MUST: &'static str = "one of auto, portable, neon, avx2, avx512ifma, wgpu, cuda";

    fn from_text(text: &str) -> Option<Self> {
        match text {
            "auto" => Some(Self::AUTO),
            name => Some(Self(Some(name.parse().ok()?))),
        }
    }

    fn from_toml(value: &toml::Value) -> Option<Self> {
        Self::from_text(value.as_str()?)
    }

    fn to_toml(&self) -> toml::Value {
        toml::Value::String(self.0.map_or("auto", BackendName::as_str).to_owned())
    }
}

/// A value before it has a type.
pub(super) enum Raw<'a> {
    /// From the environment or a flag.
    Text(&'a str),
    /// From the file.
    Toml(&'a toml::Value),
}

impl std::fmt::Display for Raw<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => write!(f, "`{text}`"),
            Self::Toml(value) => write!(f, "{value}"),
        }
    }
}

/// A type that a configuration key can have.
pub trait ConfigValue: Sized {
    /// What may stand there, for errors.
    const MUST: &'static str;
    /// From the text of a flag or an environment variable.
    fn from_text(text: &str) -> Option<Self>;
    /// From the file.
    fn from_toml(value: &toml::Value) -> Option<Self>;
    /// As it stands in the file.
    fn to_toml(&self) -> toml::Value;
}

impl Raw<'_> {
    pub(super) fn read<T: ConfigValue>(&self) -> Option<T> {
        match self {
            Self::Text(text) => T::from_text(text),
            Self::Toml(value) => T::from_toml(value),
        }
    }
}

macro_rules! integer {
    ($type:ty, $must:literal) => {
        impl ConfigValue for $type {
            const MUST: &'static str = $must;

            fn from_text(text: &str) -> Option<Self> {
                text.parse().ok()
            }

            fn from_toml(value: &toml::Value) -> Option<Self> {
                value.as_integer().and_then(|n| n.try_into().ok())
            }

            fn to_toml(&self) -> toml::Value {
                toml::Value::Integer(i64::try_from(*self).unwrap_or(i64::MAX))
            }
        }
    };
}

integer!(u16, "a number from 0 to 65535");
integer!(u32, "a number from 0 to 4294967295");
integer!(usize, "a number, 0 or more");

impl ConfigValue for bool {
    const MUST: &'static str = "true or false";

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn from_toml(value: &toml::Value) -> Option<Self> {
        value.as_bool()
    }

    fn to_toml(&self) -> toml::Value {
        toml::Value::Boolean(*self)
    }
}

impl ConfigValue for String {
    const MUST: &'static str = "text in quotes";

    fn from_text(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }

    fn from_toml(value: &toml::Value) -> Option<Self> {
        value.as_str().map(str::to_owned)
    }

    fn to_toml(&self) -> toml::Value {
        toml::Value::String(self.clone())
    }
}

impl ConfigValue for std::net::IpAddr {
    const MUST: &'static str = "an IP address in quotes";

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn from_toml(value: &toml::Value) -> Option<Self> {
        value.as_str()?.parse().ok()
    }

    fn to_toml(&self) -> toml::Value {
        toml::Value::String(self.to_string())
    }
}

/// In text: comma separated.
impl ConfigValue for Vec<String> {
    const MUST: &'static str = "a list of texts";

    fn from_text(text: &str) -> Option<Self> {
        Some(text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect())
    }

    fn from_toml(value: &toml::Value) -> Option<Self> {
        value.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect()
    }

    fn to_toml(&self) -> toml::Value {
        toml::Value::Array(self.iter().cloned().map(toml::Value::String).collect())
    }
}
