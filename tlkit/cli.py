"""The `tlkit` command: each subcommand is one call into the package."""

import argparse
import codecs
import io
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

STOPPED, UNREAD = 130, 141  # what a shell makes of SIGINT and SIGPIPE
PLAIN = {"✓": "+", "✕": "x", "−": "-", "×": "x"}  # where the output's encoding lacks a sign


def main(arguments: list[str] | None = None) -> int:
    """Run the command.

    Returns:
        Its exit status: 0; 1 when what was tried failed, such as a claim; 2 for a mistake in the call, or a file that
        cannot be read or written; 3 when no kernel starts, so that nothing could be tried.
    """
    codecs.register_error("tlkit", _plainly)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="tlkit")
    try:
        status = _main(arguments)
        print(end="", flush=True)
        return status
    except BrokenPipeError:  # whoever read the output has enough, as in `tlkit lessons | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNREAD


def _main(arguments: list[str] | None) -> int:
    try:
        options = _parser().parse_args(arguments)
        if options.command in (_lab, _run, _doctor):
            _require_home()
        if options.command in (_lab, _lessons, _run):  # what they leave out is named first
            from tlkit.lessons.course import survey

            for reason in survey()[1].values():
                print(f"tlkit: {reason}", file=sys.stderr)
        return options.command(options)
    except BrokenPipeError:
        raise
    except (ValueError, OSError) as error:
        print(f"tlkit: {error}", file=sys.stderr)
        return 3 if isinstance(error, ChildProcessError) else 2
    except KeyboardInterrupt:
        return STOPPED


def _plainly(error: UnicodeError) -> tuple[str, int]:
    """What is printed instead of signs that the output's encoding does not have: a tick is not worth a traceback."""
    assert isinstance(error, UnicodeEncodeError)
    return "".join(PLAIN.get(sign, "?") for sign in error.object[error.start : error.end]), error.end


def _require_home() -> None:
    """Refuse to start Jupyter where it would end in a traceback: it keeps what it needs in the home folder."""
    try:
        Path.home()
    except RuntimeError as error:
        reason = str(error).rstrip(".")
        raise ValueError(
            f"Jupyter has no home folder for its files ({reason}); set HOME to one you may write to"
        ) from error


def _parser() -> argparse.ArgumentParser:
    from tlkit import __version__
    from tlkit.lessons.scales import SCALES, scale

    parser = argparse.ArgumentParser(prog="tlkit", description="A teaching kit for transfer learning.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    lab = commands.add_parser("lab", help="open the lessons in JupyterLab")
    lab.add_argument("--folder", type=_path, help="where the copies go (default: tlkit-lessons, teachers' their own)")
    lab.add_argument("--teacher", action="store_true", help="keep the solutions of the exercises")
    lab.add_argument("--port", type=int, help="the port to listen on (default: the first free one from 8888)")
    lab.add_argument("--no-browser", action="store_true", help="only print the address")
    lab.set_defaults(command=_lab)

    lessons = commands.add_parser("lessons", help="list the lessons")
    lessons.add_argument("--json", action="store_true", help="as JSON")
    lessons.set_defaults(command=_lessons)

    run = commands.add_parser("run", help="run lessons without a browser and report their claims")
    run.add_argument("lesson", nargs="+", help="a lesson's name or number, or a notebook's path")
    run.add_argument("--scale", choices=SCALES, default=scale(), help="default: %(default)s")
    run.add_argument("--json", type=_path, metavar="FILE", help="write the results to a file")
    run.add_argument("--html", type=_path, metavar="DIR", help="write the executed pages to a folder")
    run.add_argument("--record", action="store_true", help="measure the recorded results of the lessons anew")
    run.set_defaults(command=_run)

    doctor = commands.add_parser("doctor", help="try what the lessons need on this machine")
    doctor.set_defaults(command=_doctor)

    data = commands.add_parser("data", help="list real data sets, fetch them, or check their files")
    data.add_argument("action", choices=("list", "fetch", "check"))
    data.add_argument("name", nargs="*", help="a data set's name (default: all; fetch needs one)")
    data.set_defaults(command=_data)
    return parser


def _path(text: str) -> Path:
    """A path; `~` is the home folder, also where the shell leaves it, as in --folder=~/course."""
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise argparse.ArgumentTypeError(f"{text}: {error}") from error


def _lab(options: argparse.Namespace) -> int:
    from tlkit.lessons.copies import make_copies, older_copies, usual_folder
    from tlkit.lessons.headless import lab_environment
    from tlkit.lessons.scales import scale

    if options.port:
        _try_port(options.port)
    folder = options.folder or usual_folder(options.teacher)
    before = set(folder.glob("*.ipynb"))
    if not (paths := make_copies(folder, options.teacher)):
        raise ValueError("there is no lesson to open; `tlkit doctor` says what is wrong")
    if fresh := sorted(path.name for path in {*folder.glob("*-fresh*.ipynb")} - before):
        print(f"Your edited lessons stay as they are; a fresh copy stands beside each: {', '.join(fresh)}")
    if older := older_copies(folder):
        print(f"Of an older tlkit, so some names in them have changed (CHANGELOG says which): {', '.join(older)}")
    # -P: a learner's file random.py in this folder is no module of JupyterLab's. Kernels start as JupyterLab starts
    # them everywhere: the lesson's folder can be imported from, behind Python's own modules.
    command = [sys.executable, "-P", "-m", "jupyterlab", f"--ServerApp.root_dir={folder.resolve()}"]
    command.append(f"--LabApp.default_url=/lab/tree/{paths[0].name}")
    command += [f"--port={options.port}", "--port-retries=0"] if options.port else []
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        print("You are root, so the notebooks run with root's rights: open only lessons that you trust.")
        command.append("--allow-root")
    screen = sys.platform in ("darwin", "win32") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if options.no_browser or not screen:
        print("Open the address below in a browser; it holds the key. Stop with Ctrl-C, twice.")
        command.append("--no-browser")
    return _become(command, lab_environment(scale()))


def _become(command: list[str], environment: dict[str, str]) -> int:
    """Give this process to JupyterLab, so that Ctrl-C is its to answer; where that cannot be done, wait for it."""
    if os.name == "posix":
        sys.stdout.flush()
        os.execve(command[0], command, environment)
    started = subprocess.Popen(command, env=environment)
    while True:
        try:
            return started.wait()
        except KeyboardInterrupt:  # JupyterLab asks whether it is meant
            continue


def _try_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError:
            raise ValueError(f"port {port} is not open to you; take one from 1024 on, or leave --port out") from None
        except OSError:
            raise ValueError(
                f"port {port} is in use; leave --port out and a free one is taken, or end what has it"
            ) from None
        except OverflowError:
            raise ValueError(f"there is no port {port}; ports are numbered up to 65535") from None


def _lessons(options: argparse.Namespace) -> int:
    from tlkit.lessons.course import ABOUT, catalogue

    lessons = catalogue()
    if options.json:
        entries = [{key: getattr(lesson, key) for key in ("name", *ABOUT)} for lesson in lessons]
        print(json.dumps(entries, indent=1))
        return 0
    for lesson in lessons:
        print(f"{lesson.name:32} {lesson.minutes:3} min  {lesson.question}")
    return 0


def _run(options: argparse.Namespace) -> int:
    from tlkit.files import is_stream, write_whole
    from tlkit.lessons.course import catalogue, find
    from tlkit.lessons.headless import run_lesson

    lessons = [find(name) for name in options.lesson]
    names = [lesson.name for lesson in lessons]
    if options.record and (others := [lesson.path.name for lesson in lessons if lesson not in catalogue()]):
        raise ValueError(f"{others[0]} is not a lesson of the course; only those keep recorded results")
    if options.html and (twice := sorted({name for name in names if names.count(name) > 1})):
        raise ValueError(f"two of these lessons are called {twice[0]}, and so would be their pages; run each by itself")
    pages = [options.html / f"{name}.html" for name in names] if options.html else []
    for path in [options.json, *pages] if options.json else pages:
        _try_to_write(path)
    entries = []

    def keep() -> None:
        if options.json and entries:
            write_whole(options.json, json.dumps(entries, indent=1) + "\n")

    try:
        for lesson in lessons:
            print(f"{lesson.name} at {options.scale}: {lesson.question}", flush=True)
            entries.append(entry := run_lesson(lesson, options.scale, options.html, options.record))
            for claim in entry["claims"]:
                print("  " + _sentence(claim))
            failure = f"\n  FAILED {entry['error']}" if "error" in entry else ""
            print(f"  {entry['seconds']:.0f} s on {entry['device']}{failure}", flush=True)
            if options.json and not is_stream(options.json):  # whoever reads a pipe expects one list
                keep()
    finally:
        keep()
    failed = any("error" in entry or any(c["holds"] is False for c in entry["claims"]) for entry in entries)
    return 1 if failed else 0


def _data(options: argparse.Namespace) -> int:
    from tlkit.data.torchvision_data import DATA_SETS, EMBEDDED, canonical_name, check, describe, make_ready

    if options.action == "fetch" and not options.name:
        raise ValueError(f"say what to fetch: {', '.join(DATA_SETS)}")
    status, names = 0, [*EMBEDDED, *DATA_SETS]
    for name in [canonical_name(name, names) for name in options.name] or names:
        try:
            words = {"list": describe, "fetch": make_ready, "check": check}[options.action](name)
        except OSError as error:
            words, status = str(error), 1
        print(f"{name:13} {words}", flush=True)
    return status


def _try_to_write(path: Path) -> None:
    """Refuse, before the hours of work, what could not be written after them."""
    from tlkit.files import destination

    try:
        destination(path)
    except OSError as error:
        raise ValueError(f"{path} cannot be written ({error.strerror}); name another, nothing has run yet") from error


def _sentence(claim: dict) -> str:
    word = {True: "holds", False: "DOES NOT HOLD", None: "undecided"}[claim["holds"]]
    if claim["difference"] is None:
        return f"{word}: {claim['text']}"
    form, unit = (".3f", "") if "unit" in claim else (".1f", " points")
    ends = "" if claim["low"] is None else f" ({claim['low']:+{form}} to {claim['high']:+{form}})"
    return f"{word}: {claim['text']}: {claim['difference']:+{form}}{ends}{unit}, {claim['seeds']} seeds"


def _doctor(options: argparse.Namespace) -> int:
    from tlkit.lessons.readiness import Diagnosis, findings

    found = []
    for finding in findings():  # shown as they are made: a kernel may take a while
        print(finding, flush=True)
        found.append(finding)
    diagnosis = Diagnosis(tuple(found))
    print(diagnosis.conclusion)
    return 1 if diagnosis.broken else 0
