"""Lines of a job's story that are no whole sentences: our notes, and what OpenAI and
the servers that copy it write into their events."""

from django.utils.translation import gettext_noop

NOTES = (
    gettext_noop("by %(who)s"),
    gettext_noop("cancel requested %(by)s"),
    gettext_noop("cancel requested"),
    gettext_noop("pause requested by %(who)s"),
    gettext_noop("resume requested by %(who)s"),
    gettext_noop("launched again as job %(job)s"),
    gettext_noop("to be launched at %(when)s by %(who)s"),
    gettext_noop("to be launched now by %(who)s"),
    gettext_noop("its last events could not be read: %(why)s"),
    gettext_noop("before it was created"),
    gettext_noop("the worker that was submitting it stopped; trying again"),
    gettext_noop("will retry: %(why)s"),
    gettext_noop("poll failed: %(why)s"),
    gettext_noop("no comparison: %(why)s"),
    gettext_noop("the provider gave no reason"),
    gettext_noop("the provider calls the job’s state “%(word)s”"),
)

PROVIDER_EVENTS = (
    gettext_noop("Created fine-tuning job: %(id)s"),
    gettext_noop("Validating training file: %(file)s"),
    gettext_noop("Validating training file: %(file)s and validation file: %(other)s"),
    gettext_noop("Files validated, moving job to queued state"),
    gettext_noop("Fine-tuning job started"),
    gettext_noop("Starting the trainer"),
    gettext_noop("Loading the base model"),
    gettext_noop("Reading the training file"),
    gettext_noop(
        "Training on %(rows)s examples with %(tokens)s tokens: %(steps)s steps in"
        " %(epochs)s epochs, batch size %(batch)s, learning rate multiplier %(rate)s"
        " (times %(base_rate)s)"
    ),
    gettext_noop("Checkpoint created at step %(step)s"),
    gettext_noop("Pause requested"),
    gettext_noop("Pause withdrawn"),
    gettext_noop("The job was paused"),
    gettext_noop("The job was resumed"),
    gettext_noop("The job goes on: the pause was withdrawn"),
    gettext_noop("Going on from step %(step)s"),
    gettext_noop(
        "The trainer was stopped. The job goes on from its last saved step as soon as a"
        " trainer is free."
    ),
    gettext_noop(
        "%(why)s The job goes on from its last saved step as soon as a trainer is free"
        " (loss %(number)s; at most %(most)s are made good)."
    ),
    gettext_noop(
        "Memory ran out. The run goes on with at most %(tokens)s tokens at once, and"
        " adds up the gradients of each step: the batch size stays the same"
    ),
    gettext_noop("New fine-tuned model created: %(model)s"),
    gettext_noop(
        "The weights can be downloaded: %(file)s is the adapter, %(other)s the whole"
        " model, which is merged when it is asked for"
    ),
    gettext_noop("The job has successfully completed"),
    gettext_noop("The job was cancelled"),
    gettext_noop("The job failed: %(why)s"),
)

EVENT_WORDS = NOTES + PROVIDER_EVENTS
