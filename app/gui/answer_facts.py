"""What can be said of an answer in numbers: model, times, tokens, cost."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.turn_details import TurnDetails
from app.gui.wording import counted, elapsed

BUILT_IN = "extractive"
CENT = 0.01


@dataclass(frozen=True, slots=True)
class AnswerFacts:
    """Figures of one answer. Times are seconds, ``cost`` is in US dollars; None is what isn't known."""

    model: str = ""
    first_token_seconds: float | None = None
    tokens_per_second: float | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    estimated: bool = False
    cost: float | None = None
    cut_off: bool = False
    reasoning: str = ""

    @classmethod
    def of(cls, details: TurnDetails) -> AnswerFacts:
        """The figures among the details of a turn."""
        usage = details.usage
        return cls(
            model=details.model,
            first_token_seconds=details.first_token_seconds,
            tokens_per_second=details.tokens_per_second,
            tokens_in=usage.input if usage else None,
            tokens_out=usage.output if usage else None,
            estimated=bool(usage and usage.estimated),
            cost=details.cost,
            cut_off=details.finish == "length",
            reasoning=details.reasoning,
        )

    def parts(self) -> list[str]:
        """Short pieces for one line, the most telling ones first."""
        about = "≈ " if self.estimated else ""
        found = []
        if self.first_token_seconds is not None:
            found.append(f"first word {elapsed(self.first_token_seconds)}")
        if self.tokens_per_second is not None:
            found.append(f"{self.tokens_per_second:,.0f} tokens/s")
        if self.tokens_out is not None:
            found.append(f"{about}{counted(self.tokens_out, 'token')}")
        if self.cost is not None:
            found.append(money(self.cost))
        return found

    def lines(self) -> list[str]:
        """Everything in whole words, for a tool tip."""
        about = "about " if self.estimated else ""
        found = [f"Model: {self.model}"] if self.model else []
        if self.first_token_seconds is not None:
            found.append(f"First word after {elapsed(self.first_token_seconds)}")
        if self.tokens_per_second is not None:
            found.append(f"{self.tokens_per_second:,.1f} tokens a second")
        if self.tokens_in is not None and self.tokens_out is not None:
            found.append(f"{about}{self.tokens_in:,} tokens sent, {about}{self.tokens_out:,} received")
        if self.cost is not None:
            found.append(f"Cost: {money(self.cost)}")
        return found


def money(dollars: float) -> str:
    """An amount as it is paid: free, less than a tenth of a cent, or with as many digits as say something."""
    if dollars <= 0:
        return "free"
    if dollars < CENT / 10:
        return "< $0.001"
    return f"${dollars:.3f}" if dollars < 1 else f"${dollars:,.2f}"
