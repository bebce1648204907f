"""The tuning server without the rest of the site: `/v1`, its workers, its admin.

For a machine with GPUs, chosen by TUNING_SERVER_ONLY. Nothing here imports jobs_app,
datasets_app or teams_app.
"""
