#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Measures every claim in turn, under five minutes; contestants run interleaved, so read the ratios.
# Usage: bench/run.sh [--full] [--keep]
#   --full  adds kube-proxy's layout at 10,000 Services (takes minutes)
#   --keep  writes what was printed to bench/results/ as well
set -euo pipefail
cd "$(dirname "$0")/.."
programs=build/release/bench
full= keep=
for option in "$@"; do
  case "$option" in
    --full) full=--full ;;
    --keep) keep=1 ;;
    *) echo "usage: bench/run.sh [--full] [--keep]" >&2; exit 2 ;;
  esac
done
[ "$(id -u)" -eq 0 ] || { echo "bench: needs root (network namespaces)" >&2; exit 1; }

measure() { # NAME COMMAND...: runs it under a title; with --keep its output is kept as NAME.txt
  local name=$1
  shift
  echo
  echo "== $name"
  if [ -n "$keep" ]; then { echo "$machine" && "$@"; } | tee "bench/results/$name.txt"; else "$@"; fi
}

machine="Linux $(uname -r), $(nproc) CPUs, $(date -u +%F)"
echo "$machine"
measure cni_add_del "$programs/bench_cni_add_del" build/cni /usr/lib/cni 60
measure addresses "$programs/bench_addresses" 500 10000
measure nodes "$programs/bench_nodes" 1000
measure nft_read "$programs/bench_nft_read"
measure services "$programs/bench_services" 100 1000 10000
measure node_updates "$programs/bench_node_updates" 1000 5000
measure kube_proxy_layout python3 bench/kube_proxy_compare.py "$programs/bench_services" $full
measure agent_memory python3 bench/agent_memory.py
measure others_commits python3 bench/others_commits.py
measure lab_start python3 bench/lab_start.py
measure large_lab python3 tests/netns/large_lab.py
