#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs every test of one built preset; ctest's summary is the last thing printed.
# Usage: tools/test.sh PRESET [ctest arguments]
set -euo pipefail
cd "$(dirname "$0")/.."
preset=${1:?usage: tools/test.sh PRESET [ctest arguments]}
shift
exec ctest --test-dir "build/$preset" --output-on-failure --no-tests=error --parallel 2 \
  --timeout "${WEFT_TEST_TIMEOUT:-300}" "$@"
