"""The diagnosis of a training run: what looks wrong, in sentences, and the numbers behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nnscratch.losses import Loss
from nnscratch.training.diagnosis.ends import ends
from nnscratch.training.diagnosis.findings import Symptom
from nnscratch.training.diagnosis.no_progress import no_progress
from nnscratch.training.diagnosis.recorder import Measurements, Recorder
from nnscratch.training.diagnosis.symptoms import symptoms
from nnscratch.training.history import History

SAY_THE_SIZE = ("exploding gradients", "large updates", "saturated")


@dataclass(frozen=True)
class Diagnosis(Measurements):
    """The findings of a run, and the numbers behind them; its string is what a user reads.

    Attributes
    ----------
    findings : tuple of Symptom
        What may be the cause comes before what may be its effect. Empty for a run in which
        nothing looks wrong.
    """

    findings: tuple[Symptom, ...] = ()

    def __str__(self) -> str:
        if not self.findings:
            return "diagnosis: nothing looks wrong"
        return "\n".join(f"diagnosis: {finding.message}" for finding in self.findings)

    def _repr_html_(self) -> str:
        from nnscratch.display.html import table

        rows = [(finding.kind, finding.message) for finding in self.findings]
        if not rows:
            return f"<div>{self}</div>"
        return table(("symptom", "what was seen, and what to try"), rows, title="diagnosis")


def diagnose(
    recorder: Recorder, loss: Loss, x: Any, y: Any, history: History, held_out: Any = None
) -> Diagnosis:
    """Look through what a run left behind.

    Parameters
    ----------
    recorder : Recorder
    loss : Loss
    x, y : arrays
        The training data.
    history : History
        Of the epochs that ended; none if the loss became infinite in the first.
    held_out : array, optional
        The inputs of the samples that the history's `valid_accuracy` is of.
    """
    measured = recorder.measurements()
    findings = ends(recorder.model, loss, recorder.probes, y, held_out, x)
    seen = symptoms(recorder, measured, x)
    if any(symptom.kind in SAY_THE_SIZE for symptom in seen):  # with the advice to scale
        findings = [finding for finding in findings if finding.kind != "wide inputs"]
    findings += seen
    samples = 0 if held_out is None else len(held_out)
    learning = no_progress(recorder, measured, loss, x, y, history, samples)
    if findings:  # they say why it does not learn
        learning = [finding for finding in learning if finding.kind != "no progress"]
    return Diagnosis(**vars(measured), findings=(*findings, *learning))
