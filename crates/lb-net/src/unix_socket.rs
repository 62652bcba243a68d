use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use std::fmt;
use std::fs::{self, File, Permissions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, lchown};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where the socket is and who may use it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnixSocketOptions {
    /// The file.
    pub path: PathBuf,
    /// Its permissions: `0o600` lets in its owner alone.
    pub mode: u32,
    /// Its group, by name or number; without it the process's own, or that of a folder which passes its own on (setgid).
    pub group: Option<String>,
    /// Connections that wait to be accepted; the kernel caps their number at `net.core.somaxconn`.
    pub backlog: u32,
}

impl UnixSocketOptions {
    /// A socket for its owner alone.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            mode: 0o600,
            group: None,
            backlog: 128,
        }
    }

    /// The same with other permissions.
    #[must_use]
    pub fn with_mode(mut self, mode: u32) -> Self {
        self.mode = mode;
        self
    }

    /// The same with so many connections that may wait.
    #[must_use]
    pub fn with_backlog(mut self, backlog: u32) -> Self {
        self.backlog = backlog;
        self
    }

    /// The same for a group.
    #[must_use]
    pub fn with_group(mut self, group: Option<&str>) -> Self {
        self.group = group.map(str::to_owned);
        self
    }
}

/// A listening Unix socket in the file system. Its file goes when it is dropped, unless another process has replaced it.
///
/// The file appears under its name with its permissions already set: at no moment can anybody else connect. A file that
/// a dead process left behind is replaced.
#[derive(Debug)]
pub struct UnixSocket {
    options: UnixSocketOptions,
    listener: OwnedFd,
    /// Device and number of the file.
    file: (u64, u64),
    /// Its group when none is asked for: the process's own, or that of a folder which passes its own on.
    own_group: u32,
}

impl UnixSocket {
    /// Listens. Blocks for a moment at most.
    ///
    /// # Errors
    /// [`UnixSocketError`]: when another program answers there, when something else than a socket lies there, or when the
    /// folder, the group or the permissions do not allow it.
    pub fn open(options: &UnixSocketOptions) -> Result<Self, UnixSocketError> {
        Self::open_over(options, |_| false)
    }

    /// As [`UnixSocket::open`], also in the place of a program that answers there and `gives_way`.
    ///
    /// # Errors
    /// [`UnixSocketError`]: when another program answers there, when something else than a socket lies there, or when the
    /// folder, the group or the permissions do not allow it.
    pub fn open_over(
        options: &UnixSocketOptions,
        gives_way: impl Fn(&UnixStream) -> bool,
    ) -> Result<Self, UnixSocketError> {
        let path = &options.path;
        let wrong = |doing: &'static str| {
            move |error: io::Error| UnixSocketError::Io {
                path: path.clone(),
                doing,
                error,
            }
        };
        if path.as_os_str().len() > LONGEST_PATH {
            return Err(UnixSocketError::TooLong {
                path: path.clone(),
                length: path.as_os_str().len(),
            });
        }
        let group = options.group.as_deref().map(group_id).transpose()?;
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        if !folder.is_dir() {
            return Err(UnixSocketError::NoFolder {
                path: path.clone(),
                folder: folder.to_owned(),
            });
        }
        // Two programs that start at once must not both find the place free.
        let lock = lock(folder);
        look(path, gives_way)?;
        // Made beside its place, so that what appears there is complete.
        let fresh = folder.join(format!(".lbd-{}", std::process::id()));
        let _ = fs::remove_file(&fresh);
        let made = make(&fresh, options, group).and_then(|(listener, own_group)| {
            let about = fs::symlink_metadata(&fresh)?;
            fs::rename(&fresh, path)?;
            Ok((listener, (about.dev(), about.ino()), own_group))
        });
        drop(lock);
        let (listener, file, own_group) = made.map_err(|error| {
            let _ = fs::remove_file(&fresh);
            wrong("create")(error)
        })?;
        Ok(Self {
            options: options.clone(),
            listener,
            file,
            own_group,
        })
    }

    /// Changes permissions and group, if the path is the same; says whether it is.
    ///
    /// # Errors
    /// [`UnixSocketError`] when the group is not known or the file system refuses. The path is the same then, and so is who
    /// may use it; should the file system refuse that too, fewer may.
    pub fn adapt(&mut self, options: &UnixSocketOptions) -> Result<bool, UnixSocketError> {
        if self.options.path != options.path {
            return Ok(false);
        }
        let group = options.group.as_deref().map(group_id).transpose()?;
        if self.is_in_place() {
            let before = &self.options;
            let had = fs::symlink_metadata(&before.path).map(|about| about.gid());
            let changed = had.and_then(|had| {
                change(before, options, group.unwrap_or(self.own_group)).inspect_err(|_| {
                    let _ = change(options, before, had);
                })
            });
            changed.map_err(|error| UnixSocketError::Io {
                path: options.path.clone(),
                doing: "change",
                error,
            })?;
        }
        self.options = options.clone();
        Ok(true)
    }

    /// What it was made with.
    #[must_use]
    pub const fn options(&self) -> &UnixSocketOptions {
        &self.options
    }

    /// What connections are accepted from. Call it inside a tokio runtime.
    ///
    /// # Errors
    /// When the process has no descriptor left.
    pub fn listener(&self) -> io::Result<tokio::net::UnixListener> {
        let listener = std::os::unix::net::UnixListener::from(self.listener.try_clone()?);
        tokio::net::UnixListener::from_std(listener)
    }

    /// Another descriptor of the socket.
    ///
    /// # Errors
    /// When the process has no descriptor left.
    pub fn descriptor(&self) -> io::Result<OwnedFd> {
        self.listener.try_clone()
    }

    /// Is the file under our path still the one we made?
    #[must_use]
    pub fn is_in_place(&self) -> bool {
        fs::symlink_metadata(&self.options.path).is_ok_and(|about| (about.dev(), about.ino()) == self.file)
    }
}

impl Drop for UnixSocket {
    fn drop(&mut self) {
        if self.is_in_place() {
            let _ = fs::remove_file(&self.options.path);
        }
    }
}

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnixSocketError {
    /// Somebody answers there.
    #[error("cannot create {}: another program answers there; stop it, or give this one a path of its own", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// Something else lies there.
    #[error("cannot create {}: there is a {what} of this name, which is left alone; remove it or choose another path", path.display())]
    NoSocket {
        /// The file.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// There is no folder for it.
    #[error("cannot create {}: there is no folder {}; create it (systemd: RuntimeDirectory=lbd) or choose another path", path.display(), folder.display())]
    NoFolder {
        /// The file.
        path: PathBuf,
        /// Where it would lie.
        folder: PathBuf,
    },
    /// A socket's path has few bytes.
    #[error("cannot create {}: the path has {length} bytes, a socket's has at most {LONGEST_PATH}", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// Its length.
        length: usize,
    },
    /// No such group.
    #[error("there is no group {name:?}: use a name from /etc/group or a number")]
    NoGroup {
        /// The name.
        name: String,
    },
    /// The system refuses.
    #[error("cannot {doing} {}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What we were about to do.
        doing: &'static str,
        /// What the system said.
        error: io::Error,
    },
}

/// Makes sure that nothing under this name is somebody's.
fn look(path: &Path, gives_way: impl Fn(&UnixStream) -> bool) -> Result<(), UnixSocketError> {
    let about = match fs::symlink_metadata(path) {
        Ok(about) => about,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => {
            return Err(UnixSocketError::Io {
                path: path.to_owned(),
                doing: "look at",
                error,
            });
        }
    };
    let kind = about.file_type();
    if !kind.is_socket() {
        let what = match kind {
            _ if kind.is_dir() => "folder",
            _ if kind.is_symlink() => "symbolic link",
            _ => "file",
        };
        return Err(UnixSocketError::NoSocket {
            path: path.to_owned(),
            what,
        });
    }
    match connect_at_once(path) {
        // The process that made it is dead.
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
        // It went away meanwhile.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Ok(stream) if gives_way(&stream) => Ok(()),
        _ => Err(UnixSocketError::InUse { path: path.to_owned() }),
    }
}

/// Connects without waiting: the backlog of whoever listens may be full, and he may never look at it.
fn connect_at_once(path: &Path) -> io::Result<UnixStream> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    rustix::net::connect(&socket, &SocketAddrUnix::new(path)?)?;
    let stream = UnixStream::from(socket);
    stream.set_nonblocking(false)?;
    Ok(stream)
}

/// A listening socket under a fresh name, with its permissions from the first moment, and the group it has without one
/// being asked for.
fn make(path: &Path, options: &UnixSocketOptions, group: Option<u32>) -> io::Result<(OwnedFd, u32)> {
    let mode = options.mode;
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    // Linux makes the file with the permissions that the socket has before it is bound.
    rustix::fs::fchmod(&socket, rustix::fs::Mode::from_raw_mode(mode & 0o600))?;
    rustix::net::bind(&socket, &SocketAddrUnix::new(path)?)?;
    let own_group = fs::symlink_metadata(path)?.gid();
    if group.is_some() {
        lchown(path, None, group)?;
    }
    // Last, so that nobody but the group gets what the group may.
    fs::set_permissions(path, Permissions::from_mode(mode))?;
    rustix::net::listen(&socket, i32::try_from(options.backlog).unwrap_or(i32::MAX))?;
    Ok((socket, own_group))
}

/// Gives a file that had these permissions and this group others; `group`: the number of the new one.
fn change(from: &UnixSocketOptions, to: &UnixSocketOptions, group: u32) -> io::Result<()> {
    // Nobody of the old group may come in with the new permissions, nor the other way round.
    fs::set_permissions(&to.path, Permissions::from_mode(from.mode & to.mode))?;
    if from.group != to.group {
        lchown(&to.path, None, Some(group))?;
    }
    fs::set_permissions(&to.path, Permissions::from_mode(to.mode))
}

/// The folder's lock, held by whoever makes a socket in it; the system frees it with the descriptor.
///
/// Where it cannot be had (some file systems know no locks), two programs that start in the same moment are not told
/// apart.
fn lock(folder: &Path) -> Option<File> {
    let folder = File::open(folder).ok()?;
    for _ in 0..LOCK_TRIES {
        match folder.try_lock() {
            Ok(()) => return Some(folder),
            Err(fs::TryLockError::WouldBlock) => std::thread::park_timeout(LOCK_PAUSE),
            Err(fs::TryLockError::Error(_)) => break,
        }
    }
    None
}

/// The number of a group.
fn group_id(name: &str) -> Result<u32, UnixSocketError> {
    if let Ok(number) = name.parse() {
        return Ok(number);
    }
    let groups = fs::read_to_string("/etc/group").unwrap_or_default();
    group_in(&groups, name).ok_or_else(|| UnixSocketError::NoGroup { name: name.to_owned() })
}

/// The number of a group in the text of /etc/group: `name:password:number:members`.
fn group_in(groups: &str, name: &str) -> Option<u32> {
    let line = groups.lines().find(|line| {
        line.split(':')
            .next()
            .is_some_and(|first| first == name && !first.is_empty())
    })?;
    line.split(':').nth(2)?.parse().ok()
}

impl fmt::Display for UnixSocketOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (mode {:04o}", self.path.display(), self.mode)?;
        if let Some(group) = &self.group {
            write!(f, ", group {group}")?;
        }
        f.write_str(")")
    }
}

/// `sun_path` has 108 bytes with the zero behind it (unix(7)); the fresh name beside it may be longer than the name.
const LONGEST_PATH: usize = 90;
/// Whoever makes a socket holds the lock for less than a millisecond, or while somebody who is there is asked.
const LOCK_TRIES: usize = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(10);
