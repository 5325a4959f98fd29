#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The README's words, tried as a newcomer would: a bare Debian 12 with git, make and ca-certificates only, a
# clean clone of the committed tree, `make demo` and `make test`. The Debian lives in a directory (debootstrap),
# with mount and process namespaces of its own, and is gone afterwards. Needs root and debootstrap.
# Usage: tests/newcomer.sh [COMMAND]         COMMAND instead of "make demo && make test"
set -euo pipefail
repository=$(cd "$(dirname "$0")/.." && pwd)
command=${1:-make demo && make test}
root=$(mktemp -d /var/tmp/weft-newcomer.XXXXXX)
chmod 755 "$root" # apt reads it as another user
trap 'rm -rf --one-file-system "$root"' EXIT
trap 'exit 130' INT TERM

# The mirror and the proxy settings are the host's own.
mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Suite: bookworm' 2>/dev/null | head -1)
[ -n "$mirror" ] || mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Codename: bookworm' | head -1)
echo "newcomer: a bare Debian 12 into $root"
debootstrap --variant=minbase --include=git,make,ca-certificates bookworm "$root" "$mirror" >"$root.log" 2>&1 ||
  { tail -20 "$root.log" >&2; rm -f "$root.log"; exit 1; }
rm -f "$root.log"
cp /etc/resolv.conf "$root/etc/resolv.conf"
for file in /etc/apt/apt.conf.d/*; do
  if grep -qiE 'proxy|Acquire|registry' "$file"; then cp "$file" "$root/etc/apt/apt.conf.d/"; fi
done
rm -f "$root/etc/apt/sources.list"
cp /etc/apt/sources.list.d/debian.sources "$root/etc/apt/sources.list.d/" 2>/dev/null ||
  cp /etc/apt/sources.list "$root/etc/apt/sources.list"
mkdir "$root/weft.git"

cat >"$root/trial.sh" <<TRIAL
set -euo pipefail
export HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8
git -c safe.directory='*' clone --quiet /weft.git /root/weft
cd /root/weft
$command
TRIAL

# Everything the trial starts dies with its PID 1; every mount goes with its mount namespace.
root=$root repository=$repository unshare --mount --pid --fork --kill-child --propagation private bash -euc '
  mount --bind "$root" "$root"
  mount -t proc proc "$root/proc"
  mount --rbind /sys "$root/sys"
  mount --rbind /dev "$root/dev"
  mount -t tmpfs tmpfs "$root/run"
  mount -t tmpfs tmpfs "$root/tmp"
  mount --bind -o ro "$repository" "$root/weft.git"
  exec chroot "$root" /usr/bin/env -i TERM="${TERM:-dumb}" bash /trial.sh'
