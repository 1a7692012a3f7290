"""The same rules on a GPU, one thread per person: optional, `pip install stickiness[gpu]`.

No rule is written again: `translate.py` takes the functions of `model`, `measure` and `engine.single` as they are; the
workspace of a person lies in the thread's own memory, with one lane. Threads share only the tally, whose integers are
added atomically, so their order does not matter; what a person sends is written to that person's row, so it is in
order. Products and sums are rounded separately and no function comes from the GPU's own library: the bits are those of
the CPU. Private parts of numba-cuda are used in `rounding.py` only.
"""

from sim.engine.gpu.run import simulate_on_gpu

__all__ = ["simulate_on_gpu"]
