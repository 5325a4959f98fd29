#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The whole test suite, as `make test` runs it, on Debian's 6.1 kernel in an emulated machine.
# Usage: tests/vm/test.sh [ctest arguments]
set -euo pipefail
cd "$(dirname "$0")/../.."
# An emulated machine takes some ten times as long.
exec tests/vm/run-in-vm env WEFT_TEST_TIMEOUT=3000 tools/test.sh release "$@"
