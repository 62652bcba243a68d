//! How the backends of a pool are probed.

mod agent;
mod check;
mod http;
mod passive;
mod sanity;

use super::{Context, whole};
use crate::grammar::{Wrong, odd};
use crate::near::{self, Meant};
use crate::plan::{Backend, Check, Health, Origin, ProxyVersion};
use crate::reader::Reader;
use crate::schema::{HEALTH, HEALTH_KINDS};
use crate::usual;
use crate::{Kind, Problem};
use lb_health::{PassiveOptions, Rules, RulesOptions};
use lb_probe::ProxyHeader;
use std::net::IpAddr;
use toml::de::DeValue;

/// How a pool's backends are probed; `None`: not at all.
pub(super) fn read(context: &Context<'_>, pool: &Reader<'_>, backends: &[Backend]) -> Option<Health> {
    let value = pool.raw("health")?;
    let reader = match value.get_ref() {
        DeValue::String(word) if word == "off" => return None,
        DeValue::String(word) => {
            let kind = match near::meant(HEALTH.path, "kind", word, HEALTH_KINDS) {
                Some(Meant::Word(kind, _)) => kind,
                _ => "tcp",
            };
            pool.push(
                Problem::error(Kind::UnknownValue, format!("`health` is {word:?}, which is not known"))
                    .at(value.span(), "expected a table or \"off\"")
                    .help(format!("write health = {{ kind = \"{kind}\" }}")),
            );
            return None;
        }
        DeValue::Table(_) => pool.table("health", &HEALTH).value()?,
        _ => {
            pool.wrong_type("health", value, "a table or \"off\"");
            return None;
        }
    };
    let errors = reader.errors();
    let kind = reader.word("kind");
    reader.require("kind", &kind, "kind = \"http\"");
    let kind_span = kind.span().cloned();
    let interval = reader.duration("interval");
    let timeout = reader.duration("timeout");
    let interval_span = interval.span().cloned();
    let interval = interval.value().unwrap_or_else(|| usual::duration(&HEALTH, "interval"));
    sanity::report_slow_probe(&reader, interval, &timeout, interval_span.as_ref());
    let small = |name| u16::try_from(usual::number(&HEALTH, name)).unwrap_or(0);
    let is_probed = kind.as_ref().is_none_or(|(kind, _)| *kind != "passive");
    let mut options = RulesOptions {
        probing: is_probed,
        interval,
        interval_down: reader.duration("interval_down").value(),
        interval_changing: reader.duration("interval_changing").value(),
        jitter_percent: whole(
            reader.integer("jitter_percent"),
            u8::try_from(small("jitter_percent")).unwrap_or(0),
        ),
        rise: whole(reader.integer("rise"), small("rise")),
        fall: whole(reader.integer("fall"), small("fall")),
        slow_start: reader.duration("slow_start").value().unwrap_or_default(),
        max_failures: None,
        passive: PassiveOptions::default(),
    };
    let server_errors = passive::read(&reader, is_probed, &mut options);
    let rules = Rules::new(options).map_err(|error| {
        reader.push(Problem::error(Kind::OutOfRange, error.to_string()).at(reader.span(), "out of range"));
    });
    let kind = kind.value()?;
    let check = check::read(&reader, kind);
    let origin = Origin {
        source: reader.parsed("source", Kind::BadAddress, address).value(),
        interface: reader.text("interface").value(),
    };
    let timeout = timeout
        .value()
        .unwrap_or_else(|| usual::duration(&HEALTH, "timeout").min(interval));
    let tls = over_tls(&reader, kind);
    let health = Health {
        check: check?,
        address: reader.parsed("address", Kind::BadAddress, address).value(),
        port: reader.integer("port").value().and_then(|port| u16::try_from(port).ok()),
        timeout,
        slow: reader.duration("slow").value(),
        agent: agent::read(&reader),
        origin,
        tls,
        starttls: starttls(pool, &reader, kind, tls),
        proxy_protocol: reader.word("proxy_protocol").value().and_then(proxy_header),
        rules: rules.ok()?,
        server_errors,
    };
    if reader.errors() == errors {
        sanity::report(context, &reader, kind_span.as_ref(), &health, backends);
    }
    Some(health)
}

/// `tls`, of probes that can be made over it.
fn over_tls(reader: &Reader<'_>, kind: &str) -> Option<bool> {
    let tls = reader.boolean("tls");
    if let Some((true, span)) = tls.as_ref().map(|(tls, span)| (*tls, span))
        && matches!(kind, "syn" | "udp" | "passive")
    {
        reader.push(
            Problem::error(
                Kind::NotApplicable,
                format!("`tls` means nothing to probes of kind \"{kind}\""),
            )
            .at(span.clone(), "no connection is made that could speak it"),
        );
    }
    tls.value()
}

/// `starttls`, where there is TLS to go over to.
fn starttls(pool: &Reader<'_>, reader: &Reader<'_>, kind: &str, tls: Option<bool>) -> bool {
    let starttls = reader.boolean("starttls");
    if let Some((true, span)) = starttls.as_ref().map(|(starttls, span)| (*starttls, span))
        && check::STARTTLS.contains(&kind)
    {
        if let (Some(false), Some(place)) = (tls, reader.raw_span("tls")) {
            reader.push(
                Problem::error(Kind::Contradiction, "`starttls` for probes that speak no TLS")
                    .at(span.clone(), "this goes over to TLS")
                    .see(place, "and this switches it off")
                    .help("leave one of them out"),
            );
        } else if !pool.has("tls") {
            reader.push(
                Problem::error(Kind::NotApplicable, "`starttls` in a pool that speaks no TLS")
                    .at(span.clone(), "nothing says whose certificate is believed")
                    .help("write tls = {} in the pool, with `roots` or `pins` where they are needed"),
            );
        }
    }
    starttls.value().unwrap_or(false)
}

/// A pool whose backends get a PROXY header first: so do probes, and a binary one says that it is none of a client.
pub(super) fn inherit_proxy_protocol(health: &mut Health, version: ProxyVersion) {
    let header = match version {
        ProxyVersion::V1 => ProxyHeader::V1,
        ProxyVersion::V2 => ProxyHeader::V2Local,
    };
    if !matches!(health.check, Check::HalfOpen(_) | Check::Udp(_) | Check::Passive) {
        health.proxy_protocol.get_or_insert(header);
    }
}

/// An IP address without a port.
fn address(text: &str) -> Result<IpAddr, Wrong> {
    text.parse().map_err(|_| {
        if let Some((ip, zone)) = text.split_once('%').filter(|(ip, _)| ip.parse::<IpAddr>().is_ok()) {
            return Wrong::new("the interface stands apart here")
                .help(format!("write \"{ip}\", and interface = \"{zone}\""));
        }
        if let Some(c) = odd::first(text) {
            return Wrong::new(format!("{} stands in it", odd::describe(c)))
                .help(format!("write \"{}\"", odd::plain(text).trim()));
        }
        Wrong::new("this is no IP address").help("write an address without a port: \"10.0.0.5\" or \"2001:db8::5\"")
    })
}

fn proxy_header(word: &str) -> Option<ProxyHeader> {
    match word {
        "v1" => Some(ProxyHeader::V1),
        "v2" => Some(ProxyHeader::V2),
        "v2_local" => Some(ProxyHeader::V2Local),
        _ => None,
    }
}
