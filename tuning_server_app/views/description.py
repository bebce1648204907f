"""/v1/openapi.json: what is served here, for whoever makes a client of it."""

from typing import Any

from django.http import HttpRequest

from tuning_server_app import openapi
from tuning_server_app.views.endpoint import Endpoint


class Description(Endpoint):
    needs_key = False

    def get(self, request: HttpRequest) -> dict[str, Any]:
        return openapi.served()
