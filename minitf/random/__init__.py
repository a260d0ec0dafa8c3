"""`tf.random`: random tensors. Names only; see ops/random.py and ops/random_stateless.py."""

from minitf.ops.candidate_sampling import (
    all_candidate_sampler,
    fixed_unigram_candidate_sampler,
    learned_unigram_candidate_sampler,
    log_uniform_candidate_sampler,
    uniform_candidate_sampler,
)
from minitf.ops.random import categorical, multinomial, truncated_normal
from minitf.ops.random import random_gamma as gamma
from minitf.ops.random import random_normal as normal
from minitf.ops.random import random_poisson as poisson
from minitf.ops.random import random_shuffle as shuffle
from minitf.ops.random import random_uniform as uniform
from minitf.ops.random_seed import get_seed, set_random_seed
from minitf.ops.random_seed import set_random_seed as set_seed
from minitf.ops.random_stateless import (
    fold_in,
    split,
    stateless_categorical,
    stateless_multinomial,
    stateless_truncated_normal,
)
from minitf.ops.random_stateless import stateless_random_gamma as stateless_gamma
from minitf.ops.random_stateless import stateless_random_normal as stateless_normal
from minitf.ops.random_stateless import stateless_random_poisson as stateless_poisson
from minitf.ops.random_stateless import stateless_random_uniform as stateless_uniform
