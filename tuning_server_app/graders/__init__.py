"""Graders: how good is one answer? OpenAI's kinds, except those that run foreign code.

Pure: no Django. A grader that asks a model is handed the way to do so.
"""
