#!/usr/bin/env python3
"""Very many migrations at once: simulated guests, real agents. README.md says what is measured."""

import argparse
import concurrent.futures
import datetime
import http.client
import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = ROOT / "build" / "bench"
CONTROLLERS = 3
MESH, PAGES, API = 20000, 21000, 22000  # and the node's number
ASKERS = 16
HOSTS_AT_ONCE = 5  # that start: all of them together don't get through their handshakes
PATIENCE = 600  # seconds, for each step

NODE = """[node]
name = "{name}"
roles = [{roles}]
state = "{name}"
cluster = "cluster/cluster-id"
[mesh]
listen = "127.0.0.1:{mesh}"
controllers = [{controllers}]
[tls]
certificate = "cluster/{name}.pem"
key = "cluster/{name}.key"
authority = "cluster/ca.pem"
[log]
level = "warning"
file = "{name}.log"
"""
CONTROLLER = """[controller]
founders = "cluster/founders"
[gateway]
listen = "127.0.0.1:{api}"
tokens = "cluster/tokens"
"""
HOST = """[host]
hypervisor = "simulated"
page_listen = "127.0.0.1:{pages}"
vcpus = 64
memory_mib = 4096
migrations_at_once = {at_once}
[host.images.tick]
kernel = "/dev/null"
initrd = "/dev/null"
"""


class Failed(Exception):
    """What ends the bench, in one line."""


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def until(what, holds):
    """Waits for it, and says every ten seconds how far it is; `holds` gives (true?, how far)."""
    began = told = time.monotonic()
    while True:
        done, far = holds()
        now = time.monotonic()
        if done:
            return now - began
        if now - began > PATIENCE:
            raise Failed(f"{what}: {far} after {PATIENCE} s")
        if now - told >= 10:
            say(f"{what}: {far}")
            told = now
        time.sleep(0.2)


class Cluster:
    """Three controllers with gateways, and hosts, each a process of its own."""

    def __init__(self, folder, program, options):
        self.folder, self.program, self.children = folder, program, []
        self.hosts = [f"host-{n}" for n in range(1, options.hosts + 1)]
        controllers = [f"controller-{n}" for n in range(1, CONTROLLERS + 1)]
        self.names = controllers + self.hosts
        planned = [f"name={name},roles=controller+gateway" for name in controllers]
        planned += [f"name={name},roles=host" for name in self.hosts]
        subprocess.run([program, "cluster", "init", "--folder", folder / "cluster",
                        *(word for each in planned for word in ("--node", each))],
                       check=True, stdout=subprocess.DEVNULL)
        doors = ", ".join(f'"127.0.0.1:{MESH + n}"' for n in range(1, CONTROLLERS + 1))
        for number, name in enumerate(self.names, 1):
            leads = number <= CONTROLLERS
            text = NODE.format(name=name, mesh=MESH + number, controllers=doors,
                               roles='"controller", "gateway"' if leads else '"host"')
            text += CONTROLLER.format(api=API + number) if leads else \
                HOST.format(pages=PAGES + number, at_once=options.at_once)
            (folder / f"{name}.toml").write_text(text)
        self.token = (folder / "cluster" / "admin-token").read_text().strip()
        self.local = threading.local()

    def start(self, names):
        for name in names:
            log = open(self.folder / f"{name}.out", "wb")
            self.children.append(subprocess.Popen(
                [self.program, "node", "--config", self.folder / f"{name}.toml"],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL))
            log.close()

    def end(self):
        """Agents first, then the machines that they have left running."""
        for child in self.children:
            child.terminate()
        for child in self.children:
            try:
                child.wait(20)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        for pid in self.processes().values():
            for each in pid:
                os.kill(each, signal.SIGKILL)

    def processes(self):
        """Pids by what they are, of those whose command line names this folder."""
        found = {"controller": [], "agent": [], "machine": []}
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            try:
                line = (entry / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            words = line.split("\0")
            if str(self.folder) not in line or "novacron" not in words[0]:
                continue
            kind = "machine" if words[1] != "node" else \
                "agent" if "/host-" in line else "controller"
            found[kind].append(int(entry.name))
        return found

    def ask(self, method, path, body=None, key=None):
        """(status, document) of the first gateway that answers for good."""
        for attempt in range(200):
            number = 1 + attempt % CONTROLLERS
            try:
                connection = self.connection(number)
                headers = {"Authorization": f"Bearer {self.token}"}
                if key:
                    headers["Idempotency-Key"] = key
                connection.request(method, path, json.dumps(body) if body is not None else None,
                                   headers)
                reply = connection.getresponse()
                text = reply.read()
            except (OSError, http.client.HTTPException):
                self.local.connections.pop(number, None)
                time.sleep(0.1)
                continue
            if reply.status not in (429, 503, 504):
                return reply.status, json.loads(text) if text else None
            time.sleep(float(reply.headers.get("Retry-After", 0.2)))
        raise Failed(f"no gateway answers {method} {path}")

    def connection(self, number):
        if not hasattr(self.local, "connections"):
            self.local.connections = {}
        if number not in self.local.connections:
            self.local.connections[number] = http.client.HTTPConnection(
                "127.0.0.1", API + number, timeout=30)
        return self.local.connections[number]

    def list(self, what):
        items, cursor = [], ""
        while True:
            status, page = self.ask("GET", f"/api/v1/{what}?limit=1000{cursor}")
            if status != 200:
                raise Failed(f"can't list {what}: {page}")
            items += page["items"]
            if not page.get("next_cursor"):
                return items
            cursor = f"&cursor={page['next_cursor']}"


class Watch:
    """Memory and processor time of all processes while something goes on."""

    def __init__(self, cluster):
        self.cluster, self.over = cluster, threading.Event()
        self.most = {}
        self.before = self.seconds()
        self.thread = threading.Thread(target=self.look)
        self.thread.start()

    def seconds(self):
        ticks = os.sysconf("SC_CLK_TCK")
        found = {}
        for kind, pids in self.cluster.processes().items():
            for pid in pids:
                try:
                    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
                except OSError:
                    continue
                found[kind] = found.get(kind, 0) + (int(fields[11]) + int(fields[12])) / ticks
        return found

    def look(self):
        while not self.over.wait(3):
            for kind, pids in self.cluster.processes().items():
                kib = 0
                for pid in pids:
                    try:
                        text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
                    except OSError:
                        continue
                    kib += next((int(line.split()[1]) for line in text.splitlines()
                                 if line.startswith("Pss:")), 0)
                self.most[kind] = max(self.most.get(kind, 0), kib)

    def end(self):
        self.over.set()
        self.thread.join()
        after = self.seconds()
        return ({kind: round(kib / 1024, 1) for kind, kib in self.most.items()},
                {kind: round(after[kind] - self.before.get(kind, 0), 1) for kind in after})


def each(work, items):
    with concurrent.futures.ThreadPoolExecutor(ASKERS) as pool:
        return list(pool.map(work, items))


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def spread(seconds):
    """Of many times: average, median, the one that 95 of 100 stay below, and the largest."""
    seconds = sorted(seconds)
    if not seconds:
        return {}
    return {"average": round(statistics.fmean(seconds), 2),
            "p50": round(seconds[len(seconds) // 2], 2),
            "p95": round(seconds[min(len(seconds) - 1, len(seconds) * 95 // 100)], 2),
            "max": round(seconds[-1], 2)}


def most_at_once(spans):
    """How many of these spans of time there are at once at most."""
    edges = sorted([(begin, 1) for begin, _ in spans] + [(end, -1) for _, end in spans])
    now = most = 0
    for _, step in edges:
        now += step
        most = max(most, now)
    return most


def run_guests(cluster, count):
    def make(number):
        body = {"name": f"guest-{number}", "vcpus": 1, "memory_mib": 16, "image": "tick"}
        status, made = cluster.ask("POST", "/api/v1/vms", body, f"make-{number}")
        if status != 201:
            raise Failed(f"a VM isn't created: {made}")
        status, said = cluster.ask("POST", f"/api/v1/vms/{made['id']}/start", None,
                                   f"start-{number}")
        if status != 202:
            raise Failed(f"a VM isn't started: {said}")
        return made["id"]
    made = each(make, range(count))

    def running():
        now = sum(vm["actual"] == "running" for vm in cluster.list("vms"))
        return now == count, f"{now} of {count} run"
    until("guests", running)
    return made


def move_all(cluster, guests):
    def ask(guest):
        status, said = cluster.ask("POST", f"/api/v1/vms/{guest}/migrate", {}, f"move-{guest}")
        if status != 202:
            raise Failed(f"a migration isn't taken: {said}")
    began = time.monotonic()
    each(ask, guests)
    asked = time.monotonic() - began

    def over():
        ended = sum(x["phase"] in ("done", "rolled_back") for x in cluster.list("migrations"))
        return ended == len(guests), f"{ended} of {len(guests)} have ended"
    until("migrations", over)
    return asked, time.monotonic() - began


def measure(cluster, options):
    began = time.monotonic()
    cluster.start(cluster.names[:CONTROLLERS])
    for first in range(0, options.hosts, HOSTS_AT_ONCE):
        cluster.start(cluster.hosts[first:first + HOSTS_AT_ONCE])
        wanted = min(first + HOSTS_AT_ONCE, options.hosts)

        def up():
            now = sum(host["state"] == "up" for host in cluster.list("hosts"))
            return now == wanted, f"{now} of {options.hosts} are up"
        until("hosts", up)
    up_after = time.monotonic() - began
    say(f"{options.hosts} hosts are up after {up_after:.1f} s")
    guests = run_guests(cluster, options.guests)
    say(f"{options.guests} guests run; all of them move now")
    watch = Watch(cluster)
    try:
        asked, took = move_all(cluster, guests)
    finally:
        memory, processor = watch.end()
    records = cluster.list("migrations")
    moved = [x for x in records if x["phase"] == "done"]
    turns = [x for x in moved if x.get("begun")]
    spans = [(moment(x["begun"]), moment(x["decided"])) for x in turns]  # of a host's places
    waits = [(moment(x["created"]), moment(x.get("begun") or x["ended"])) for x in records]
    where = {vm["id"]: vm for vm in cluster.list("vms")}
    lost = [x["vm"] for x in moved if where[x["vm"]]["actual"] != "running"
            or where[x["vm"]]["host"] != x["to"]]
    reasons = {}
    for each_one in records:
        if each_one["phase"] != "done":
            reason = each_one.get("reason") or "?"
            reasons[reason] = reasons.get(reason, 0) + 1
    return {
        "revision": subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT,
                                   capture_output=True, text=True, check=True).stdout.strip(),
        "processors": os.cpu_count(),
        "hosts": options.hosts, "guests": options.guests, "at_once_per_host": options.at_once,
        "hosts_up_seconds": round(up_after, 1),
        "moved": len(moved), "failed": reasons, "not_where_they_went": len(lost),
        "asked_seconds": round(asked, 1), "all_seconds": round(took, 1),
        "from_request_to_end": spread([moment(x["ended"]) - moment(x["created"]) for x in moved]),
        "from_turn_to_end": spread([moment(x["ended"]) - moment(x["begun"]) for x in turns]),
        "most_under_way": most_at_once(spans), "most_waiting": most_at_once(waits),
        "memory_mib": memory, "processor_seconds": processor,
    }


def markdown(x):
    whole, turn = x["from_request_to_end"], x["from_turn_to_end"]
    kinds = {"controller": CONTROLLERS, "agent": x["hosts"], "machine": x["hosts"]}
    rows = [
        ("moved", f"{x['moved']} of {x['guests']}"),
        ("all of them, from the first request", f"{x['all_seconds']} s"),
        ("from a request to its end, average / p50 / p95 / max",
         " / ".join(str(whole.get(k, "-")) for k in ("average", "p50", "p95", "max")) + " s"),
        ("from its turn to its end, average / p50 / p95 / max",
         " / ".join(str(turn.get(k, "-")) for k in ("average", "p50", "p95", "max")) + " s"),
        ("under way at once, at most", x["most_under_way"]),
        ("waiting at once, at most", x["most_waiting"]),
    ]
    for kind, count in kinds.items():
        rows.append((f"{count} × {kind}: memory at most (Pss), processor time",
                     f"{x['memory_mib'].get(kind, 0)} MiB, {x['processor_seconds'].get(kind, 0)} s"))
    lines = [f"{x['guests']} simulated guests on {x['hosts']} hosts, {x['at_once_per_host']} migrations "
             f"a host at once, {x['processors']} processors, {x['revision']}", "",
             "| what | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows), ""]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", type=pathlib.Path,
                        default=ROOT / "build" / "release" / "bin" / "novacron")
    parser.add_argument("--hosts", type=int, default=125)
    parser.add_argument("--guests", type=int, default=1000)
    parser.add_argument("--at-once", type=int, default=4)
    options = parser.parse_args()
    folder = OUT / "many-migrations"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    cluster = Cluster(folder, options.program, options)
    try:
        result = measure(cluster, options)
    except Failed as why:
        say(f"{why}; the nodes' logs are in {folder}")
        return 1
    finally:
        cluster.end()
    shutil.rmtree(folder)
    (OUT / "many_migrations.json").write_text(json.dumps(result, indent=1) + "\n")
    (OUT / "many_migrations.md").write_text(markdown(result))
    print(markdown(result))
    return 0 if result["moved"] == options.guests and not result["not_where_they_went"] else 1


if __name__ == "__main__":
    sys.exit(main())
