//! PROXY headers toward backends.

use crate::near;
use crate::plan::{ProxyOut, ProxyVersion};
use crate::reader::Reader;
use crate::schema::{POOLS, PROXY_OUT, PROXY_VERSIONS};
use crate::{Kind, Problem};
use toml::de::DeValue;

/// What a pool's backends get first: a word, or a table.
pub(super) fn read(pool: &Reader<'_>) -> Option<ProxyOut> {
    let value = pool.raw("proxy_protocol")?;
    match value.get_ref() {
        DeValue::String(word) => {
            let known = PROXY_VERSIONS.iter().find(|known| **known == *word);
            if known.is_none() {
                pool.push(near::unknown_word(
                    POOLS.path,
                    "proxy_protocol",
                    word,
                    value.span(),
                    PROXY_VERSIONS,
                ));
            }
            known.map(|word| plain(version(word)))
        }
        DeValue::Table(_) => table(&pool.table("proxy_protocol", &PROXY_OUT).value()?),
        _ => {
            pool.wrong_type("proxy_protocol", value, "\"v1\", \"v2\" or a table");
            None
        }
    }
}

fn version(word: &str) -> ProxyVersion {
    if word == "v1" {
        ProxyVersion::V1
    } else {
        ProxyVersion::V2
    }
}

const fn plain(version: ProxyVersion) -> ProxyOut {
    ProxyOut {
        version,
        crc: false,
        authority: false,
        unique_id: false,
        ssl: false,
        alpn: false,
    }
}

fn table(reader: &Reader<'_>) -> Option<ProxyOut> {
    let word = reader.word("version");
    let mut out = plain(version(word.clone().value().unwrap_or("v2")));
    out.crc = reader.boolean("crc").value().unwrap_or(false);
    for element in reader
        .list("tlvs", "kinds of values in quotes")
        .value()
        .unwrap_or_default()
    {
        let Some(text) = reader.element_text("tlvs", element) else {
            continue;
        };
        let flag = match text {
            "authority" => &mut out.authority,
            "unique_id" => &mut out.unique_id,
            "ssl" => &mut out.ssl,
            "alpn" => &mut out.alpn,
            _ => {
                reader.push(near::unknown_word(PROXY_OUT.path, "tlvs", text, element.span(), TLVS));
                continue;
            }
        };
        *flag = true;
    }
    if let Some((_, span)) = word.as_ref().filter(|_| out.version == ProxyVersion::V1) {
        for name in ["crc", "tlvs"] {
            if let Some(place) = reader.key_span(name) {
                reader.push(
                    Problem::error(
                        Kind::NotApplicable,
                        format!("`{name}` means nothing in a header of version 1"),
                    )
                    .at(place, "a line of text has room for addresses only")
                    .see(span.clone(), "version 1")
                    .help("write version = \"v2\""),
                );
            }
        }
    }
    word.as_ref()
        .is_some()
        .then_some(out)
        .or_else(|| word.is_missing().then_some(out))
}

/// What a header of version 2 may say beside the addresses.
pub(crate) const TLVS: &[&str] = &["authority", "unique_id", "ssl", "alpn"];
