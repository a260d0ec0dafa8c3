"""`keras.callbacks`: what happens around batches and epochs of training. Names only."""

from minitf.keras.callbacks.backup import BackupAndRestore
from minitf.keras.callbacks.base import Callback
from minitf.keras.callbacks.functions import LambdaCallback, LearningRateScheduler, TerminateOnNaN
from minitf.keras.callbacks.listing import CallbackList
from minitf.keras.callbacks.monitoring import EarlyStopping, ModelCheckpoint, ReduceLROnPlateau
from minitf.keras.callbacks.progress import BaseLogger, History, ProgbarLogger
from minitf.keras.callbacks.sending import CSVLogger, RemoteMonitor
from minitf.keras.callbacks.tensorboard import TensorBoard
