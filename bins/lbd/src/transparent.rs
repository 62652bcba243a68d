//! What this machine lacks for pools that connect from their clients' addresses.

use lb_config::Plan;
use lb_net::BorrowError;
use lb_types::Address;
use std::process::Command;

/// Transparent pools in a process that may not use addresses of others.
pub(crate) fn forbidden(plan: &Plan) -> Option<String> {
    let pools = pools(plan);
    if pools.is_empty() {
        return None;
    }
    let is_refused = |is_ipv4| matches!(lb_net::may_borrow(is_ipv4), Err(BorrowError::NotAllowed));
    (is_refused(true) || is_refused(false)).then(|| {
        format!(
            "{} transparent, and this process may not use its clients' addresses: it needs CAP_NET_ADMIN \
             (AmbientCapabilities=CAP_NET_ADMIN in the systemd unit), else every request ends with 502",
            named(&pools)
        )
    })
}

/// Transparent pools on a machine that would not take what their backends answer; with the commands that mend it.
/// `None` too where there is no `ip` to ask.
pub(crate) fn unrouted(plan: &Plan) -> Option<String> {
    let pools = pools(plan);
    let lacking: Vec<&Family> = FAMILIES
        .iter()
        .filter(|family| pools.iter().any(|(_, has)| has.contains(&family.is_ipv4)))
        .filter(|family| !is_routed(family.option).unwrap_or(true))
        .collect();
    let commands: Vec<String> = lacking.iter().flat_map(|family| family.commands()).collect();
    if commands.is_empty() {
        return None;
    }
    Some(format!(
        "{} transparent, and no route keeps what its backends answer on this machine; as root:\n    {}\n    {}",
        named(&pools),
        commands.join("\n    "),
        MARK.join("\n    ")
    ))
}

struct Family {
    is_ipv4: bool,
    option: &'static str,
    everywhere: &'static str,
}

const FAMILIES: [Family; 2] = [
    Family {
        is_ipv4: true,
        option: "-4",
        everywhere: "0.0.0.0/0",
    },
    Family {
        is_ipv4: false,
        option: "-6",
        everywhere: "::/0",
    },
];

impl Family {
    /// What is marked is taken for this machine's own.
    fn commands(&self) -> [String; 2] {
        let Self { option, everywhere, .. } = self;
        [
            format!("ip {option} rule add fwmark 1 lookup 100"),
            format!("ip {option} route add local {everywhere} dev lo table 100"),
        ]
    }
}

/// Marks what belongs to a socket with an address of somebody else.
const MARK: [&str; 3] = [
    "nft add table inet lbd",
    "nft 'add chain inet lbd back { type filter hook prerouting priority mangle; }'",
    "nft add rule inet lbd back meta l4proto tcp socket transparent 1 meta mark set 1",
];

/// Is there a route by which every address is this machine's own, in any table? `None`: nobody to ask.
fn is_routed(option: &str) -> Option<bool> {
    let arguments = [option, "route", "show", "table", "all", "type", "local"];
    let output = Command::new("ip").args(arguments).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let is_default = |line: &str| line.split_whitespace().nth(1) == Some("default");
    output.status.success().then(|| text.lines().any(is_default))
}

/// Which pools are transparent, and whether they have backends of IPv4 and of IPv6.
fn pools(plan: &Plan) -> Vec<(&str, Vec<bool>)> {
    let families = |pool: &lb_config::Pool| {
        let backends = pool.backends.iter();
        backends
            .filter_map(|backend| match backend.address {
                Address::Ip(address) => Some(address.is_ipv4()),
                Address::Unix(_) => None,
            })
            .collect()
    };
    let pools = plan.pools.iter().filter(|pool| pool.transparent);
    pools.map(|pool| (pool.name.as_str(), families(pool))).collect()
}

/// `pool "a" is`, `pools "a", "b" are`.
fn named(pools: &[(&str, Vec<bool>)]) -> String {
    let names: Vec<String> = pools.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    match names.as_slice() {
        [one] => format!("pool {one} is"),
        all => format!("pools {} are", all.join(", ")),
    }
}
