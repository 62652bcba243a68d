//! Unix domain sockets: how we write them, and how other programs do.

use crate::grammar::Wrong;
use lb_types::UnixPath;

/// `unix:/run/app.sock` or `unix:@name`. `None`: the text is no socket's.
pub(super) fn unix(text: &str) -> Option<Result<UnixPath, Wrong>> {
    if let Some(path) = text.strip_prefix("unix:").filter(|path| !path.starts_with("//")) {
        return Some(path_of(path));
    }
    let lower = text.to_ascii_lowercase();
    let written = if let Some(name) = ["abns@", "abnsz@"].iter().find_map(|start| tail(text, &lower, start)) {
        Some(format!("unix:@{name}"))
    } else if let Some(path) = STARTS.iter().find_map(|start| tail(text, &lower, start)) {
        Some(format!("unix:/{}", path.trim_start_matches('/')))
    } else if let Some((_, path)) = text.split_once("//").filter(|_| lower.starts_with("unix+")) {
        Some(format!("unix:/{}", path.trim_start_matches('/')))
    } else if text.starts_with('/') && !text.starts_with("//") {
        Some(format!("unix:{text}"))
    } else if text.ends_with(".sock") || text.starts_with("./") {
        None
    } else {
        return None;
    };
    Some(Err(match written {
        Some(written) => Wrong::new("a Unix domain socket is written otherwise").help(format!("write \"{written}\"")),
        None => relative(),
    }))
}

fn path_of(path: &str) -> Result<UnixPath, Wrong> {
    if let Some((socket, _)) = path.split_once(".sock:") {
        return Err(
            Wrong::new("nothing stands behind the path of a socket").help(format!("write \"unix:{socket}.sock\""))
        ); // nginx has the path of a request there
    }
    if !path.is_empty() && !path.starts_with(['/', '@']) {
        return Err(relative());
    }
    UnixPath::new(path).map_err(|error| {
        Wrong::new(error.to_string()).help("for example \"unix:/run/app.sock\", or \"unix:@app\" for an abstract name")
    })
}

fn relative() -> Wrong {
    Wrong::new("the path of a socket must be absolute: a service does not begin where you do")
        .help("for example \"unix:/run/app.sock\"")
}

/// What follows `start` in any case of letters.
fn tail<'a>(text: &'a str, lower: &str, start: &str) -> Option<&'a str> {
    lower.starts_with(start).then(|| text.get(start.len()..)).flatten()
}

/// How programs begin the path of a Unix domain socket: nginx and gunicorn, HAProxy, Caddy.
const STARTS: [&str; 5] = ["unix:", "unix@", "unix/", "uxst@", "uxdg@"];
