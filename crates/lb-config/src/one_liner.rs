use crate::environment::Environment;
use crate::plan::Plan;
use crate::problem::Sink;
use crate::resolve::{self, Resolved, resolve};
use crate::syntax::parse;
use crate::{Kind, Problem, Problems, Severity, Span, near};
use lb_sched::Algorithm;

impl Plan {
    /// The plan of `lbd run --listen ADDRESS --to ADDRESS[*WEIGHT] --algorithm WORD`: every listener speaks HTTP and
    /// leads to one pool of all backends, by this algorithm or weighted round robin, each probed by connecting. And what is
    /// probably not meant so.
    ///
    /// # Errors
    /// All problems of all arguments, each underlined in the command line.
    pub fn from_one_liner(
        listens: &[String],
        tos: &[String],
        algorithm: Option<&str>,
        environment: &dyn Environment,
    ) -> Result<Resolved, Problems> {
        let line = Line::new(listens, tos, algorithm);
        let sink = Sink::default();
        let interface = |name: &str| environment.interface(name);
        let mut text = String::from("version = 1\n");
        for (index, (listen, span)) in line.listens.iter().enumerate() {
            let name = if index == 0 {
                "web".to_owned()
            } else {
                format!("web-{}", index.saturating_add(1))
            };
            match crate::grammar::listen_address(listen, &interface) {
                Ok(address) => {
                    text.push_str(&format!(
                        "[[listeners]]\nname = \"{name}\"\naddress = \"{address}\"\npool = \"app\"\n"
                    ));
                }
                Err(wrong) => sink.push(line.wrong("--listen", listen, span, wrong)),
            }
        }
        text.push_str("[[pools]]\nname = \"app\"\nhealth = { kind = \"tcp\" }\n");
        if let Some((word, span)) = &line.algorithm {
            match Algorithm::ALL.into_iter().find(|algorithm| algorithm.word() == *word) {
                Some(algorithm) => text.push_str(&format!("algorithm = \"{algorithm}\"\n")),
                None => {
                    let problem = near::unknown_word(
                        "pools",
                        "algorithm",
                        word,
                        span.clone(),
                        &Algorithm::ALL.map(Algorithm::word),
                    );
                    let message = format!("`--algorithm` is {word:?}, which is not known");
                    sink.push(Problem { message, ..problem });
                }
            }
        }
        text.push_str("backends = [\n");
        for (to, span) in &line.tos {
            // `*:80` is an address of other programs, not a weight
            let weighted = to
                .rsplit_once('*')
                .filter(|(address, weight)| !address.is_empty() && !weight.contains(':'));
            let (address, weight) = match weighted {
                Some((address, weight)) => (address, Some(weight)),
                None => (*to, None),
            };
            let weight = match weight.map(|weight| (weight, weight.parse::<u16>())) {
                None => 1,
                Some((text, Ok(weight))) if weight <= 256 && text.bytes().all(|b| b.is_ascii_digit()) => weight,
                Some((text, _)) => {
                    sink.push(
                        Problem::error(
                            Kind::OutOfRange,
                            format!("the weight of {address} is {text:?}, out of range"),
                        )
                        .at(span.clone(), "allowed: 0 to 256"),
                    );
                    continue;
                }
            };
            match crate::grammar::host_port(address, &interface) {
                Ok(_) => text.push_str(&format!("{{ address = \"{address}\", weight = {weight} }},\n")),
                Err(wrong) => sink.push(line.wrong("--to", address, span, wrong)),
            }
        }
        text.push_str("]\n");
        let errors = sink.into_list();
        if !errors.is_empty() {
            return Err(Problems::new(COMMAND, &line.text, errors));
        }
        match resolve(&parse(COMMAND, &text), environment) {
            Ok(resolved) => Ok(Resolved {
                warnings: line.place(&resolved.warnings, Severity::Warning),
                ..resolved
            }),
            Err(problems) => Err(line.place(&problems, Severity::Error)),
        }
    }
}

/// The command line as one text, so that problems can point into it.
struct Line<'a> {
    text: String,
    listens: Vec<(&'a str, Span)>,
    tos: Vec<(&'a str, Span)>,
    algorithm: Option<(&'a str, Span)>,
}

impl<'a> Line<'a> {
    fn new(listens: &'a [String], tos: &'a [String], algorithm: Option<&'a str>) -> Self {
        let mut line = Self {
            text: "lbd run".to_owned(),
            listens: Vec::new(),
            tos: Vec::new(),
            algorithm: None,
        };
        for listen in listens {
            let span = line.push("--listen", listen);
            line.listens.push((listen, span));
        }
        for to in tos {
            let span = line.push("--to", to);
            line.tos.push((to, span));
        }
        line.algorithm = algorithm.map(|word| (word, line.push("--algorithm", word)));
        line
    }

    fn push(&mut self, option: &str, value: &str) -> Span {
        self.text.push_str(&format!(" {option} "));
        let start = self.text.len();
        self.text.push_str(value);
        start..self.text.len()
    }

    fn wrong(&self, option: &str, value: &str, span: &Span, wrong: crate::grammar::Wrong) -> Problem {
        let help = wrong.help.map(|help| {
            // What is written so in a file.
            let table = help
                .strip_prefix("write { address = \"")
                .and_then(|rest| rest.strip_suffix(" }"));
            match table.and_then(|table| table.split_once("\", weight = ")) {
                Some((address, weight)) => format!("write {address}*{weight}"),
                None => help,
            }
        });
        let wrong = crate::grammar::Wrong { help, ..wrong };
        resolve::explain(Kind::BadAddress, &format!("`{option}`"), value, span.clone(), wrong)
    }

    /// Problems of the text made from the arguments, moved to the arguments they are about.
    fn place(&self, problems: &Problems, severity: Severity) -> Problems {
        let all = || self.listens.iter().chain(&self.tos);
        let place = |problem: &Problem| -> Option<Span> {
            let mut about = all().filter(|(value, _)| {
                let bare = value.split('*').next().unwrap_or(value);
                let host = bare.rsplit_once(':').map_or(bare, |(host, _)| host);
                problem.message.contains(bare) || problem.message.contains(host)
            });
            // Of two that are the same, the second is one too many.
            about.next_back().map(|(_, span)| span.clone())
        };
        let list = problems
            .iter()
            .filter(|problem| problem.severity == severity)
            .map(|problem| Problem {
                span: Some(place(problem).unwrap_or(0..self.text.len())),
                related: Vec::new(),
                help: problem
                    .help
                    .iter()
                    .filter(|help| !help.contains("[["))
                    .cloned()
                    .collect(),
                ..problem.clone()
            });
        Problems::new(COMMAND, &self.text, list.collect())
    }
}

const COMMAND: &str = "command line";
