use super::{Context, tls, whole};
use crate::field::Field;
use crate::grammar::{self, HostPort};
use crate::plan::Backend;
use crate::reader::{Element, Reader, explain};
use crate::schema::BACKENDS;
use crate::usual;
use crate::{Kind, Problem, Span};
use lb_types::{Address, Weight};
use std::net::{Ipv4Addr, SocketAddr};
use toml::de::DeValue;

/// A backend, and where things about it stand.
pub(super) struct ReadBackend {
    pub(super) plan: Backend,
    pub(super) span: Span,
    pub(super) name_span: Span,
    pub(super) weight_span: Option<Span>,
    /// Of `backup` or `priority`.
    pub(super) priority_span: Option<Span>,
    pub(super) zone_span: Option<Span>,
    pub(super) tls_span: Option<Span>,
    /// Are name and address what was meant?
    pub(super) is_good: bool,
}

/// The elements of `backends`, each a text or a table.
pub(super) fn read_all(context: &Context<'_>, pool: &Reader<'_>) -> Field<Vec<ReadBackend>> {
    let list = pool.list("backends", "backends");
    pool.require("backends", &list, "backends = [\"10.0.0.1:80\", \"10.0.0.2:80\"]");
    if let Field::Is([], span) = &list {
        pool.push(
            Problem::error(Kind::EmptyPool, "this pool has no backends")
                .at(span.clone(), "at least one must stand here")
                .help("for example backends = [\"10.0.0.1:80\"]"),
        );
    }
    list.map(|list| {
        let read: Vec<_> = list.iter().filter_map(|element| read(context, pool, element)).collect();
        report_doubles(pool, &read);
        read
    })
}

fn read<'a>(context: &Context<'_>, pool: &Reader<'a>, element: &'a Element<'a>) -> Option<ReadBackend> {
    match element.get_ref() {
        DeValue::String(text) => {
            let address = address(context, pool, text, &element.span());
            Some(ReadBackend {
                is_good: address.is_some(),
                plan: plan(text, text, address),
                span: element.span(),
                name_span: element.span(),
                weight_span: None,
                priority_span: None,
                zone_span: None,
                tls_span: None,
            })
        }
        DeValue::Table(_) => {
            let reader = pool.element_table("backends", element, &BACKENDS)?;
            Some(read_table(context, &reader, element))
        }
        _ => {
            pool.wrong_element("backends", element, "addresses in quotes or tables");
            None
        }
    }
}

fn read_table(context: &Context<'_>, reader: &Reader<'_>, element: &Element<'_>) -> ReadBackend {
    let text = reader.text("address");
    reader.require("address", &text, "address = \"10.0.0.1:80\"");
    let address_text = text.clone().value().unwrap_or_default();
    let address = text.and_then(|text, span| address(context, reader, &text, span));
    let name = reader.parsed("name", Kind::BadName, |name| {
        grammar::check_name(name).map(|()| name.to_owned())
    });
    let weight = reader.integer("weight");
    let name_span = name
        .span()
        .or(address.span())
        .cloned()
        .unwrap_or_else(|| element.span());
    let name_is_good = name.as_ref().is_some() || (name.is_missing() && address.as_ref().is_some());
    let weight_span = weight.span().cloned();
    let name = name.value().unwrap_or_else(|| address_text.clone());
    let address = address.value();
    let (priority, priority_span) = priority(reader);
    let zone = reader.parsed("zone", Kind::BadName, |zone| {
        grammar::check_name(zone).map(|()| zone.to_owned())
    });
    let (server_name, tls_span) = tls::backend_name(reader);
    ReadBackend {
        is_good: name_is_good && address.is_some(),
        plan: Backend {
            weight: weight
                .value()
                .and_then(|weight| Weight::try_from(weight).ok())
                .unwrap_or_default(),
            max_connections: reader
                .integer("max_connections")
                .value()
                .and_then(|most| u32::try_from(most).ok()),
            priority,
            zone: zone.as_ref().map(|(zone, _)| zone.clone()),
            drain: reader.boolean("drain").value().unwrap_or(false),
            server_name,
            ..plan(&name, &address_text, address)
        },
        span: element.span(),
        name_span,
        weight_span,
        priority_span,
        zone_span: zone.span().cloned(),
        tls_span,
    }
}

/// `backup = true` is a short word for the first place behind the others.
fn priority(reader: &Reader<'_>) -> (u8, Option<Span>) {
    let (backup, priority) = (reader.boolean("backup"), reader.integer("priority"));
    if let (Some((_, first)), Some((_, second))) = (backup.as_ref(), priority.as_ref()) {
        reader.push(
            Problem::error(Kind::ConflictingKeys, "`backup` and `priority` are both set")
                .at(second.clone(), "only one of them can be obeyed")
                .see(first.clone(), "the other one")
                .help("backup = true means priority = 1"),
        );
    }
    let span = priority.span().or(backup.span()).cloned();
    match backup.value() {
        Some(true) => (1, span),
        _ => (whole(priority, 0), span),
    }
}

fn plan(name: &str, address_text: &str, address: Option<Address>) -> Backend {
    Backend {
        name: name.to_owned(),
        address_text: address_text.to_owned(),
        // Never used: without an address there is an error.
        address: address.unwrap_or_else(|| SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)).into()),
        weight: Weight::ONE,
        max_connections: None,
        priority: 0,
        zone: None,
        drain: false,
        server_name: None,
    }
}

/// Where a backend is. Looks names up.
pub(crate) fn address(context: &Context<'_>, reader: &Reader<'_>, text: &str, span: &Span) -> Option<Address> {
    let (host, port) = match grammar::host_port(text, &|name| context.environment.interface(name)) {
        Ok(HostPort::Address(address)) => return Some(address),
        Ok(HostPort::Name { host, port }) => (host, port),
        Err(wrong) => {
            reader.push(explain(Kind::BadAddress, "`address`", text, span.clone(), wrong));
            return None;
        }
    };
    let problem = |detail: String| {
        Problem::error(Kind::UnresolvedHost, format!("host \"{host}\" has no address"))
            .at(span.clone(), detail)
            .help("names are looked up once, when the file is read; an address needs no looking up")
    };
    match context.environment.look_up(&host, port) {
        Err(error) => {
            reader.push(problem(error.to_string()));
            None
        }
        Ok(addresses) => match addresses.as_slice() {
            [] => {
                reader.push(problem("the resolver knows the name, but no address of it".into()));
                None
            }
            [only] => Some((*only).into()),
            [first, rest @ ..] => {
                let others: Vec<_> = rest.iter().map(ToString::to_string).collect();
                let others = others.join(", ");
                // mostly one program, which may listen at one of them only
                let help = if host.trim_end_matches('.') == "localhost" {
                    format!("write the one at which the program listens: {first} or {others}")
                } else {
                    format!("list the others as backends of their own: {others}")
                };
                reader.push(
                    Problem::warning(
                        Kind::SeveralAddresses,
                        format!("host \"{host}\" has {} addresses", addresses.len()),
                    )
                    .at(span.clone(), format!("{first} is used"))
                    .help(help),
                );
                Some((*first).into())
            }
        },
    }
}

fn report_doubles(pool: &Reader<'_>, backends: &[ReadBackend]) {
    let mut names = std::collections::HashMap::new();
    let mut addresses = std::collections::HashMap::new();
    for backend in backends.iter().filter(|backend| backend.is_good) {
        let name = backend.plan.name.as_str();
        let by_name = names.insert(name, &backend.name_span);
        let by_address = addresses.insert(backend.plan.address, &backend.span);
        if let Some(first) = by_address {
            let problem = Problem::error(
                Kind::DuplicateBackend,
                format!("backend {} is in this pool twice", backend.plan.address),
            )
            .at(backend.span.clone(), "the same address again")
            .see(first.clone(), "first here")
            .help("to give it a larger share, raise its `weight`");
            pool.push(problem);
        } else if let Some(first) = by_name {
            let problem = Problem::error(
                Kind::DuplicateName,
                format!("two backends of this pool are named \"{name}\""),
            )
            .at(backend.name_span.clone(), "the same name again")
            .see(first.clone(), "first here");
            pool.push(problem);
        }
    }
}

/// Warns when no backend takes new clients.
pub(super) fn report_nobody(pool: &Reader<'_>, span: &Span, backends: &[ReadBackend]) {
    if !backends.is_empty() && backends.iter().all(|backend| backend.plan.weight_now() == Weight::ZERO) {
        pool.push(
            Problem::warning(Kind::NoUsableBackend, "no backend of this pool takes new clients")
                .at(span.clone(), "each has weight 0 or drains")
                .help("requests of new clients are answered with 503"),
        );
    }
}

pub(super) fn max_idle(reader: &Reader<'_>) -> usize {
    whole(
        reader.integer("max_idle_connections"),
        usize::try_from(usual::number(&crate::schema::POOLS, "max_idle_connections")).unwrap_or(0),
    )
}
