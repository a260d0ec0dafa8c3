"""`tf.train`: optimizers, learning-rate schedules, moving averages, checkpoints. Names only."""

from minitf.train.checkpoint_files import (
    CheckpointState, checkpoint_exists, generate_checkpoint_state_proto, get_checkpoint_mtimes,
    get_checkpoint_state, latest_checkpoint, list_variables, load_checkpoint, load_variable,
    remove_checkpoint, update_checkpoint_state,
)  # fmt: skip
from minitf.train.checkpoint_files import CheckpointReader as NewCheckpointReader
from minitf.train.global_step import (
    assert_global_step, create_global_step, get_global_step, get_or_create_global_step, global_step,
)  # fmt: skip
from minitf.train.learning_rate_decay import (
    cosine_decay, cosine_decay_restarts, exponential_decay, inverse_time_decay, linear_cosine_decay,
    natural_exp_decay, noisy_linear_cosine_decay, piecewise_constant, polynomial_decay,
)  # fmt: skip
from minitf.train.moving_averages import (
    ExponentialMovingAverage, assign_moving_average, weighted_moving_average,
)  # fmt: skip
from minitf.train.optimizer import Optimizer
from minitf.train.optimizers import (
    AdadeltaOptimizer, AdagradDAOptimizer, AdagradOptimizer, AdamOptimizer, FtrlOptimizer,
    GradientDescentOptimizer, MomentumOptimizer, ProximalAdagradOptimizer,
    ProximalGradientDescentOptimizer, RMSPropOptimizer,
)  # fmt: skip
from minitf.train.saver import Saver

piecewise_constant_decay = piecewise_constant
