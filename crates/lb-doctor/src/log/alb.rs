//! Amazon's application load balancer, and the classic one.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::format::{Entry, known, seconds, without_port};
use super::time;

/// `type time elb client:port target:port request_time target_time response_time status ..`; the classic one has no type.
pub(super) fn read(line: &str) -> Result<Entry<'_>, &'static str> {
    let mut words = line.split(' ');
    let mut word = || words.next().filter(|word| !word.is_empty()).ok_or("too few fields");
    let mut when = word()?;
    let is_classic = time::rfc3339(when).is_some();
    if !is_classic {
        when = word()?;
    }
    let (ended, whole_seconds) = time::rfc3339(when).ok_or("no time as in 2018-07-02T22:23:00.186641Z")?;
    word()?; // the balancer's name
    let client = word()?;
    let target = word()?;
    let [to_target, at_target, to_client] = [word()?, word()?, word()?].map(time_taken);
    let (to_target, at_target, to_client) = (
        to_target.ok_or("a processing time is no number")?,
        at_target.ok_or("a processing time is no number")?,
        to_client.ok_or("a processing time is no number")?,
    );
    let status = word()?;
    let status = known(status)
        .map(|s| s.parse().map_err(|_| "the status is no number"))
        .transpose()?;
    let took = [to_target, at_target, to_client]
        .into_iter()
        .flatten()
        .fold(std::time::Duration::ZERO, |a, b| a.saturating_add(b));
    Ok(Entry {
        unix_nanos: ended.saturating_sub(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX)),
        whole_seconds,
        client: known(client).map(|client| without_port(client).into()),
        duration: at_target,
        source: Some("target_processing_time, in seconds"),
        backend: known(target).map(Into::into),
        pool: (!is_classic).then(|| target_group(line)).flatten().map(Into::into),
        status,
        ..Entry::default()
    })
}

/// -1 when it did not come to that; `None` for what is no number.
fn time_taken(text: &str) -> Option<Option<std::time::Duration>> {
    if text == "-1" || text == "-" {
        return Some(None);
    }
    seconds(text).map(Some)
}

/// The name in `arn:aws:elasticloadbalancing:..:targetgroup/NAME/ID`.
fn target_group(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once(":targetgroup/")?;
    rest.split(['/', ' ', '"']).next().and_then(known)
}
