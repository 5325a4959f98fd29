#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Configures (once) and builds one preset. Usage: tools/build.sh PRESET
set -euo pipefail
cd "$(dirname "$0")/.."
preset=${1:?usage: tools/build.sh PRESET}
if [ ! -f "build/$preset/build.ninja" ]; then
  cmake --preset "$preset" --log-level=WARNING >/dev/null
fi
NINJA_STATUS='[%f/%t] ' cmake --build --preset "$preset"
