//! Who gets which connection? Two listeners on one port, of which one has every address; a listener in the admin
//! socket's place.

use crate::plan::Listener;
use crate::reader::Reader;
use crate::{Kind, Problem, Span};
use lb_types::Address;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;

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

/// Refuses a listener whose file is the admin socket's.
pub(super) fn report_admin(
    root: &Reader<'_>,
    listeners: &[(Listener, Span)],
    addresses: &HashMap<Address, Span>,
    socket: &Path,
    place: &Span,
) {
    for (listener, _) in listeners {
        let Address::Unix(path) = listener.address else {
            continue;
        };
        // As paths, which `//` and `/./` make no other.
        let is_same = path.abstract_name().is_none() && Path::new(path.as_str()) == socket;
        let (true, Some(span)) = (is_same, addresses.get(&listener.address)) else {
            continue;
        };
        let other = socket.with_file_name(format!("{}-listener.sock", listener.name));
        root.push(
            Problem::error(
                Kind::DuplicateAddress,
                format!("listener \"{}\" has the path of the admin socket", listener.name),
            )
            .at(span.clone(), "clients would reach the admin socket, or nobody would")
            .see(place.clone(), format!("the admin socket is {}", socket.display()))
            .help(format!("write address = \"unix:{}\"", other.display())),
        );
    }
}

/// Does `wide` take what is sent to `narrow`, as long as nobody else does?
fn covers(wide: SocketAddr, narrow: SocketAddr) -> bool {
    let is_other = wide != narrow && wide.port() == narrow.port() && wide.port() != 0;
    is_other && wide.ip().is_unspecified() && (wide.is_ipv6() || narrow.is_ipv4())
}
