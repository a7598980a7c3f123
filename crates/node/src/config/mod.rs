//! Configuration of a node: one TOML file, `VIGIL_*` environment variables, flags.
//!
//! Every key is declared once, in [`keys`]: its documentation there is the documentation in the file that `vigil init`
//! writes, its default there is the default everywhere. Precedence: defaults < file < environment < flags. A key that
//! does not exist is refused by name, wherever it stands.

mod keys;
mod value;

pub use keys::Config;
pub use value::{BackendChoice, ConfigValue};

use std::path::Path;

/// Prefix of the environment variables: `p2p.port` is `VIGIL_P2P_PORT`.
pub const ENV_PREFIX: &str = "VIGIL_";

/// A key of the configuration.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// `section.key`.
    pub name: &'static str,
    /// What it does, as in the written file.
    pub doc: &'static [&'static str],
}

/// Where a value came from; errors name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The configuration file.
    File(std::path::PathBuf),
    /// An environment variable.
    Env(String),
    /// A flag.
    Flag(String),
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Env(name) => write!(f, "environment variable {name}"),
            Self::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is not there or not readable.
    #[error("reading {path}: {source}; `vigil init` writes one")]
    Read {
        /// Which file.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("{path} is not TOML: {source}")]
    Syntax {
        /// Which file.
        path: std::path::PathBuf,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// No such key.
    #[error("unknown key `{key}` in {from}{}", .hint.map(|h| format!("; did you mean `{h}`?")).unwrap_or_default())]
    UnknownKey {
        /// The key as written.
        key: String,
        /// Where it stands.
        from: Source,
        /// A key that looks alike.
        hint: Option<&'static str>,
    },
    /// A value of the wrong kind or out of range.
    #[error("`{key}` in {from} is {got}, must be {must}")]
    Value {
        /// The key.
        key: &'static str,
        /// Where it stands.
        from: Source,
        /// What is there.
        got: String,
        /// What may be there.
        must: String,
    },
}

impl Config {
    /// Defaults, then the file, then `env` (name and value pairs; others than `VIGIL_*` are ignored), then `flags`
    /// (key and text pairs).
    ///
    /// # Errors
    /// [`ConfigError`] with the first fault.
    pub fn load(
        file: Option<&Path>,
        env: impl IntoIterator<Item = (String, String)>,
        flags: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let mut config = Self::default();
        if let Some(path) = file {
            let text = std::fs::read_to_string(path)
                .map_err(|source| ConfigError::Read { path: path.to_path_buf(), source })?;
            config.apply_file(path, &text)?;
        }
        for (name, value) in env {
            config.apply_env(&name, &value)?;
        }
        for (key, value) in flags {
            let from = Source::Flag(format!("--{key}"));
            config.set_text(&key, &value, from)?;
        }
        Ok(config)
    }

    /// Applies the keys of a file with the content `text`.
    ///
    /// # Errors
    /// [`ConfigError`] with the first fault.
    pub fn apply_file(&mut self, path: &Path, text: &str) -> Result<(), ConfigError> {
        let table: toml::Table = text
            .parse()
            .map_err(|source| ConfigError::Syntax { path: path.to_path_buf(), source: Box::new(source) })?;
        for (section, entries) in table {
            let from = || Source::File(path.to_path_buf());
            let toml::Value::Table(entries) = entries else {
                return Err(unknown(section, from()));
            };
            for (key, value) in entries {
                self.set_toml(&format!("{section}.{key}"), value, from())?;
            }
        }
        Ok(())
    }

    /// Applies one environment variable, if it is ours: its name is a key, or begins as the keys of a section do.
    fn apply_env(&mut self, name: &str, value: &str) -> Result<(), ConfigError> {
        let Some(rest) = name.strip_prefix(ENV_PREFIX) else { return Ok(()) };
        let from = Source::Env(name.to_owned());
        if let Some(key) = Self::KEYS.iter().find(|key| env_suffix(key.name) == rest) {
            return self.set_text(key.name, value, from);
        }
        let in_section = |key: &Key| {
            let section = key.name.split('.').next().unwrap_or_default().to_uppercase();
            rest.strip_prefix(section.as_str()).is_some_and(|r| r.starts_with('_'))
        };
        if Self::KEYS.iter().any(in_section) { Err(unknown(name.to_owned(), from)) } else { Ok(()) }
    }

    fn set_text(&mut self, key: &str, text: &str, from: Source) -> Result<(), ConfigError> {
        self.set(key, value::Raw::Text(text), from)
    }

    fn set_toml(&mut self, key: &str, value: toml::Value, from: Source) -> Result<(), ConfigError> {
        self.set(key, value::Raw::Toml(&value), from)
    }

    /// The file that says what `self` says, every key documented. It reads back as `self`.
    pub fn to_documented_toml(&self) -> String {
        let mut out = String::from(
            "# Configuration of a Vigil node. Every key is here with its value; delete what you do not change.\n\
             # Precedence: built-in defaults < this file < environment (p2p.port is VIGIL_P2P_PORT) < flags (--p2p.port).\n",
        );
        let mut section = "";
        for (key, value) in Self::KEYS.iter().zip(self.values()) {
            let (in_section, name) = key.name.split_once('.').unwrap_or(("", key.name));
            if in_section != section {
                section = in_section;
                out.push_str(&format!("\n[{section}]\n"));
            }
            for line in key.doc {
                out.push_str(&format!("#{line}\n"));
            }
            out.push_str(&format!("{name} = {value}\n"));
        }
        out
    }
}

/// `p2p.port` as it stands in an environment variable, without the prefix.
fn env_suffix(key: &str) -> String {
    key.to_uppercase().replace(['.', '-'], "_")
}

fn unknown(key: String, from: Source) -> ConfigError {
    let plain = key.trim_start_matches(ENV_PREFIX).to_lowercase().replace(['_', '.'], "");
    let last = key.rsplit('.').next().unwrap_or(&key).to_owned();
    let alike = |k: &&Key| {
        let name = k.name.replace(['_', '.'], "");
        name == plain || k.name.rsplit('.').next() == Some(last.as_str())
    };
    let hint = Config::KEYS.iter().find(alike).map(|k| k.name);
    ConfigError::UnknownKey { key, from, hint }
}

#[cfg(test)]
mod tests;
