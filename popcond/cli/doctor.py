"""`popcond doctor`: everything that a user can get wrong, each line with its cure. Changes nothing, starts nothing."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from dataclasses import asdict

from popcond.cli.session import settings_of
from popcond.cli.terminal_text import printable
from popcond.cli.usage import DONE, FAILED, counted
from popcond.doctor.checkup import check_up
from popcond.doctor.finding import Finding


def run(options: argparse.Namespace) -> int:
    """0 when all is well, 1 when something is broken."""
    findings = check_up(settings_of(options), deep=options.deep, online=options.online)
    if options.json:
        told = list(findings)
        is_well = all(finding.ok for finding in told)
        print(json.dumps({"ok": is_well, "findings": [asdict(finding) for finding in told]}, ensure_ascii=False))
    else:
        is_well = _tell(findings)
    return DONE if is_well else FAILED


def _tell(findings: Iterable[Finding]) -> bool:
    """Each as soon as it is known; answers whether all is well."""
    broken = 0
    for finding in findings:
        broken += not finding.ok
        print(f"{'ok    ' if finding.ok else 'BROKEN'}  {finding.name:<16} {printable(finding.message)}", flush=True)
        if finding.cure:
            print(f"{'':25}→ {printable(finding.cure)}", flush=True)
    print("All is well." if not broken else f"{counted(broken, 'thing')} broken.")
    return not broken
