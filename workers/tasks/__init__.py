"""The Celery tasks, one queue a file."""
