#!/usr/bin/env bash
# systemd reads the unit in cluster-configs and finds nothing amiss, and what the unit promises of a
# node that ends is there: usage: systemd_unit.sh PROGRAM
set -euo pipefail
unit=$(dirname "$0")/../../cluster-configs/systemd/novacron@.service

if ! command -v systemd-analyze >/dev/null; then
  printf 'skipped: there is no systemd-analyze here (Debian package systemd)\n'
  exit 0
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
copy=$scratch/novacron@node-1.service
sed "s|/usr/local/bin/novacron|$(realpath "$1")|" "$unit" >"$copy"
if ! said=$(systemd-analyze verify --man=no "$copy" 2>&1) || [ -n "$said" ]; then
  printf 'systemd-analyze verify: %s\n' "$said"
  exit 1
fi
# A unit that can't be read must be seen: else the check above says nothing.
sed 's|^Restart=always|Restart=sometimes|' "$copy" >"$scratch/novacron@broken.service"
if [ -z "$(systemd-analyze verify --man=no "$scratch/novacron@broken.service" 2>&1)" ]; then
  printf 'systemd-analyze verify finds nothing amiss with Restart=sometimes\n'
  exit 1
fi
# Guests outlive their agent, which comes back at once unless its configuration is wrong.
for line in KillMode=process Restart=always RestartPreventExitStatus=2 StartLimitIntervalSec=0; do
  grep -qx "$line" "$unit" || {
    printf '%s: %s is gone\n' "$unit" "$line"
    exit 1
  }
done
# Relative paths begin where the unit keeps a state folder, not beside the file in /etc.
grep -q '^ExecStart=.* --folder /var/lib/novacron$' "$unit" && grep -qx StateDirectory=novacron "$unit" || {
  printf '%s: relative paths no longer begin in its state folder\n' "$unit"
  exit 1
}
# The command is one that the program knows.
line=$(sed -n 's/^ExecStart=//p' "$copy")
read -r -a words <<<"${line/\/etc\/novacron\/%i.toml/$scratch/none.toml}"
status=0
said=$("${words[@]}" 2>&1) || status=$?
if [ "$status" != 2 ] || [[ $said != *none.toml* ]]; then
  printf '%s\nended with status %s, not with 2 over its configuration: %s\n' "$line" "$status" "$said"
  exit 1
fi
