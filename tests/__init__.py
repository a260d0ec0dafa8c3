"""Tests of minitf alone: nothing here imports TensorFlow."""
