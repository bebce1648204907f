"""The steps of a compatibility check, in order; each tries one thing and says what
it found. A clear no of the provider is an answer too: `running` makes it an outcome."""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from jobs_app.models import AT_PROVIDER, FINISHED, JobStatus
from jobs_app.providers import Ability, ProviderRejected
from jobs_app.services.compatibility import tiny_files
from jobs_app.services.compatibility.cleaning import clean_up
from jobs_app.services.compatibility.creating import create_dpo_job, create_job
from jobs_app.services.compatibility.walk import Outcome, Walk

WAITS = 12  # a tick each
STATE_REASONS = {"conflict", "refused"}  # it knows the call, but not at this moment


@dataclass(frozen=True)
class Step:
    name: str
    take: Callable[[Walk], Outcome]
    costs: bool = False  # money, where the provider takes any
    ability: Ability | None = None  # which a clear no denies
    is_needed: bool = False  # without it nothing after it makes sense
    needs: str = ""  # what an earlier step must have remembered


def list_models(walk: Walk) -> Outcome:
    names = walk.client.models()
    chosen = walk.check.base_model
    if chosen and names and chosen not in names:
        return Outcome.unclear(
            _("It lists %(n)d models, but “%(model)s” is none of them.")
            % {"n": len(names), "model": chosen}
        )
    return Outcome.works(_("It lists %(n)d models.") % {"n": len(names)})


def upload_file(walk: Walk) -> Outcome:
    walk.remember(file=tiny_files.arrived_or_sent(walk, tiny_files.SUPERVISED))
    return Outcome.works()


def wait_for_file(walk: Walk) -> Outcome:
    status, details = walk.client.file_status(walk.recall("file")) or ("deleted", "")
    if status == "processed":
        return Outcome.works()
    if status in {"error", "deleted"}:
        return Outcome.fails(details or status, is_last=True)
    walk.wait("file", times=WAITS)
    return Outcome.unclear(
        _("After a while the file's state is still “%(status)s”.") % {"status": status}
    )


def try_uploads(walk: Walk) -> Outcome:
    """One that is announced and taken back; nothing is sent."""
    with tiny_files.outgoing(walk, tiny_files.SUPERVISED) as file:
        upload = walk.client.start_upload(file)
    walk.client.cancel_upload(upload.id)
    return Outcome.works(found={Ability.UPLOADS: True})


def find_by_key(walk: Walk) -> Outcome:
    """Does the job keep our metadata, and do lists obey a filter by it?"""
    key, job_id, client = walk.recall("job_key"), walk.recall("job"), walk.client
    if not key:
        return Outcome.fails(_not_kept(), found={Ability.LAUNCH_KEY: False})
    found = client.jobs_with_key(key)
    if job_id not in {job.id for job in found}:
        walk.wait("listing", times=3)  # some lists lag behind
    ours = [job for job in found if job.launch_key == key]
    if not ours:
        return Outcome.fails(_not_kept(), found={Ability.LAUNCH_KEY: False})
    obeys = len(ours) == len(found)
    words = "" if obeys else _("The list cannot be filtered by it, but shows it.")
    return Outcome.works(words, found={Ability.LAUNCH_KEY: True})


def _not_kept() -> str:
    return _(
        "Jobs do not keep metadata. A launch is then recognised by its file and its "
        "time."
    )


def read_events(walk: Walk) -> Outcome:
    events = walk.client.events(walk.recall("job"), is_known=lambda _id: False)
    if not events:
        walk.wait("events", times=3)
        return Outcome.unclear(_("There were none yet."))
    words = _("It told %(n)d so far.") % {"n": len(events)}
    return Outcome.works(words, found={Ability.EVENTS: True})


def read_checkpoints(walk: Walk) -> Outcome:
    walk.client.checkpoints(walk.recall("job"))
    return Outcome.works(found={Ability.CHECKPOINTS: True})


def pause_and_resume(walk: Walk) -> Outcome:
    """Only a job that runs can be paused, and it is worth no money to get there."""
    job_id, client = walk.recall("job"), walk.client
    status = client.retrieve(job_id).status
    if status in FINISHED:
        return Outcome.unclear(_("The job ended before it could be paused."))
    if not walk.recall("paused"):
        if status != JobStatus.RUNNING and not client.profile.costs_money:
            walk.wait("running", times=WAITS)
        try:
            client.pause(job_id)
        except ProviderRejected as exc:
            if exc.reason in STATE_REASONS and status != JobStatus.RUNNING:
                return Outcome.unclear(exc.happened)
            raise
        walk.remember(paused=True)
    client.resume(job_id)
    return Outcome.works(found={Ability.PAUSE: True})


def cancel(walk: Walk) -> Outcome:
    job_id, client = walk.recall("job"), walk.client
    status = client.retrieve(job_id).status
    if status in AT_PROVIDER or status is None:
        status = client.cancel(job_id).status
    if status not in FINISHED:
        walk.wait("cancel", times=WAITS)
        return Outcome.unclear(_("The job was told to stop and has not stopped yet."))
    if status != JobStatus.CANCELLED:
        return Outcome.unclear(_("The job ended before it could be cancelled."))
    return Outcome.works(found={Ability.CANCEL: True})


def chat(walk: Walk) -> Outcome:
    """Only a server without the call cannot; a base model may lack a deployment."""
    question = [{"role": "user", "content": "What comes after 1?"}]
    try:
        walk.client.chat(model=walk.check.base_model, messages=question, max_tokens=8)
    except ProviderRejected as exc:
        has_call = exc.reason != "not_found"
        return Outcome.fails(str(exc), found={} if has_call else {Ability.CHAT: False})
    return Outcome.works(found={Ability.CHAT: True})


STEPS = (
    Step("models", list_models),
    Step("file", upload_file, is_needed=True),
    Step("processed", wait_for_file, needs="file"),
    Step("uploads", try_uploads, ability=Ability.UPLOADS),
    Step("job", create_job, costs=True, is_needed=True, needs="file"),
    Step("listing", find_by_key, costs=True, needs="job"),
    Step("events", read_events, costs=True, needs="job", ability=Ability.EVENTS),
    Step(
        "checkpoints",
        read_checkpoints,
        costs=True,
        needs="job",
        ability=Ability.CHECKPOINTS,
    ),
    Step("dpo", create_dpo_job, costs=True, needs="job", ability=Ability.DPO),
    Step("pause", pause_and_resume, costs=True, needs="job", ability=Ability.PAUSE),
    Step("cancel", cancel, costs=True, needs="job", ability=Ability.CANCEL),
    Step("chat", chat, costs=True),
    Step("clean", clean_up),
)
