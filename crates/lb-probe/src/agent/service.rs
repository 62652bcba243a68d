use super::{Agent, AgentError, AgentLine, AgentState};
use lb_types::BackendId;
use std::collections::{BTreeMap, BTreeSet, VecDeque, btree_map};
use std::future;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};

/// Asks a set of agents, each at its interval, and tells what changed.
///
/// An agent that cannot be reached changes nothing, as with HAProxy: what it said last stays, and probes find out
/// whether the backend is there. Belongs to one task: call [`Agents::next`] for ever. Dropping it closes every socket.
#[derive(Debug)]
pub struct Agents {
    entries: BTreeMap<BackendId, Entry>,
    /// Who is to be asked when; those that are being asked are not in it.
    due: BTreeSet<(Instant, BackendId)>,
    running: JoinSet<(BackendId, u64, Result<AgentLine, AgentError>)>,
    events: VecDeque<AgentEvent>,
    seed: u64,
    generation: u64,
}

/// One agent to be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Whose agent it is.
    pub backend: BackendId,
    /// The backend's name for logs, such as `pool/backend`.
    pub name: String,
    /// Where to ask.
    pub agent: Agent,
}

/// There is something to know about an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AgentEvent {
    /// Of which backend.
    pub backend: BackendId,
    /// All that it has said so far.
    pub state: AgentState,
    /// What is new.
    pub news: AgentNews,
}

/// What is new about an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AgentNews {
    /// It said something that changes the state, or is asked no more.
    Said,
    /// Nothing: after a reload what it said before is told again.
    Again,
    /// From now on its answers are none. Told once for each fault; what it said last stays.
    Silent(AgentError),
    /// It answers again.
    Back,
}

#[derive(Debug)]
struct Entry {
    asked: Asked,
    state: AgentState,
    /// Tells the answers of an earlier agent from those of this one.
    generation: u64,
    /// When it was asked last, or is to be asked first.
    begun: Instant,
    /// The last answer's fault, if it had one: told once.
    fault: Option<AgentError>,
}

impl Agents {
    /// Questions under way at one time. Bounds descriptors; with more agents, some wait.
    pub const MOST_AT_ONCE: usize = 64;

    /// Asks nobody yet. `seed` spreads the first questions.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            entries: BTreeMap::new(),
            due: BTreeSet::new(),
            running: JoinSet::new(),
            events: VecDeque::new(),
            seed,
            generation: 0,
        }
    }

    /// Asks exactly these from now on (start or reload). What an agent at the same address said before is kept, and
    /// told again; of agents that are not asked any more an event says that nothing is left of what they said. Agents
    /// that stay as they are keep their place in the timetable, so reloads in any number put no question off.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn replace(&mut self, list: Vec<Asked>) {
        let mut old = std::mem::take(&mut self.entries);
        let due: BTreeMap<BackendId, Instant> = std::mem::take(&mut self.due)
            .into_iter()
            .map(|(at, backend)| (backend, at))
            .collect();
        let mut untold: BTreeMap<BackendId, Vec<AgentEvent>> = BTreeMap::new();
        for event in std::mem::take(&mut self.events) {
            untold.entry(event.backend).or_default().push(event);
        }
        for asked in list {
            let backend = asked.backend;
            let is_known = |entry: &Entry| entry.asked.agent.address() == asked.agent.address();
            let known = match old.entry(backend) {
                btree_map::Entry::Occupied(entry) if is_known(entry.get()) => Some(entry.remove()),
                _ => None,
            };
            let entry = match known {
                Some(entry) if entry.asked.agent == asked.agent => {
                    // not due: it is being asked, and what it answers is taken
                    self.due.extend(due.get(&backend).map(|at| (*at, backend)));
                    Entry { asked, ..entry }
                }
                known => self.begin(asked, known),
            };
            if old.contains_key(&backend) {
                // nothing is left of an agent at another address: told below
            } else if let Some(events) = untold.remove(&backend) {
                self.events.extend(events);
            } else if entry.state != AgentState::default() {
                let (state, news) = (entry.state.clone(), AgentNews::Again);
                self.events.push_back(AgentEvent { backend, state, news });
            }
            self.entries.insert(backend, entry);
        }
        for (backend, gone) in old {
            let news = match gone.state == AgentState::default() {
                false => AgentNews::Said,
                true if untold.contains_key(&backend) => AgentNews::Again,
                true => continue,
            };
            let state = AgentState::default();
            self.events.push_back(AgentEvent { backend, state, news });
        }
    }

    /// An agent that is not asked yet, or was asked in another way.
    fn begin(&mut self, asked: Asked, known: Option<Entry>) -> Entry {
        self.generation += 1;
        let begun = Instant::now() + self.offset(&asked);
        self.due.insert((begun, asked.backend));
        let (state, fault) = known.map_or_else(Default::default, |entry| (entry.state, entry.fault));
        Entry {
            asked,
            state,
            generation: self.generation,
            begun,
            fault,
        }
    }

    /// The next news of any agent. Asks while it waits; ends only with an event.
    ///
    /// Cancel safe: dropped before it ends, nothing is lost.
    ///
    /// # Panics
    /// Outside a tokio runtime with I/O and time.
    pub async fn next(&mut self) -> AgentEvent {
        loop {
            if let Some(event) = self.events.pop_front() {
                return event;
            }
            let wake = self.begin_due();
            let ended = match (self.running.is_empty(), wake) {
                (true, None) => future::pending().await,
                (true, Some(at)) => {
                    sleep_until(at).await;
                    continue;
                }
                (false, None) => self.running.join_next().await,
                (false, Some(at)) => timeout_at(at, self.running.join_next()).await.unwrap_or(None),
            };
            if let Some(Ok((backend, generation, result))) = ended {
                self.finish(backend, generation, result);
            }
        }
    }

    /// What the agent of `backend` has said so far; `None` for a backend without one.
    #[must_use]
    pub fn state(&self, backend: BackendId) -> Option<&AgentState> {
        self.entries.get(&backend).map(|entry| &entry.state)
    }

    /// Why the last answer of the agent of `backend` was none, if it was none.
    #[must_use]
    pub fn fault(&self, backend: BackendId) -> Option<AgentError> {
        self.entries.get(&backend).and_then(|entry| entry.fault)
    }

    /// A part of the interval that belongs to this backend: agents are not asked all at once.
    fn offset(&self, asked: &Asked) -> std::time::Duration {
        let place = lb_types::hash64(self.seed, &asked.backend.as_u64().to_be_bytes());
        asked
            .agent
            .interval()
            .mul_f64((place >> 40) as f64 / (1_u64 << 24) as f64)
    }

    /// Begins what is due; tells when something is due again.
    fn begin_due(&mut self) -> Option<Instant> {
        let now = Instant::now();
        while let Some((at, backend)) = self.due.first().copied() {
            if at > now {
                return Some(at);
            }
            if self.running.len() >= Self::MOST_AT_ONCE {
                return None; // the end of one is waited for
            }
            self.due.pop_first();
            if let Some(entry) = self.entries.get_mut(&backend) {
                entry.begun = now;
                let (agent, generation) = (entry.asked.agent.clone(), entry.generation);
                self.running
                    .spawn(async move { (backend, generation, agent.ask().await) });
            }
        }
        None
    }

    fn finish(&mut self, backend: BackendId, generation: u64, result: Result<AgentLine, AgentError>) {
        let Some(entry) = self.entries.get_mut(&backend) else {
            return; // no longer asked
        };
        if entry.generation != generation {
            return;
        }
        let next = (entry.begun + entry.asked.agent.interval()).max(Instant::now());
        self.due.insert((next, backend));
        let name = &entry.asked.name;
        let was = entry.fault;
        entry.fault = result.as_ref().err().copied();
        let mut news = Vec::with_capacity(2);
        match result {
            Ok(advice) => {
                if let Some(word) = &advice.unknown {
                    tracing::debug!(backend = %name, word, "the agent's word means nothing");
                }
                if was.is_some() {
                    news.push(AgentNews::Back);
                }
                if entry.state.take(&advice) {
                    let state = &entry.state;
                    tracing::info!(backend = %name, word = state.word.as_str(), note = state.note, percent = state.weight_percent, admin = ?state.admin, "agent");
                    news.push(AgentNews::Said);
                }
            }
            Err(fault) if was != Some(fault) => {
                tracing::info!(backend = %name, %fault, "what the agent said last stays");
                news.push(AgentNews::Silent(fault));
            }
            Err(_) => {}
        }
        for news in news {
            let state = entry.state.clone();
            self.events.push_back(AgentEvent { backend, state, news });
        }
    }
}
