//! Are there descriptors enough for what the configuration allows?

use lb_config::Plan;

/// What to say when the listeners may have more connections than there are descriptors for; `limit`: the hard one, to
/// which a running program raises its own.
pub(crate) fn too_few(plan: &Plan, limit: Option<u64>, workers: usize) -> Option<String> {
    let limit = limit?;
    let most = plan.listeners.iter().fold(0_u64, |sum, listener| {
        sum.saturating_add(number(listener.max_connections))
    });
    let rest = rest(plan, limit, number(workers));
    let needed = most.saturating_mul(PER_CONNECTION).saturating_add(rest);
    if needed <= limit {
        return None;
    }
    let (whose, how) = match plan.listeners.as_slice() {
        [one] => (format!("listener \"{}\" may have", one.name), ""),
        _ => (
            format!("the {} listeners may together have", plan.listeners.len()),
            " in sum",
        ),
    };
    let fitting = limit.saturating_sub(rest) / PER_CONNECTION;
    let lower = if fitting == 0 {
        String::new()
    } else {
        format!(", or lower `max_connections` to {fitting}{how}")
    };
    Some(format!(
        "{whose} {most} connections at once (`max_connections`), which need {needed} descriptors ({PER_CONNECTION} each and \
         {rest} for the rest), but this process may have {limit}: raise the limit (LimitNOFILE={needed} in the systemd \
         unit, `ulimit -Hn {needed}` in a shell){lower}"
    ))
}

/// Listening sockets, the runtimes of the workers, logs, the admin socket, and the probes that may be under way.
fn rest(plan: &Plan, limit: u64, workers: u64) -> u64 {
    let backends: usize = plan
        .pools
        .iter()
        .filter(|pool| pool.health.is_some())
        .map(|pool| pool.backends.len())
        .sum();
    let probes = crate::control::probes_at_once(Some(limit)).min(backends);
    number(plan.listeners.len())
        .saturating_add(PER_WORKER)
        .saturating_mul(workers)
        .saturating_add(number(probes))
        .saturating_add(ALWAYS)
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// The client's and the backend's.
const PER_CONNECTION: u64 = 2;
/// epoll(7), eventfd(2) and copies of both.
const PER_WORKER: u64 = 4;
/// Standard streams, signals, the files of logs and a reload, the admin socket and those who are connected to it.
const ALWAYS: u64 = 32;

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(limits: &[usize], health: &str) -> Plan {
        let mut text = String::from("version = 1\n");
        for (n, most) in limits.iter().enumerate() {
            text += &format!(
                "[[listeners]]\nname = \"l{n}\"\naddress = \"127.0.0.1:{}\"\npool = \"app\"\nlimits = {{ max_connections = {most} }}\n",
                n + 1
            );
        }
        text += &format!("[[pools]]\nname = \"app\"\nbackends = [\"10.0.0.1:80\", \"10.0.0.2:80\"]\n{health}\n");
        let resolved = lb_config::resolve(&lb_config::parse("t", &text), &lb_config::Nowhere);
        resolved.unwrap_or_else(|problems| panic!("{problems}")).plan
    }

    #[test]
    fn two_descriptors_per_connection_and_the_rest_must_fit() {
        // 32 always, (1 listener + 4) for each of 2 workers, two per connection: 32 + 10 + 2 * 491 = 1,024
        let fits = plan(&[491], "");
        assert_eq!(too_few(&fits, Some(1_024), 2), None);
        assert_eq!(too_few(&fits, None, 2), None);
        let said = too_few(&plan(&[492], ""), Some(1_024), 2).unwrap();
        assert_eq!(
            said,
            "listener \"l0\" may have 492 connections at once (`max_connections`), which need 1026 descriptors (2 each and \
             42 for the rest), but this process may have 1024: raise the limit (LimitNOFILE=1026 in the systemd unit, \
             `ulimit -Hn 1026` in a shell), or lower `max_connections` to 491"
        );
    }

    #[test]
    fn the_connections_of_all_listeners_and_the_probes_count() {
        // 32, (2 + 4) of one worker: 38; with two probed backends 40
        assert_eq!(too_few(&plan(&[400, 93], ""), Some(1_024), 1), None);
        let said = too_few(&plan(&[400, 93], "health = { kind = \"tcp\" }"), Some(1_024), 1).unwrap();
        assert!(
            said.starts_with("the 2 listeners may together have 493 connections"),
            "{said}"
        );
        assert!(said.contains("1026 descriptors (2 each and 40 for the rest)"), "{said}");
        assert!(said.ends_with("or lower `max_connections` to 492 in sum"), "{said}");
        let hopeless = too_few(&plan(&[1], ""), Some(30), 1).unwrap();
        assert!(!hopeless.contains("or lower"), "{hopeless}");
    }
}
