"""/v1/fine_tuning/alpha/graders: is a grader sound, and what is a sample worth?"""

from typing import Any

from django.http import HttpRequest

from tuning_server_app.errors import invalid
from tuning_server_app.graders.request import Grader, parse_grader
from tuning_server_app.services import grading
from tuning_server_app.views.endpoint import Endpoint, read_json


class GraderEndpoint(Endpoint):
    def read(self, body: object) -> Grader:
        """The grader in the body. Raises ApiError."""
        grader = parse_grader(body)
        grading.check_models(grader, self.organization)
        return grader


class ValidateGrader(GraderEndpoint):
    def post(self, request: HttpRequest) -> dict[str, Any]:
        return {"grader": self.read(read_json(request))}


class RunGrader(GraderEndpoint):
    def post(self, request: HttpRequest) -> dict[str, Any]:
        body = read_json(request)
        grader = self.read(body)
        sample, item = body.get("model_sample"), body.get("item") or {}
        if not isinstance(sample, str):
            raise invalid(
                "Missing required parameter: 'model_sample', a string.",
                param="model_sample",
                code="missing_required_parameter",
            )
        if not isinstance(item, dict):
            raise invalid("item must be an object.", param="item")
        return grading.run_grader(grader, self.organization, sample=sample, item=item)
