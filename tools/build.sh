#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Configures (once) and builds one preset, or of it only the named targets (`programs` is bin/weft and cni/).
# Usage: tools/build.sh PRESET [TARGET...]
set -euo pipefail
cd "$(dirname "$0")/.."
preset=${1:?usage: tools/build.sh PRESET [TARGET...]}
shift
targets=()
if [ "$#" -gt 0 ]; then targets=(--target "$@"); fi
if [ ! -f "build/$preset/build.ninja" ]; then
  cmake --preset "$preset" --log-level=WARNING >/dev/null
fi
NINJA_STATUS='[%f/%t] ' cmake --build --preset "$preset" "${targets[@]}"
