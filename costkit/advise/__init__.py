"""Answers: where does the money go, and what would each remedy have saved on this very traffic."""

from costkit.advise.call import Heard
from costkit.advise.result import Advice, Finding, NotJudged, Observed
from costkit.advise.run import MOST_COUNTED, ORDER, AdviseOptions, advise_on

__all__ = ["MOST_COUNTED", "ORDER", "Advice", "AdviseOptions", "Finding", "Heard", "NotJudged", "Observed", "advise_on"]
