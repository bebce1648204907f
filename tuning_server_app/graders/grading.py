"""One answer, graded: the reward, and what went wrong on the way to it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tuning_server_app.graders import model_grading
from tuning_server_app.graders.formula import FormulaFault, evaluate
from tuning_server_app.graders.model_grading import Ask, ModelFault
from tuning_server_app.graders.request import Grader, graders_of
from tuning_server_app.graders.similarity import METRICS
from tuning_server_app.graders.templates import (
    Namespace,
    SampleNotJson,
    UnknownVariable,
)

ERRORS: dict[str, Any] = {
    "formula_parse_error": False,
    "sample_parse_error": False,
    "truncated_observation_error": False,
    "unresponsive_reward_error": False,
    "invalid_variable_error": False,
    "other_error": False,
    "python_grader_server_error": False,
    "python_grader_server_error_type": None,
    "python_grader_runtime_error": False,
    "python_grader_runtime_error_details": None,
    "model_grader_server_error": False,
    "model_grader_refusal_error": False,
    "model_grader_parse_error": False,
    "model_grader_server_error_details": None,
}
COMPARISONS: dict[str, Callable[[str, str], bool]] = {
    "eq": lambda text, reference: text == reference,
    "ne": lambda text, reference: text != reference,
    "like": lambda text, reference: reference in text,
    "ilike": lambda text, reference: reference.casefold() in text.casefold(),
}


@dataclass
class Grading:
    """One run of one grader. What cannot be scored is worth 0, and says why."""

    namespace: Namespace
    ask: Ask
    errors: dict[str, Any] = field(default_factory=lambda: dict(ERRORS))
    sub_rewards: dict[str, float] = field(default_factory=dict)
    tokens: dict[str, int] = field(default_factory=dict)

    def run(self, grader: Grader) -> dict[str, Any]:
        """The answer of the API."""
        began = time.monotonic()
        reward = self.score(grader)
        self.errors["truncated_observation_error"] = self.namespace.is_cut
        return {
            "reward": reward,
            "sub_rewards": self.sub_rewards,
            "model_grader_token_usage_per_model": self.tokens,
            "metadata": {
                "name": grader["name"],
                "type": grader["type"],
                "errors": self.errors,
                "execution_time": time.monotonic() - began,
                "scores": self.sub_rewards or {grader["name"]: reward},
                "token_usage": sum(self.tokens.values()) if self.tokens else None,
                "sampled_model_name": None,
            },
        }

    def score(self, grader: Grader) -> float:
        try:
            return KINDS[grader["type"]](self, grader)
        except UnknownVariable:
            self.errors["invalid_variable_error"] = True
        except SampleNotJson:
            self.errors["sample_parse_error"] = True
        except FormulaFault:
            self.errors["formula_parse_error"] = True
        except ModelFault as fault:
            self.errors |= fault.errors
        return 0.0

    def _check_string(self, grader: Grader) -> float:
        return float(COMPARISONS[grader["operation"]](*self._texts(grader)))

    def _compare(self, grader: Grader) -> float:
        return METRICS[grader["evaluation_metric"]](*self._texts(grader))

    def _texts(self, grader: Grader) -> tuple[str, str]:
        fill = self.namespace.fill
        return fill(grader["input"]), fill(grader["reference"])

    def _ask_for_score(self, grader: Grader) -> float:
        return model_grading.score(grader, self.namespace, self._ask_and_count)

    def _ask_for_label(self, grader: Grader) -> float:
        return model_grading.label(grader, self.namespace, self._ask_and_count)

    def _ask_and_count(self, body: dict[str, Any]) -> dict[str, Any]:
        completion = self.ask(body)
        n_tokens = (completion.get("usage") or {}).get("total_tokens", 0)
        self.tokens[body["model"]] = self.tokens.get(body["model"], 0) + n_tokens
        return completion

    def _combine(self, grader: Grader) -> float:
        for name, inner in graders_of(grader).items():
            self.sub_rewards[name] = self.score(inner)
        return evaluate(grader["calculate_output"], self.sub_rewards)


KINDS: dict[str, Callable[[Grading, Grader], float]] = {
    "string_check": Grading._check_string,
    "text_similarity": Grading._compare,
    "score_model": Grading._ask_for_score,
    "label_model": Grading._ask_for_label,
    "multi": Grading._combine,
}
