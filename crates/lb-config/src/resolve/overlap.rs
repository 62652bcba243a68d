//! Two listeners on one port, of which one has every address: who gets which connection?

use crate::plan::Listener;
use crate::reader::Reader;
use crate::{Kind, Problem, Span};
use lb_types::Address;
use std::collections::HashMap;
use std::net::SocketAddr;

/// Warns of listeners that another one takes connections from.
///
/// Linux looks for a socket of the very address first, then for IPv4's `0.0.0.0`, then for `[::]`
/// (a test of the program tries it).
pub(super) fn report(root: &Reader<'_>, listeners: &[(Listener, Span)], addresses: &HashMap<Address, Span>) {
    for (narrow, _) in listeners {
        let Some(own) = narrow.address.socket() else { continue };
        let wide = listeners
            .iter()
            .filter_map(|(listener, _)| Some((listener, listener.address.socket()?)))
            .filter(|(_, wide)| covers(*wide, own))
            // 0.0.0.0 goes before [::]
            .min_by_key(|(_, wide)| wide.is_ipv6())
            .map(|(listener, _)| listener);
        let (Some(wide), Some(span)) = (wide, addresses.get(&narrow.address)) else {
            continue;
        };
        let (port, to) = (own.port(), own.ip());
        let to = if to.is_unspecified() {
            "IPv4 addresses".to_owned()
        } else {
            to.to_string()
        };
        let problem = Problem::warning(
            Kind::OverlappingAddress,
            format!("listeners \"{}\" and \"{}\" share port {port}", wide.name, narrow.name),
        )
        .at(span.clone(), format!("connections to {to} come here"))
        .help(format!(
            "the narrower address wins: all others on port {port} go to \"{}\" ({})",
            wide.name, wide.address
        ));
        root.push(match addresses.get(&wide.address) {
            Some(other) => problem.see(other.clone(), "all others come here"),
            None => problem,
        });
    }
}

/// Does `wide` take what is sent to `narrow`, as long as nobody else does?
fn covers(wide: SocketAddr, narrow: SocketAddr) -> bool {
    let is_other = wide != narrow && wide.port() == narrow.port() && wide.port() != 0;
    is_other && wide.ip().is_unspecified() && (wide.is_ipv6() || narrow.is_ipv4())
}
