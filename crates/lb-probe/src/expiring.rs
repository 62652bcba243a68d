use lb_tls::Expiry;

/// What was seen of a backend's certificates, and what was said of it.
#[derive(Debug, Default)]
pub(crate) struct Expiring {
    last: Option<Expiry>,
    /// The last second of a certificate, and the step that was said of it; the oldest first.
    said: Vec<(i64, i64)>,
}

impl Expiring {
    /// The certificate that was seen last.
    pub(crate) fn last(&self) -> Option<Expiry> {
        self.last
    }

    /// Another probe is made from now on: it may meet another certificate, or none.
    pub(crate) fn forget(&mut self) {
        self.last = None;
    }

    /// Takes down what a probe saw. Is a warning due? Once for each step of each certificate.
    pub(crate) fn saw(&mut self, expiry: Expiry) -> bool {
        self.last = Some(expiry);
        let Some(step) = expiry.step() else { return false };
        // several machines can stand behind one address, each with a certificate of its own
        let known = self.said.iter_mut().find(|(ends, _)| *ends == expiry.not_after());
        match known {
            Some((_, said)) if *said <= step => false,
            Some((_, said)) => {
                *said = step;
                true
            }
            None => {
                if self.said.len() >= MOST {
                    self.said.remove(0);
                }
                self.said.push((expiry.not_after(), step));
                true
            }
        }
    }
}

/// Of so many certificates it is remembered what was said. More at one address would be told again, as probes meet them.
const MOST: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use lb_types::Wall;

    const DAY: i64 = 86_400;
    const ENDS: i64 = 1_800_000_000;

    /// A certificate that ends so long after [`ENDS`], seen so many days before it does.
    fn seen(expiring: &mut Expiring, later: i64, days: i64) -> bool {
        let now = u64::try_from(ENDS + later - days * DAY).unwrap();
        expiring.saw(Expiry::new(ENDS + later, Wall::from_secs(now)))
    }

    #[test]
    fn each_step_is_said_once_and_a_new_certificate_begins_anew() {
        let mut expiring = Expiring::default();
        let said: Vec<i64> = (-2..=40).rev().filter(|days| seen(&mut expiring, 0, *days)).collect();
        assert_eq!(said, [29, 13, 6, 0, -1]);
        assert_eq!(expiring.last().map(Expiry::days_left), Some(-2));
        assert!(!seen(&mut expiring, 0, 20), "a clock that went back");
        assert!(!seen(&mut expiring, 400 * DAY, 400), "renewed");
        assert_eq!(expiring.last().map(Expiry::days_left), Some(400));
        assert!(
            seen(&mut expiring, 400 * DAY, 3),
            "a jump over several steps is one warning"
        );
        assert!(!seen(&mut expiring, 400 * DAY, 3));
    }

    #[test]
    fn certificates_that_take_turns_are_each_said_once_up_to_sixteen() {
        let mut expiring = Expiring::default();
        let mut round = |count: i64| (0..count).filter(|one| seen(&mut expiring, *one, 5)).count();
        assert_eq!((round(16), round(16)), (16, 0));
        assert_eq!((round(17), round(17)), (1, 17), "what is kept has an end");
    }
}
