#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What can be said of the sources in seconds: licence lines, layers, format. All findings, then exit 1.
set -uo pipefail
cd "$(dirname "$0")/.."
status=0

unlicensed=$(git ls-files '*.cpp' '*.h' '*.py' '*.sh' '*.cmake' '*CMakeLists.txt' Makefile '.ci/*' \
  ':!LICENSE' | xargs grep -L 'SPDX-License-Identifier: Apache-2.0')
if [ -n "$unlicensed" ]; then printf 'no SPDX line: %s\n' $unlicensed; status=1; else echo "licence lines: clean"; fi

python3 tools/check_layers.py || status=1

if git ls-files -z '*.cpp' '*.h' | xargs -0 clang-format-14 --dry-run --Werror; then
  echo "format: clean"
else
  status=1
fi
exit "$status"
