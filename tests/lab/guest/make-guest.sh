#!/usr/bin/env bash
# Makes the guest that tests and the demo run: OUT/vmlinuz, a Debian cloud kernel, and
# OUT/initrd.gz, a busybox initramfs whose /init runs tick. Nothing is installed on this machine:
# the kernel is taken out of its package, which is kept in a cache and used again without network.
#
#   make-guest.sh OUT        CC=<C compiler>, NOVACRON_CACHE=<folder for the kernel's package>
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
out=${1:?usage: make-guest.sh OUT}
cache=${NOVACRON_CACHE:-${XDG_CACHE_HOME:-${HOME:-/var/cache}/.cache}/novacron}
modules=(drivers/acpi/button.ko drivers/input/evdev.ko)

fail() {
  printf 'make-guest: %s\nmake-guest: %s\n' "$1" "$2" >&2
  exit 1
}

newest() { find "$1" -maxdepth 1 -name 'linux-image-*-cloud-amd64_*.deb' 2>/dev/null | sort -V | tail -n 1; }

# The package that linux-image-cloud-amd64 stands for; from the cache where it is there already.
kernel_package() {
  local found name
  mkdir -p "$cache"
  found=$(newest "$cache")
  if [ -z "$found" ]; then
    name=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null | sed -n 's/^ *Depends: //p' | sed -n 1p)
    [ -n "$name" ] || fail "apt doesn't know linux-image-cloud-amd64" "run apt-get update, then this again"
    (cd "$cache" && apt-get -qq download "$name" 2>/dev/null) || true
    found=$(newest "$cache")
  fi
  [ -n "$found" ] || found=$(newest /var/cache/apt/archives)
  [ -n "$found" ] || fail "cannot download the kernel's package $name" \
    "check the network, or put the package's .deb into $cache"
  printf '%s\n' "$found"
}

command -v cpio >/dev/null || fail "cpio is missing" "run .ci/install"
busybox=$(command -v busybox) || fail "busybox is missing" "run .ci/install"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
package=$(kernel_package)
dpkg-deb -x "$package" "$work/kernel"

root=$work/root
mkdir -p "$root"/{bin,dev,etc/acpi/PWRF,modules,proc,sys,var/log,var/run}
"${CC:-cc}" -std=gnu11 -O2 -Wall -Wextra -Werror -static -o "$root/bin/tick" "$here/tick.c"
strip "$root/bin/tick"
cp "$busybox" "$root/bin/busybox"
install -m 755 "$here/init" "$root/init"
for module in "${modules[@]}"; do
  find "$work/kernel/lib/modules" -path "*/kernel/$module" -exec cp {} "$root/modules/" \;
done
printf '#!/bin/busybox sh\n/bin/busybox poweroff -f\n' >"$root/etc/acpi/PWRF/00000080"
chmod 755 "$root/etc/acpi/PWRF/00000080"

mkdir -p "$out"
find "$root" -exec touch -h -d @0 {} +
(cd "$root" && find . | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0 --reproducible) \
  | gzip -9n >"$out/initrd.gz.part"
cp "$work"/kernel/boot/vmlinuz-* "$out/vmlinuz.part"
chmod 644 "$out/initrd.gz.part" "$out/vmlinuz.part"
mv "$out/initrd.gz.part" "$out/initrd.gz"
mv "$out/vmlinuz.part" "$out/vmlinuz"
