//! The files of one folder of the log.
//!
//! This is our own code because no known library rotates files both by size and by day, cuts off an
//! incomplete last line, and continues by itself after its folder was removed or its disk was full.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use same_file::Handle;

/// The extension of each file.
const EXTENSION: &str = "jsonl";

/// The files of one folder.
pub(super) struct Stream {
    folder: PathBuf,
    file_bytes: u64,
    files: usize,
    max_age: Option<Duration>,
    open: Option<Open>,
}

/// The file that is being written to.
struct Open {
    file: Handle,
    path: PathBuf,
    /// The day in the name of the file, as a number of days since 1970.
    day: u64,
    /// The length of the complete lines in the file, in bytes.
    length: u64,
}

impl Stream {
    pub(super) fn new(
        folder: PathBuf,
        file_bytes: u64,
        files: usize,
        max_age: Option<Duration>,
    ) -> Self {
        Self { folder, file_bytes, files, max_age, open: None }
    }

    /// Appends complete lines: all of them, or none if that fails.
    pub(super) fn append(&mut self, lines: &[u8], now: SystemTime) -> io::Result<()> {
        let open = self.ready(now)?;
        match open.file.as_file_mut().write_all(lines) {
            Ok(()) => {
                open.length += lines.len() as u64;
                Ok(())
            }
            Err(error) => {
                // A part that was written would be an incomplete line in the middle of the file.
                let cut = open.file.as_file().set_len(open.length);
                if cut.is_err() {
                    self.open = None;
                }
                Err(error)
            }
        }
    }

    /// Has the system write the open file to the disk.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.open.as_ref().map_or(Ok(()), |open| open.file.as_file().sync_data())
    }

    /// Returns the file to write to. A new one is opened if the open one is full, of another day,
    /// or removed.
    fn ready(&mut self, now: SystemTime) -> io::Result<&mut Open> {
        let day = day(now);
        let full =
            self.open.as_ref().is_some_and(|it| it.length >= self.file_bytes || it.day != day);
        if full || self.open.as_ref().is_some_and(Open::is_gone) {
            self.open = None;
        }
        if self.open.is_none() {
            fs::create_dir_all(&self.folder)?;
            let open = self.open_last(day, full)?;
            self.open = Some(open);
            self.remove_old(now);
        }
        self.open.as_mut().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Opens the last file of the day, or the next one if the last one is full or locked by another
    /// writer.
    fn open_last(&self, day: u64, next: bool) -> io::Result<Open> {
        let date = date(day);
        let own = self.known().into_iter().filter(|file| file.date == date);
        let mut number =
            own.map(|file| file.number).max().map_or(0, |last| last.saturating_add(next.into()));
        loop {
            let open = Open::at(self.folder.join(format!("{date}.{number:04}.{EXTENSION}")), day)?;
            match open {
                Some(open) if open.length < self.file_bytes => return Ok(open),
                _ => number = number.checked_add(1).ok_or(io::ErrorKind::StorageFull)?,
            }
        }
    }

    /// Returns the files in the folder, the oldest first. Files with other names are ignored.
    fn known(&self) -> Vec<Known> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let mut known: Vec<_> = entries.filter_map(|entry| Known::of(entry.path())).collect();
        known.sort();
        known
    }

    /// Removes surplus and old files. A file that cannot be removed stays.
    fn remove_old(&self, now: SystemTime) {
        let mut known = self.known();
        // Files of future days come from a clock that was ahead. They are removed first, or else
        // they would stay for ever.
        let today = date(day(now));
        known.sort_by_key(|file| file.date <= today);
        let written = self.open.as_ref().map(|open| open.path.as_path());
        let surplus = known.len().saturating_sub(self.files);
        for (i, Known { path, .. }) in known.iter().enumerate() {
            let age = fs::metadata(path).and_then(|it| it.modified()).ok();
            let age = age.and_then(|changed| now.duration_since(changed).ok());
            let old = self.max_age.zip(age).is_some_and(|(limit, age)| age > limit);
            if (i < surplus || old) && written != Some(path.as_path()) {
                let _kept = fs::remove_file(path);
            }
        }
    }
}

/// A file in the folder, by its name: `2026-11-25.0000.jsonl`.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Known {
    date: String,
    number: u32,
    path: PathBuf,
}

impl Known {
    fn of(path: PathBuf) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let (date, number) = name.strip_suffix(EXTENSION)?.strip_suffix('.')?.split_once('.')?;
        let is_date = date.len() == 10 && date.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        let (date, number) = (date.to_owned(), number.parse().ok().filter(|_| is_date)?);
        Some(Self { date, number, path })
    }
}

impl Open {
    /// Opens a file; `None` if another monitor or process writes to it.
    fn at(path: PathBuf, day: u64) -> io::Result<Option<Self>> {
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let length = whole_lines(&mut file)?;
        file.set_len(length)?;
        let file = Handle::from_file(file)?;
        Ok(Some(Self { file, path, day, length }))
    }

    /// Whether the file was removed or replaced.
    fn is_gone(&self) -> bool {
        Handle::from_path(&self.path).map_or(true, |there| there != self.file)
    }
}

/// Returns the length of a file up to its last newline. Anything after that is an incomplete line.
fn whole_lines(file: &mut File) -> io::Result<u64> {
    let mut end = file.seek(SeekFrom::End(0))?;
    let mut chunk = [0; 4096];
    while end > 0 {
        let start = end.saturating_sub(chunk.len() as u64);
        // The difference fits, since a chunk is 4 KiB.
        let part = &mut chunk[..(end - start) as usize];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(part)?;
        if let Some(at) = part.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

/// The number of days since 1970.
fn day(now: SystemTime) -> u64 {
    now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() / 86_400)
}

/// The date of a day, in UTC.
fn date(day: u64) -> String {
    let time = UNIX_EPOCH + Duration::from_secs(day * 86_400);
    let mut date = humantime::format_rfc3339_seconds(time).to_string();
    date.truncate("2026-11-25".len());
    date
}
