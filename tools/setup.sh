#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages that Weft is built from and tested with, and only those that are missing.
# Usage: tools/setup.sh [lint|vm]      the extra groups are what `make lint` and `make test-vm` need
# No daemon is started, enabled or touched: the demo runs nginx and redis itself, inside pods.
set -euo pipefail

build_packages=(g++ cmake ninja-build ccache pkg-config libc6-dev linux-libc-dev nlohmann-json3-dev
  libsimdjson-dev libyaml-cpp-dev libcli11-dev libfmt-dev libspdlog-dev libexpected-dev libuv1-dev
  libgtest-dev libgmock-dev libbenchmark-dev librapidcheck-dev)
run_packages=(iproute2 nftables conntrack strace tcpdump iputils-ping util-linux procps kmod python3
  curl containernetworking-plugins nginx-light redis-server redis-tools)
lint_packages=(clang-format-14 clang-tidy-14)
vm_packages=(qemu-system-x86 busybox-static cpio kmod)

case "${1:-}" in
  "") packages=("${build_packages[@]}" "${run_packages[@]}") ;;
  lint) packages=("${lint_packages[@]}") ;;
  vm) packages=("${vm_packages[@]}") ;;
  *) echo "usage: tools/setup.sh [lint|vm]" >&2; exit 2 ;;
esac

missing_packages() {
  comm -23 <(printf '%s\n' "${packages[@]}" | sort -u) \
    <(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "${packages[@]}" 2>/dev/null |
      awk '$1 == "installed" { print $2 }' | sort -u)
}

# Debian's maintainer scripts ask policy-rc.d before they start a daemon; 101 means "don't". A policy that
# the machine already has is put back as it was, also when this script is interrupted.
policy=/usr/sbin/policy-rc.d
hold_daemons() {
  if [ -e "$policy" ]; then mv "$policy" "$policy.weft-kept"; fi
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
}
release_daemons() {
  rm -f "$policy"
  if [ -e "$policy.weft-kept" ]; then mv "$policy.weft-kept" "$policy"; fi
}

install_packages() {
  if [ "$(id -u)" -ne 0 ]; then
    echo "setup: not root, so not installed; run: apt-get install --no-install-recommends $*" >&2
    exit 1
  fi
  echo "setup: installing $*"
  trap release_daemons EXIT
  hold_daemons
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq update
  apt-get -qq install --yes --no-install-recommends -o Dpkg::Use-Pty=0 "$@" >/dev/null
  release_daemons
  trap - EXIT
  # A package that this run brought in must not start its daemon at the next boot either.
  if command -v systemctl >/dev/null; then
    for unit in nginx redis-server; do
      case " $* " in *" $unit"*) systemctl disable --quiet "$unit" 2>/dev/null || true ;; esac
    done
  fi
}

# What the pods' traffic needs of the running kernel: said now, rather than as a time-out in a test.
check_machine() {
  if [ "$(id -u)" -ne 0 ]; then
    echo "setup: note: a lab needs root (network namespaces, nf_tables, cgroups)" >&2
    return
  fi
  if [ ! -d /proc/sys/net/bridge ] && command -v modprobe >/dev/null; then
    modprobe --quiet br_netfilter || true
  fi
  if [ ! -d /proc/sys/net/bridge ]; then
    echo "setup: MISSING kernel module br_netfilter: a pod cannot reach a Service whose endpoint is on its" \
      "own node; load it on the host (modprobe br_netfilter)" >&2
  fi
  grep -q ' cgroup2 ' /proc/self/mounts ||
    echo "setup: MISSING cgroup2: mount it (mount -t cgroup2 none /sys/fs/cgroup)" >&2
  unshare --net true 2>/dev/null ||
    { echo "setup: MISSING network namespaces (or the right to make them)" >&2; return; }
  unshare --net ip link add weft-probe type vxlan id 1 dstport 8472 2>/dev/null ||
    echo "setup: MISSING kernel support for VXLAN links (module vxlan)" >&2
  unshare --net nft add table inet weft-probe 2>/dev/null ||
    echo "setup: MISSING kernel support for nf_tables" >&2
}

mapfile -t missing < <(missing_packages)
if [ "${#missing[@]}" -gt 0 ]; then install_packages "${missing[@]}"; fi
if [ -z "${1:-}" ]; then check_machine; fi
