//! Compilation: off the event loop, in a process of its own that can be stopped, bounded in time and memory.
//!
//! A compiler can't be interrupted and its appetite can't be known beforehand. So the server has a second process of its own
//! program compile into the cache, and takes the result from there.

use super::engine::engine;
use super::load::Refusal;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use wasmtime::Engine;
use wasmtime::component::Component;

/// How long a compilation may take.
const DEADLINE: Duration = Duration::from_secs(120);
/// What it may take of memory.
const MEMORY_MAX: u64 = 4 << 30;
/// The verb by which the program compiles for another process of itself.
pub const VERB: &str = "compile-sink";

/// Where guests are compiled.
#[derive(Clone, Debug)]
pub enum Compiler {
    /// In this process: for tools that end with their task, and can be ended.
    Here,
    /// In another process.
    Worker {
        /// The program: this one.
        program: PathBuf,
        /// The cache that both use.
        cache: PathBuf,
    },
}

impl Compiler {
    /// A worker that runs this program again.
    pub fn worker(cache: PathBuf) -> Self {
        // The link leads to the program that runs, even if another has taken its place on the disk.
        let own = PathBuf::from("/proc/self/exe");
        let program = if own.exists() { own } else { std::env::current_exe().unwrap_or(own) };
        Self::Worker { program, cache }
    }

    pub(super) fn compile(&self, engine: &Engine, component: &[u8]) -> Result<Component, Refusal> {
        if let Self::Worker { program, cache } = self {
            run(program, cache, component)?;
        }
        Component::new(engine, component).map_err(|e| Refusal::new(format!("it can't be compiled: {e:#}")))
    }
}

fn run(program: &Path, cache: &Path, component: &[u8]) -> Result<(), Refusal> {
    let failed = |e: std::io::Error| Refusal::new(format!("the process that compiles can't be run: {e}"));
    let mut child = Command::new(program)
        .arg(VERB)
        .arg(cache)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let (stdin, stderr) = (child.stdin.take(), child.stderr.take());
    let (status, said) = std::thread::scope(|scope| {
        // It reads all before it says anything. That it ends early shows in how it ends.
        scope.spawn(move || stdin.map(|mut pipe| pipe.write_all(component)));
        let said = scope.spawn(move || {
            let mut text = String::new();
            let read = stderr.map(|pipe| pipe.take(64 << 10).read_to_string(&mut text));
            read.and_then(Result::ok);
            text
        });
        let status = ended(&mut child);
        (status, said.join().unwrap_or_default())
    });
    match status.map_err(failed)? {
        None => Err(Refusal::new(format!("it takes more than {} s to compile", DEADLINE.as_secs()))),
        Some(status) if status.success() => Ok(()),
        Some(status) => {
            let said = said.lines().last().map(str::trim).filter(|line| !line.is_empty());
            let why = said.map_or_else(|| format!("the compiler ended with {status}"), ToOwned::to_owned);
            Err(Refusal::new(format!("it can't be compiled: {why}")))
        }
    }
}

/// How the child ended; nothing if it had to be ended.
fn ended(child: &mut Child) -> std::io::Result<Option<std::process::ExitStatus>> {
    let until = Instant::now() + DEADLINE;
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= until {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

/// What the worker does: compiles standard input into the cache.
///
/// # Errors
/// A line that says why not.
pub fn work(cache: &Path) -> Result<(), String> {
    use nix::sys::resource::{Resource, setrlimit};
    let seconds = DEADLINE.as_secs() * 2;
    setrlimit(Resource::RLIMIT_DATA, MEMORY_MAX, MEMORY_MAX)
        .map_err(|e| format!("its memory can't be limited: {e}"))?;
    setrlimit(Resource::RLIMIT_CPU, seconds, seconds).map_err(|e| format!("its time can't be limited: {e}"))?;
    let mut component = Vec::new();
    std::io::stdin().lock().read_to_end(&mut component).map_err(|e| e.to_string())?;
    // It runs nothing.
    let engine = engine(Some(cache.to_owned()), 1)?;
    Component::new(&engine, &component).map(drop).map_err(|e| format!("{e:#}").replace('\n', " "))
}
