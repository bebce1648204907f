"""Taking away what a check made at its provider, whoever died on the way."""

from contextlib import suppress

from django.utils.translation import gettext as _

from jobs_app.models import FINISHED
from jobs_app.providers import ProviderRejected, RemoteJob
from jobs_app.services.compatibility import tiny_files
from jobs_app.services.compatibility.walk import Outcome, Walk

METHODS = (tiny_files.SUPERVISED, tiny_files.DPO)


def files_of_check(walk: Walk) -> list[str]:
    """Ids of our files: those remembered, and those that arrived unheard."""
    known = [walk.recall("file"), walk.recall("dpo_file")]
    names = {tiny_files.name_of(walk.check, method) for method in METHODS}
    with suppress(ProviderRejected):  # it may list none; then memory has to do
        known += [file.id for file in walk.client.files() if file.name in names]
    return list(dict.fromkeys(filter(None, known)))


def open_jobs_of_check(walk: Walk) -> list[RemoteJob]:
    """Nobody else's jobs were trained on our files."""
    files = set(files_of_check(walk))
    if not files:
        return []
    jobs = walk.client.jobs_since(walk.check.created_at)
    ours = [job for job in jobs if job.training_file in files]
    return [job for job in ours if job.status not in FINISHED]


def cancel_jobs(walk: Walk) -> list[str]:
    """Cancel what is open. Returns the ids of those that did not let themselves be."""
    left = []
    for job in open_jobs_of_check(walk):
        try:
            walk.client.cancel(job.id)
        except ProviderRejected:
            left.append(job.id)
    return left


def clean_up(walk: Walk) -> Outcome:
    """Jobs first: some providers keep a file as long as a job needs it."""
    left = cancel_jobs(walk)
    for file_id in files_of_check(walk):
        try:
            walk.client.delete_file(file_id)
        except ProviderRejected:
            left.append(file_id)
    if left:
        return Outcome.fails(
            _("Still there: %(ids)s. Remove them at the provider.")
            % {"ids": ", ".join(left)}
        )
    return Outcome.works()
