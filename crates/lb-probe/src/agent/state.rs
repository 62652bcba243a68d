use super::{AgentLine, AgentWord};
use lb_health::{Admin, Advice};
use lb_types::Weight;

/// All that an agent has said so far, one line after the other. Pure.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AgentState {
    /// Of the weight that the backend has without the agent: 0 to 25,600 percent, at first 100.
    pub weight_percent: u16,
    /// At first ready.
    pub admin: Admin,
    /// At first up.
    pub word: AgentWord,
    /// The text behind the last `#`.
    pub note: String,
    /// The last `maxconn`. Shown only: limits stand in the configuration.
    pub max_connections: Option<u32>,
}

impl Default for AgentState {
    fn default() -> Self {
        Self {
            weight_percent: 100,
            admin: Admin::Ready,
            word: AgentWord::Up,
            note: String::new(),
            max_connections: None,
        }
    }
}

impl AgentState {
    /// Takes over what a line mentions; says whether anything but the text changed.
    pub fn take(&mut self, advice: &AgentLine) -> bool {
        let what = |state: &Self| (state.weight_percent, state.admin, state.word, state.max_connections);
        let before = what(self);
        self.weight_percent = advice.weight_percent.unwrap_or(self.weight_percent);
        self.admin = advice.admin.unwrap_or(self.admin);
        self.max_connections = advice.max_connections.or(self.max_connections);
        if let Some(word) = advice.word {
            self.word = word;
            self.note.clone_from(&advice.note);
        }
        what(self) != before
    }

    /// What a health machine is to be told of it ([`Prober::advise`](crate::Prober::advise)).
    #[must_use]
    pub fn advice(&self) -> Advice {
        Advice {
            admin: Some(self.admin),
            percent: Some(u8::try_from(self.weight_percent.min(100)).unwrap_or(100)),
            down: Some(self.word != AgentWord::Up),
        }
    }

    /// The weight of a backend whose weight is `weight` without the agent: more than that above 100 percent. What is
    /// below is a share of the weight, which is finer than a small weight ([`AgentState::advice`]).
    #[must_use]
    pub fn weight(&self, weight: Weight) -> Weight {
        let grown = u64::from(weight.get()) * u64::from(self.weight_percent.max(100)) / 100;
        Weight::try_from(grown).unwrap_or(Weight::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(lines: &[&str]) -> AgentState {
        let mut state = AgentState::default();
        for line in lines {
            state.take(&AgentLine::parse(line.as_bytes()).unwrap());
        }
        state
    }

    #[test]
    fn what_a_line_does_not_mention_stays() {
        let state = said(&["drain 50% maxconn:9", "down #hot", "75%"]);
        assert_eq!((state.weight_percent, state.admin), (75, Admin::Drain));
        assert_eq!((state.word, state.note.as_str()), (AgentWord::Down, "hot"));
        assert_eq!(state.max_connections, Some(9));
        let mut state = said(&["up 100%"]);
        assert_eq!(state, AgentState::default());
        assert!(!state.take(&AgentLine::parse(b"up ready").unwrap()));
        assert!(state.take(&AgentLine::parse(b"99%").unwrap()));
        assert!(state.take(&AgentLine::parse(b"down #load 9.1").unwrap()));
        assert!(
            !state.take(&AgentLine::parse(b"down #load 9.2").unwrap()),
            "only the text"
        );
        assert_eq!(state.note, "load 9.2");
    }

    #[test]
    fn a_machine_is_told_all_of_it() {
        let advice = |admin, percent, down| Advice {
            admin: Some(admin),
            percent: Some(percent),
            down: Some(down),
        };
        assert_eq!(AgentState::default().advice(), advice(Admin::Ready, 100, false));
        assert_eq!(said(&["drain 30%"]).advice(), advice(Admin::Drain, 30, false));
        assert_eq!(said(&["maint 0%"]).advice(), advice(Admin::Maintenance, 0, false));
        for line in ["down", "fail", "stopped"] {
            assert_eq!(said(&[line, "150%"]).advice(), advice(Admin::Ready, 100, true));
        }
        assert_eq!(said(&["down", "up"]).advice(), advice(Admin::Ready, 100, false));
    }

    #[test]
    fn above_a_hundred_percent_the_weight_grows() {
        for (line, given, grown) in [
            ("100%", 10, 10),
            ("75%", 10, 10),
            ("0%", 10, 10),
            ("150%", 10, 15),
            ("300%", 100, 256),
            ("25600%", 256, 256),
            ("200%", 0, 0),
        ] {
            assert_eq!(
                said(&[line]).weight(Weight::new(given).unwrap()).get(),
                grown,
                "{line} {given}"
            );
        }
    }
}
