"""“This is it”, “launch again”, “look again”: what a door does with a decision."""

from typing import Literal, get_args

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from jobs_app import services, tasks
from jobs_app.models import FineTuningJob
from teams_app.models import User

Decision = Literal["take", "again", "look"]


def carry_out(
    decision: str, job: FineTuningJob, *, remote_id: str, by: User | None
) -> None:
    """Decide, and ring whoever acts on it.

    Raises:
        IllegalTransition: nothing is to be decided, or somebody has decided already.
        ValidationError: there is no such decision, or no such job to take.
    """
    if decision == "take":
        services.take_as_ours(job, remote_id, by=by)
        tasks.poll_provider.delay_on_commit(job.provider_id)
        return
    if decision == "again":
        services.launch_again(job, by=by)
    elif decision == "look":
        services.look_again(job, by=by)
    else:
        raise ValidationError(
            _("Decide with one of: %(known)s.")
            % {"known": ", ".join(get_args(Decision))}
        )
    tasks.submit_job.delay_on_commit(job.pk)
