"""Layers, models and training: the machinery of Keras. What users name is in the folders above."""
