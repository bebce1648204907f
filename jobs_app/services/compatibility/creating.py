"""The step that makes a job, and finds out which extras of a request are refused.

All extras together are tried first. If the provider refuses that, the plain job is
tried, and each extra by itself on a job that is cancelled at once.
"""

from typing import Any
from uuid import UUID, uuid5

from django.utils.translation import gettext as _

from jobs_app.providers import Ability, ProviderRejected, RemoteJob
from jobs_app.services.compatibility import tiny_files
from jobs_app.services.compatibility.cleaning import cancel_jobs
from jobs_app.services.compatibility.walk import Outcome, Walk

ABOUT_THE_REQUEST = {400, 422}
EXTRAS: dict[Ability, dict[str, Any]] = {
    Ability.VALIDATION_FILE: {"validation_file": True},
    Ability.SUFFIX: {"suffix": "check"},
    Ability.SEED: {"seed": 1},
    Ability.METADATA: {"sends_metadata": True},
}


def create_job(walk: Walk) -> Outcome:
    """Leaves one job behind, in `memory`, for the steps after it."""
    cancel_jobs(walk)  # of a worker that stopped
    walk.remember(attempt=walk.recall("attempt", 0) + 1)
    try:
        _keep(walk, "all", EXTRAS)
    except ProviderRejected as exc:
        if exc.status not in ABOUT_THE_REQUEST:
            raise
        return _one_by_one(walk, exc)
    return Outcome.works(found=dict.fromkeys(EXTRAS, True))


def _one_by_one(walk: Walk, first: ProviderRejected) -> Outcome:
    _keep(walk, "plain", {})
    found = {ability: _takes(walk, ability) for ability in EXTRAS}
    refused = ", ".join(str(ability.label) for ability, has in found.items() if not has)
    return Outcome.works(
        _("It refuses: %(refused)s. Its words: %(words)s")
        % {"refused": refused or _("all at once"), "words": first.happened},
        found=found,
    )


def _takes(walk: Walk, ability: Ability) -> bool:
    try:
        job = _create(walk, ability, {ability: EXTRAS[ability]})
    except ProviderRejected as exc:
        if exc.status not in ABOUT_THE_REQUEST:
            raise
        return False
    walk.client.cancel(job.id)
    return True


def _keep(walk: Walk, variant: str, extras: dict[Ability, dict[str, Any]]) -> None:
    job = _create(walk, variant, extras)
    key = str(_key(walk, variant)) if Ability.METADATA in extras else ""
    walk.remember(job=job.id, job_key=key)


def _create(
    walk: Walk, variant: str, extras: dict[Ability, dict[str, Any]]
) -> RemoteJob:
    file_id = walk.recall("file")
    asked: dict[str, Any] = {"sends_metadata": False}
    for each in extras.values():
        asked |= each
    if asked.pop("validation_file", False):
        asked["validation_file"] = file_id
    return walk.client.create_job(
        base_model=walk.check.base_model,
        training_file=file_id,
        hyperparameters={"n_epochs": 1},
        launch_key=_key(walk, variant),
        **asked,
    )


def _key(walk: Walk, variant: str) -> UUID:
    """A new one for each attempt: the jobs of one before are cancelled."""
    return uuid5(walk.check.key, f"{variant} {walk.recall('attempt')}")


def create_dpo_job(walk: Walk) -> Outcome:
    """Does it train on preferences, or does it only pass the method over?"""
    file_id = walk.recall("dpo_file")
    if not file_id:
        file_id = tiny_files.arrived_or_sent(walk, tiny_files.DPO)
        walk.remember(dpo_file=file_id)
    status, details = walk.client.file_status(file_id) or ("deleted", "")
    if status in {"error", "deleted"}:
        return Outcome.fails(details or status, found={Ability.DPO: False})
    if status != "processed":
        walk.wait("dpo", times=6)
    job = walk.client.create_job(
        base_model=walk.check.base_model,
        training_file=file_id,
        method=tiny_files.DPO,
        launch_key=_key(walk, tiny_files.DPO),
    )
    walk.client.cancel(job.id)
    if job.method == tiny_files.DPO:
        return Outcome.works(found={Ability.DPO: True})
    return Outcome.fails(
        _("It took the request, but does not say that it trains on preferences."),
        found={Ability.DPO: False},
    )
