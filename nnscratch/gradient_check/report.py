"""What a check found, and how a student reads it."""

from __future__ import annotations

from dataclasses import dataclass, field

GREEN, RED, YELLOW, BOLD, PLAIN = "\033[32m", "\033[31m", "\033[33m", "\033[1m", "\033[0m"
COLOURS = {"pass": GREEN, "fail": RED, "undecidable": YELLOW}


@dataclass(frozen=True)
class Finding:
    """The verdict on one gradient.

    Attributes
    ----------
    array : str
        "dx" ("dx[0]", "dx[1]" for several inputs) or the parameter's name, such as "0.W".
    verdict : str
        "pass", "fail" or "undecidable".
    code : str
        "" for a pass, else the cause, one of `CODES`; "values_differ" where no single cause
        fits.
    message : str
        What differs on the smallest case that shows it, and the likely cause in words.
    """

    array: str
    verdict: str
    code: str = ""
    message: str = ""


@dataclass
class Report:
    """The findings of one check, one for each gradient.

    Attributes
    ----------
    findings : list of Finding
    warnings : list of str
        What makes this check weaker than it could be, such as a uniform dy.
    subject : str
        What was checked.
    reproduce : str
        The call that gives this report again.
    """

    subject: str = ""
    findings: list[Finding] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    reproduce: str = ""

    @property
    def ok(self) -> bool:
        """Whether no finding's verdict is "fail"."""
        return all(finding.verdict != "fail" for finding in self.findings)

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        from nnscratch.display.html import of_report

        return of_report(self)

    def text(self, colour: bool = False) -> str:
        """The report in words, with ANSI colours where they are asked for."""

        def paint(words: str, code: str) -> str:
            return f"{code}{words}{PLAIN}" if colour else words

        failed = sum(finding.verdict == "fail" for finding in self.findings)
        unknown = sum(finding.verdict == "undecidable" for finding in self.findings)
        summary = f"{failed} of {len(self.findings)} gradients wrong" if failed else "no mistake"
        if unknown:
            summary += f", {unknown} undecidable"
        lines = [paint(f"{self.subject}: {summary}", BOLD)]
        width = max((len(finding.array) for finding in self.findings), default=0)
        for finding in self.findings:
            verdict = paint(f"{finding.verdict:<11}", COLOURS.get(finding.verdict, ""))
            code = f"  {finding.code}" if finding.code else ""
            lines.append(f"  {finding.array:<{width}}  {verdict}{code}".rstrip())
            lines += [f"      {line}" for line in finding.message.splitlines()]
        lines += [paint(f"  warning: {warning}", YELLOW) for warning in self.warnings]
        if failed and self.reproduce:
            lines.append(f"  again: {self.reproduce}")
        return "\n".join(lines)
