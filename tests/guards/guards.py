#!/usr/bin/python3
"""Takes each guard away and sees its test fail. README.md says how, and what a record holds.

    guards.py                 the whole campaign: build/guards/{summary.json,table.md}
    guards.py --only ID ...   some of it; a shell pattern is good as well
    guards.py --check         whether the list is true of the sources; builds nothing
    guards.py --table         writes tests/guards/TABLE.md from the list
"""

import argparse
import fnmatch
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
OUT = ROOT / "build" / "guards"
TREE = OUT / "tree"
TABLE = HERE / "TABLE.md"
SWITCH = "NOVACRON_GUARD_AWAY"
FIELDS = {"id", "against", "file", "text", "within", "without", "include", "constant", "switch",
          "flag", "test", "red", "command", "seconds"}

# At the beginning of each file that was changed. Which guard is away is asked at run time, so
# that each file is compiled once for all of its guards.
PRELUDE = f"""#include <cstdlib>
#ifndef {SWITCH}
#define {SWITCH}
inline bool novacron_guard_is_away(const char* id) {{
  const char* away = std::getenv("{SWITCH}");
  return away != nullptr && __builtin_strcmp(away, id) == 0;
}}
#endif
"""


class Problem(Exception):
    pass


# -- the list ------------------------------------------------------------------------

def load():
    guards = []
    for file in sorted(HERE.glob("*.toml")):
        with open(file, "rb") as source:
            guards += tomllib.load(source)["guard"]
    return guards


def place_of(guard):
    """What is to be found once in the file."""
    return guard.get("within", guard["text"])


def case_of(guard):
    """Which test it is, for people."""
    return guard["red"] if "red" in guard else " ".join(guard["command"])


def switched(guard):
    """The guard has a switch of its own, and needs no change of the source."""
    return "switch" in guard or "flag" in guard


def problems(guards):
    """What is wrong with the list: it must be true of the sources as they are now."""
    cases = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("*_test.cpp"))
    cases = re.sub(r'"\s*\n\s*"', "", cases)
    seen = set()
    for guard in guards:
        name = guard.get("id", "?")
        missing = {"id", "against", "file", "text", "test"} - guard.keys()
        unknown = guard.keys() - FIELDS
        if missing or unknown:
            yield f"{name}: lacks {sorted(missing)}, has unknown {sorted(unknown)}"
            continue
        if name in seen:
            yield f"{name}: stands there twice"
        seen.add(name)
        path = ROOT / guard["file"]
        found = path.read_text().count(place_of(guard)) if path.exists() else 0
        if found != 1 or place_of(guard).count(guard["text"]) != 1:
            yield f"{name}: its text is {found} times in {guard['file']}, not once"
        if switched(guard) == ("without" in guard):
            yield f"{name}: needs one of `without`, `switch` and `flag`"
        if guard.get("without") == guard["text"]:
            yield f"{name}: takes nothing away"
        if "red" in guard and f'"{guard["red"]}"' not in cases:
            yield f"{name}: there is no test \"{guard['red']}\""
        if ("red" in guard) == ("command" in guard):
            yield f"{name}: needs `red`, a case of `test`, or a `command`"
    try:
        sources([guard for guard in guards if "without" in guard])
    except (Problem, KeyError) as why:
        yield str(why)


# -- a copy of the sources, changed ---------------------------------------------------

def changed(guard):
    """The text with its guard in place or away, as the switch says."""
    text, without = guard["text"], guard["without"]
    away = f'novacron_guard_is_away("{guard["id"]}")'
    if guard.get("constant"):
        away = f"!__builtin_is_constant_evaluated() && {away}"
    if text.rstrip().endswith(";") or (text.rstrip().endswith("}") and ";" in text):
        return f"{{ if ({away}) {{\n{without}\n}} else {{\n{text}\n}} }}"
    return f"({away} ? ({without}) : ({text}))"


def sources(guards):
    """Every file of the repository by its path, with `guards` made switchable."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT,
                            check=True, capture_output=True, text=True).stdout
    files = {name: (ROOT / name).read_bytes() for name in listed.split("\0")
             if name and (ROOT / name).is_file()}
    for name in {guard["file"] for guard in guards}:
        text = files[name].decode()
        mine = [guard for guard in guards if guard["file"] == name]
        for guard in mine:
            place = place_of(guard)
            if text.count(place) != 1:
                raise Problem(f"{guard['id']}: not there once, beside the others' changes")
            text = text.replace(place, place.replace(guard["text"], changed(guard)))
        extra = "".join(f"#include <{header}>\n" for guard in mine
                        for header in guard.get("include", []))
        files[name] = (PRELUDE + extra + "#line 1\n" + text).encode()
    return files


def mirror(files):
    """Writes only what differs, so that only that is compiled again."""
    for name, content in files.items():
        path = TREE / name
        if not path.exists() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            path.chmod((ROOT / name).stat().st_mode)
    for path in TREE.rglob("*"):
        name = path.relative_to(TREE)
        if name.parts[0] != "build" and path.is_file() and str(name) not in files:
            path.unlink()


# -- building and running --------------------------------------------------------------

def run(command, seconds, environment=None, idle=False):
    """Its status (None: it took too long), and what it said."""
    if idle:
        command = ["chrt", "-i", "0", "ionice", "-c3", *command]
    child = subprocess.Popen(command, cwd=TREE, env={**os.environ, **(environment or {})},
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                             errors="replace", start_new_session=True)
    try:
        said, _ = child.communicate(timeout=seconds)
        return child.returncode, said
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        said, _ = child.communicate()
        return None, said


def build(targets, options):
    if not (TREE / "build" / "dev" / "build.ninja").exists():
        status, said = run(["cmake", "--preset", "dev"], 600, idle=options.idle)
        if status != 0:
            raise Problem(f"cannot configure {TREE}:\n{said[-3000:]}")
    status, said = run(["cmake", "--build", "--preset", "dev", "-j", str(options.jobs), "--target",
                        *sorted(targets), "--", "-k", "0"], 7200, idle=options.idle)
    if status != 0:
        errors = [line for line in said.splitlines() if ": error:" in line]
        raise Problem("does not build:\n" + "\n".join(errors or said.splitlines()[-20:]))


def binary(target):
    found = [path for path in (TREE / "build" / "dev" / "tests").rglob(target)
             if path.is_file() and os.access(path, os.X_OK)]
    if len(found) != 1:
        raise Problem(f"there is no program {target}")
    return str(found[0])


def command_of(guard, without=False):
    program = binary(guard["test"])
    if "command" in guard:
        return [program, *guard["command"], *(guard.get("flag", []) if without else [])]
    case = guard["red"].replace("\\\"", "?").replace(",", "?") # a comma would end the filter
    return [program, f"--test-case={case}", "--no-path-filenames=true"]


def tried(guard, options, without):
    """(red or green or why neither, seconds): the named test, with or without the guard."""
    began = time.monotonic()
    status, said = run(command_of(guard, without), guard.get("seconds", 60),
                       away(guard) if without else {}, options.idle)
    took = round(time.monotonic() - began, 1)
    (OUT / "said" / f"{guard['id']}.txt").write_text(said)
    if "red" in guard and re.search(r"test cases: +0 ", said):
        return "no such case", took
    if status == 0:
        return "green", took
    if status is None:
        return "red (too slow)", took
    return "red", took


def away(guard):
    """The environment in which it is."""
    if "flag" in guard:
        return {}
    name, value = guard.get("switch", f"{SWITCH}={guard['id']}").split("=", 1)
    return {name: value}


def campaign(guards, everything, options):
    (OUT / "said").mkdir(parents=True, exist_ok=True)
    results = []
    revision = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, check=True,
                              capture_output=True, text=True).stdout.strip()

    def note(guard, result, seconds=0.0):
        results.append({"id": guard["id"], "against": guard["against"], "file": guard["file"],
                        "test": guard["test"], "case": case_of(guard), "result": result,
                        "seconds": seconds, "revision": revision})
        print(f"{result:>16}  {guard['id']}", flush=True)
        report(results, everything)

    mirror(sources([guard for guard in everything if "without" in guard]))
    build({guard["test"] for guard in guards}, options)
    intact = {}
    for guard in guards:
        key = tuple(command_of(guard))
        if key not in intact:
            intact[key] = tried(guard, options, without=False)[0]
        if intact[key] == "green":
            note(guard, *tried(guard, options, without=True))
        else:
            note(guard, f"{intact[key]} with its guard")
    print(f"guards: {sum(is_red(each) for each in results)} of {len(results)} "
          f"red: {OUT / 'summary.json'}")
    return all(is_red(each) for each in results)


def is_red(result):
    """Its test failed without it, and was green with it."""
    return result["result"] in ("red", "red (too slow)")


def report(results, guards):
    """Tells what was tried now, beside what was tried before."""
    summary = OUT / "summary.json"
    before = json.loads(summary.read_text())["results"] if summary.exists() else []
    rows = {each["id"]: each for each in before}
    rows.update({each["id"]: each for each in results})
    rows = [rows[guard["id"]] for guard in guards if guard["id"] in rows]
    red = sum(is_red(each) for each in rows)
    summary.write_text(json.dumps({"guards": len(guards), "tried": len(rows), "red": red,
                                   "results": rows}, indent=1))
    lines = ["| guard | its test | without it | at |", "|---|---|---|---|"]
    lines += [f"| `{each['id']}` | {each['test']}, \"{each['case']}\" | {each['result']} "
              f"| {each['revision']} |" for each in rows]
    (OUT / "table.md").write_text("\n".join(lines) + "\n")


# -- the table in the repository ---------------------------------------------------------

def table(guards):
    lines = ["# Each guard, and the test that fails without it", "",
             "Made by `tests/guards/guards.py --table` from the lists beside it.", ""]
    for file in sorted({guard["file"] for guard in guards}):
        lines += [f"## `{file}`", "", "| guard | against | test that fails |", "|---|---|---|"]
        for guard in guards:
            if guard["file"] == file:
                lines.append(f"| `{guard['id']}` | {guard['against']} "
                             f"| `{guard['test']}`: {case_of(guard)} |")
        lines.append("")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", default=[], metavar="ID")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--idle", action="store_true", help="leave the machine to others")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    guards = load()
    wrong = list(problems(guards))
    if options.table and not wrong:
        TABLE.write_text(table(guards))
        return 0
    if options.check and not wrong and TABLE.read_text() != table(guards):
        wrong.append("TABLE.md isn't the list's any more: tests/guards/guards.py --table")
    for each in wrong:
        print(f"guards: {each}")
    if options.check or wrong:
        return 1 if wrong else 0
    wanted = [guard for guard in guards
              if any(fnmatch.fnmatch(guard["id"], each) for each in options.only or ["*"])]
    if not wanted:
        print(f"guards: none is called {' '.join(options.only)}")
        return 1
    try:
        return 0 if campaign(wanted, guards, options) else 1
    except Problem as why:
        print(f"guards: {why}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
