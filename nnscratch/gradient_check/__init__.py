"""Numeric against analytic gradients, and the name of the mistake.

    report = check_gradients(layer, x)
    report.ok               no finding fails
    report.findings         array, verdict, code and message, one for each gradient
    print(report)           what a student reads

Any object with `forward` and `backward` can be checked; see `manner` and `gradients` for the ways
to hand over gradients that are understood, `mistakes.causes` for the codes and what they mean, and
`mistakes.naming` for the rule by which a cause is named: exactly one hypothesis fits, on every
draw.
"""

from nnscratch.gradient_check.check import assert_gradients, check_gradients
from nnscratch.gradient_check.mistakes.causes import CAUSES, CODES
from nnscratch.gradient_check.mistakes.context import Context
from nnscratch.gradient_check.mistakes.naming import diagnose, diagnose_draws
from nnscratch.gradient_check.report import Finding, Report

__all__ = [
    "CAUSES",
    "CODES",
    "Context",
    "Finding",
    "Report",
    "assert_gradients",
    "check_gradients",
    "diagnose",
    "diagnose_draws",
]
