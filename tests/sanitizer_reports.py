#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints and removes the reports that sanitized processes left in a directory; exits 1 if there were any.

Usage: sanitizer_reports.py DIRECTORY
"""
import pathlib
import sys


def main():
    reports = sorted(pathlib.Path(sys.argv[1]).iterdir())
    for report in reports:
        print(f"--- {report.name}\n{report.read_text(errors='replace')}")
        report.unlink()
    print(f"{len(reports)} reports")
    return 1 if reports else 0


if __name__ == "__main__":
    sys.exit(main())
