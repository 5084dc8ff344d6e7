"""Sending history through a lane of its own, so that it may be stopped, killed and begun again."""
