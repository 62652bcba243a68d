//! One HTML page that needs nothing else: no script, no font, no picture from anywhere.

mod latency;
mod parts;
mod share;
mod time;

use super::Setting;
use super::json::pretty;
use super::text::{describe, percent};
use crate::simulate::{Comparison, Outcome};
use crate::spec::{grouped, show, three_digits, verb};
pub(crate) use parts::escape;
use std::fmt::Write as _;

impl Comparison {
    /// The comparison as one HTML page with plots: no script, and nothing is fetched. The figures are inside as JSON
    /// too, in the element `data`. Sorts the latencies.
    #[must_use]
    pub fn html(&mut self, setting: &Setting) -> String {
        let data = pretty(&self.value(setting));
        let header = format!(
            "<h1>{}</h1>\n<p class=\"lead\">{}</p>\n{}",
            escape(&self.headline()),
            escape(&self.verdict()),
            self.facts()
        );
        let body = format!("{}{}", self.sections(), self.footer(setting));
        shell("lbd: algorithms side by side", &header, &body, &data)
    }

    /// The plots and the figures.
    pub(crate) fn sections(&mut self) -> String {
        let best = self.best();
        let mut page = String::new();
        section(
            &mut page,
            "latency",
            "Latency",
            "From arrival to answer, on a logarithmic axis: the bar runs from p50 to p99, with p90 between; the line ends at \
             the slowest. Shorter and further left is better.",
            &scroll(&latency::plot(&mut self.outcomes, best)),
        );
        section(
            &mut page,
            "share",
            "Share of requests beside the share that weights ask for",
            "An algorithm that follows the load leaves the shares on purpose, where backends differ or requests do.",
            &scroll(&share::plot(self, best)),
        );
        section(
            &mut page,
            "time",
            "Requests in flight at each backend, over time",
            "Waiting and at work, held connections included; all panels have the same axes.",
            &time::panels(self),
        );
        section(&mut page, "figures", "All figures", "", &self.table(best));
        page
    }

    pub(crate) fn facts(&self) -> String {
        let facts = [
            (
                grouped(self.requests),
                verb(
                    self.requests,
                    "request, the same for each",
                    "requests, the same for each",
                ),
            ),
            (show(self.span), "on a virtual clock"),
            (
                self.backends.len().to_string(),
                verb(self.backends.len() as u64, "backend", "backends"),
            ),
            (
                format!("{} %", three_digits(self.offered * 100.0)),
                "of the work they can do",
            ),
        ];
        let items: String = facts
            .iter()
            .map(|(value, what)| format!("<li><b>{value}</b> {what}</li>\n"))
            .collect();
        format!("<ul class=\"facts\">\n{items}</ul>\n")
    }

    fn table(&mut self, best: Option<usize>) -> String {
        let heads = [
            "algorithm",
            "mean",
            "p50",
            "p90",
            "p99",
            "max",
            "queue",
            "worst",
            "imbalance",
            "errors",
            "retries",
            "moved: lost",
            "added",
        ];
        let heads: String = heads.iter().map(|head| format!("<th>{head}</th>")).collect();
        let row = |(place, outcome): (usize, &mut Outcome)| {
            let class = if best == Some(place) { " class=\"winner\"" } else { "" };
            let mut cells = vec![escape(&outcome.name), show(outcome.latency.mean())];
            cells.extend([50.0, 90.0, 99.0].map(|percent| show(outcome.latency.quantile(percent))));
            cells.push(show(outcome.latency.max()));
            cells.push(three_digits(outcome.queue_mean));
            cells.push(grouped(outcome.queue_worst));
            cells.push(format!("{:.3}", outcome.imbalance()));
            cells.push(match outcome.errors() {
                0 => "0".to_owned(),
                errors => format!("<span class=\"bad\">{}</span>", grouped(errors)),
            });
            cells.push(grouped(outcome.retries));
            match &outcome.moved {
                Some(moved) => cells.extend([moved.lost, moved.added].map(percent)),
                None => cells.extend(["–".to_owned(), "–".to_owned()]),
            }
            let cells: String = cells.iter().map(|cell| format!("<td>{cell}</td>")).collect();
            format!("<tr{class}>{cells}</tr>\n")
        };
        let rows: String = self.outcomes.iter_mut().enumerate().map(row).collect();
        format!(
            "<div class=\"scroll\"><table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table></div>\n"
        )
    }

    pub(crate) fn footer(&self, setting: &Setting) -> String {
        let mut lines = vec![
            format!("Traffic: {}", setting.traffic),
            format!("Backends: {}.", describe(&self.backends)),
        ];
        lines.extend(setting.notes.iter().cloned());
        lines.push(
            "Queue: requests waiting at all backends, on average; worst: the longest line at one. Imbalance: the largest share beside the one its weight asks for. Moved: keys that change their backend when the last \
             one is lost, or one more is added. The picks are made by lb-sched, the code that serves traffic."
                .to_owned(),
        );
        let lines: String = lines.iter().map(|line| format!("<p>{}</p>\n", escape(line))).collect();
        format!("<footer>\n{lines}</footer>\n")
    }
}

/// Is this a page that [`Comparison::html`] made?
#[must_use]
pub fn is_page(bytes: &[u8]) -> bool {
    bytes.starts_with(MARK.as_bytes())
}

/// A whole page around a header and a body, with its figures as JSON.
pub(crate) fn shell(title: &str, header: &str, body: &str, data: &str) -> String {
    format!(
        "{MARK}\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{}</title>\n<style>\n{}</style>\n</head>\n<body>\n<main>\n<header>\n{header}</header>\n{body}\
         <script type=\"application/json\" id=\"data\">\n{}</script>\n</main>\n</body>\n</html>\n",
        escape(title),
        include_str!("style.css"),
        data.replace('<', "\\u003c")
    )
}

/// A picture that keeps its letters readable on a narrow screen, and scrolls there.
fn scroll(picture: &str) -> String {
    format!("<div class=\"scroll\">\n{picture}</div>\n")
}

pub(crate) fn section(page: &mut String, id: &str, title: &str, why: &str, content: &str) {
    let why = if why.is_empty() {
        String::new()
    } else {
        format!("<p class=\"why\">{why}</p>\n")
    };
    let _ = write!(
        page,
        "<section id=\"{id}\">\n<h2>{title}</h2>\n{why}{content}</section>\n"
    );
}

/// How each page begins.
const MARK: &str = "<!DOCTYPE html><!-- lbd simulate -->";
