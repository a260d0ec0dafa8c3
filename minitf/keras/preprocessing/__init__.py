"""`keras.preprocessing`: sequences and texts made ready for models. Names only."""

from minitf.keras.preprocessing import sequence, text
