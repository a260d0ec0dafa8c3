"""`keras.models`: Model and Sequential, and making them again from configs and files."""

from minitf.keras.engine.sequential import Sequential
from minitf.keras.engine.training import Model

__all__ = ["Model", "Sequential"]
