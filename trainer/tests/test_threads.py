from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from lora_trainer.base_model import load_base
from lora_trainer.environment import SHARED_FROM_HIDDEN_SIZE, choose_threads


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_a_model_of_small_operations_runs_on_one_thread(tiny: Path):
    load_base(tiny, "fp32", "cpu")
    assert torch.get_num_threads() == 1


@pytest.mark.parametrize("hidden_size", [SHARED_FROM_HIDDEN_SIZE, None])
def test_another_keeps_the_threads_that_torch_chose(hidden_size: int | None):
    choose_threads(hidden_size)
    assert torch.get_num_threads() == 2
