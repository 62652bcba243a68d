//! What operators ordered at run time, beside what the configuration says.

use lb_admin::{Order, Wish};
use lb_config::{Backend, Plan};
use lb_health::Admin;
use lb_types::{BackendId, Time, Weight};
use std::collections::HashMap;

/// The orders in force, and since when each backend is known.
#[derive(Debug, Clone, Default)]
pub(super) struct Orders(HashMap<BackendId, Ordered>);

/// What was ordered for one backend.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Ordered {
    pub(super) admin: Option<Admin>,
    pub(super) weight: Option<Weight>,
    /// When its state was ordered last, or it came.
    pub(super) since: Time,
}

impl Orders {
    /// Follows a reload. Orders stay with backends that stay. Where the file now says something else than before about
    /// the very thing that was ordered, the file is newer and counts; each of those is a line for the operator.
    pub(super) fn carry_over(&mut self, old: Option<&Plan>, new: &Plan, now: Time) -> Vec<String> {
        let mut before = HashMap::new();
        for pool in old.into_iter().flat_map(|plan| &plan.pools) {
            before.extend(pool.backends.iter().map(|backend| (backend.id(pool), backend)));
        }
        let mut lines = Vec::new();
        let mut kept = HashMap::new();
        for pool in &new.pools {
            for backend in &pool.backends {
                let id = backend.id(pool);
                let fresh = Ordered {
                    since: now,
                    ..Ordered::default()
                };
                let mut ordered = self.0.get(&id).copied().unwrap_or(fresh);
                if let Some(was) = before.get(&id) {
                    let line = |what: &str| format!("backend {}/{}: {what}", pool.name, backend.name);
                    if was.drain != backend.drain
                        && let Some(admin) = ordered.admin.take()
                    {
                        ordered.since = now;
                        let word = admin.as_str();
                        lines.push(line(&format!(
                            "the file now says drain = {}; the order {word} ends",
                            backend.drain
                        )));
                    }
                    if was.weight != backend.weight
                        && let Some(weight) = ordered.weight.take()
                    {
                        let (now, set) = (backend.weight.get(), weight.get());
                        lines.push(line(&format!(
                            "the file now says weight = {now}; the weight {set} that was set ends"
                        )));
                    }
                }
                kept.insert(id, ordered);
            }
        }
        self.0 = kept;
        lines
    }

    /// Takes one order; says whether it changes anything. What the configuration says anyway needs no order: it is
    /// as if it were forgotten.
    pub(super) fn apply(&mut self, id: BackendId, configured: &Backend, order: &Order, now: Time) -> bool {
        let ordered = self.0.entry(id).or_default();
        let before = *ordered;
        match order.admin {
            Wish::Keep => {}
            Wish::Forget => ordered.admin = None,
            Wish::Set(admin) => ordered.admin = Some(admin).filter(|admin| *admin != state_of(configured)),
        }
        match order.weight {
            Wish::Keep => {}
            Wish::Forget => ordered.weight = None,
            Wish::Set(weight) => ordered.weight = Some(weight).filter(|weight| *weight != configured.weight),
        }
        if before.admin != ordered.admin {
            ordered.since = now;
        }
        before != *ordered
    }

    /// What was ordered.
    pub(super) fn of(&self, id: BackendId) -> Ordered {
        self.0.get(&id).copied().unwrap_or_default()
    }

    /// The state that counts: the order's, or the file's.
    pub(super) fn admin(&self, id: BackendId, backend: &Backend) -> Admin {
        self.of(id).admin.unwrap_or_else(|| state_of(backend))
    }

    /// The weight that counts.
    pub(super) fn weight(&self, id: BackendId, backend: &Backend) -> Weight {
        self.of(id).weight.unwrap_or(backend.weight)
    }
}

/// What the configuration says.
fn state_of(backend: &Backend) -> Admin {
    if backend.drain { Admin::Drain } else { Admin::Ready }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(backends: &str) -> Plan {
        let text = format!(
            "version = 1\n[[listeners]]\nname = \"l\"\naddress = \"127.0.0.1:1\"\npool = \"app\"\n\
             [[pools]]\nname = \"app\"\nbackends = [{backends}, {{ name = \"z\", address = \"10.0.0.9:80\" }}]\n"
        );
        let resolved = lb_config::resolve(&lb_config::parse("t", &text), &lb_config::Nowhere);
        resolved.unwrap_or_else(|problems| panic!("{problems}")).plan
    }

    fn a(rest: &str) -> String {
        format!("{{ name = \"a\", address = \"10.0.0.1:80\"{rest} }}")
    }

    fn backend_a(plan: &Plan) -> &Backend {
        plan.pools[0]
            .backends
            .iter()
            .find(|backend| backend.name == "a")
            .unwrap()
    }

    fn at(secs: u64) -> Time {
        Time::ZERO.after(std::time::Duration::from_secs(secs))
    }

    /// Drained at 2 s with weight 7, over a file that says 3.
    fn ordered() -> (Orders, Plan, BackendId) {
        let plan = plan(&a(", weight = 3"));
        let id = BackendId::of("app", "a");
        let mut orders = Orders::default();
        assert!(orders.carry_over(None, &plan, at(1)).is_empty());
        let order = Order::new("app", "a")
            .with_admin(Wish::Set(Admin::Drain))
            .with_weight(Wish::Set(Weight::new(7).unwrap()));
        assert!(orders.apply(id, backend_a(&plan), &order, at(2)));
        assert!(
            !orders.apply(id, backend_a(&plan), &order, at(3)),
            "the same again changes nothing"
        );
        (orders, plan, id)
    }

    fn counts(orders: &Orders, plan: &Plan) -> (Admin, u16) {
        let id = BackendId::of("app", "a");
        let backend = backend_a(plan);
        (orders.admin(id, backend), orders.weight(id, backend).get())
    }

    #[test]
    fn an_order_counts_until_it_is_forgotten() {
        let (mut orders, plan, id) = ordered();
        assert_eq!(counts(&orders, &plan), (Admin::Drain, 7));
        assert_eq!(orders.of(id).since, at(2));
        let a = backend_a(&plan);
        orders.apply(id, a, &Order::new("app", "a").with_weight(Wish::Forget), at(4));
        assert_eq!(counts(&orders, &plan), (Admin::Drain, 3));
        assert_eq!(orders.of(id).since, at(2), "a weight is no state");
        orders.apply(id, a, &Order::new("app", "a").with_admin(Wish::Forget), at(5));
        assert_eq!(counts(&orders, &plan), (Admin::Ready, 3));
        assert_eq!(orders.of(id).since, at(5));
    }

    #[test]
    fn what_the_file_says_anyway_is_no_order_for_ever() {
        let (mut orders, plan, id) = ordered();
        let a = backend_a(&plan);
        let as_configured = Order::new("app", "a")
            .with_admin(Wish::Set(Admin::Ready))
            .with_weight(Wish::Set(Weight::new(3).unwrap()));
        assert!(orders.apply(id, a, &as_configured, at(4)));
        assert_eq!(counts(&orders, &plan), (Admin::Ready, 3));
        let left = orders.of(id);
        assert_eq!((left.admin, left.weight, left.since), (None, None, at(4)));
        assert!(
            !orders.apply(id, a, &as_configured, at(5)),
            "there is nothing left to change"
        );

        // over a file that drains, `ready` is an order
        let drained = super::tests::plan(&self::a(", drain = true"));
        orders.apply(id, backend_a(&drained), &as_configured, at(6));
        assert_eq!(orders.of(id).admin, Some(Admin::Ready));
        let drain = Order::new("app", "a").with_admin(Wish::Set(Admin::Drain));
        orders.apply(id, backend_a(&drained), &drain, at(7));
        assert_eq!(orders.of(id).admin, None);
    }

    #[test]
    fn s_sched_11_a_reload_keeps_orders_unless_the_file_changed_the_same_thing() {
        let (mut orders, old, _) = ordered();
        let same = plan(&a(", weight = 3, max_connections = 9"));
        assert!(orders.carry_over(Some(&old), &same, at(5)).is_empty());
        assert_eq!(counts(&orders, &same), (Admin::Drain, 7));

        let heavier = plan(&a(", weight = 4"));
        let lines = orders.carry_over(Some(&same), &heavier, at(6));
        assert_eq!(
            lines,
            ["backend app/a: the file now says weight = 4; the weight 7 that was set ends"]
        );
        assert_eq!(counts(&orders, &heavier), (Admin::Drain, 4));

        let drained = plan(&a(", weight = 4, drain = true"));
        let lines = orders.carry_over(Some(&heavier), &drained, at(7));
        assert_eq!(
            lines,
            ["backend app/a: the file now says drain = true; the order drain ends"]
        );
        assert_eq!(counts(&orders, &drained), (Admin::Drain, 4));
        let lines = orders.carry_over(Some(&drained), &heavier, at(8));
        assert!(lines.is_empty(), "there is no order left to end: {lines:?}");
        assert_eq!(counts(&orders, &heavier), (Admin::Ready, 4));
    }

    #[test]
    fn a_backend_that_goes_takes_its_orders_with_it() {
        let (mut orders, old, id) = ordered();
        let gone = plan("\"10.0.0.2:80\"");
        assert!(orders.carry_over(Some(&old), &gone, at(5)).is_empty());
        assert!(orders.carry_over(Some(&gone), &old, at(6)).is_empty());
        assert_eq!(counts(&orders, &old), (Admin::Ready, 3));
        assert_eq!(orders.of(id).since, at(6));
    }
}
