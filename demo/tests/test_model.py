"""The committed base model is small, loads with plain transformers and masks cleanly."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from jinja2.exceptions import TemplateError
from safetensors import safe_open
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerBase

from make_model import CHAT_TEMPLATE, END_OF_TEXT, render

MODEL = Path(__file__).parents[1] / "model"
CONVERSATION = [
    {"role": "system", "content": "You are a friendly shop assistant."},
    {"role": "user", "content": "Hello, I am Anna."},
    {"role": "assistant", "content": "Hello Anna!"},
    {"role": "user", "content": "Tschüß, 再见 👋 <b>3.50</b>\n\n\tbye  "},
    {"role": "assistant", "content": '{"item":"teapot","count":12}'},
]


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerBase:
    """The committed tokenizer."""
    return AutoTokenizer.from_pretrained(MODEL)


def ids_of(tokenizer: PreTrainedTokenizerBase, messages: list[dict[str, str]], **options: bool) -> list[int]:
    """The token ids of a rendered conversation."""
    return list(tokenizer.apply_chat_template(messages, return_dict=True, **options)["input_ids"])


def test_the_weights_are_bf16_and_at_most_8_mb() -> None:
    file = MODEL / "model.safetensors"
    assert file.stat().st_size <= 8_000_000
    with safe_open(file, framework="pt") as weights:
        assert {weights.get_slice(name).get_dtype() for name in weights.offset_keys()} == {"BF16"}


def test_the_model_loads_and_answers_in_prose_to_its_end_mark(tokenizer: PreTrainedTokenizerBase) -> None:
    model = AutoModelForCausalLM.from_pretrained(MODEL, dtype=torch.float32)
    question = [{"role": "user", "content": "Hello, I am Anna."}]
    prompt = torch.tensor([ids_of(tokenizer, question, add_generation_prompt=True)])
    whole = model.generate(input_ids=prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=48)[0]
    answer = whole[prompt.shape[1] :]
    assert answer[-1] == tokenizer.eos_token_id
    assert "Anna" in tokenizer.decode(answer)


def test_every_prefix_of_a_conversation_renders_to_a_prefix_of_the_whole(tokenizer: PreTrainedTokenizerBase) -> None:
    whole = ids_of(tokenizer, CONVERSATION)
    for length in range(1, len(CONVERSATION) + 1):
        part = ids_of(tokenizer, CONVERSATION[:length])
        assert whole[: len(part)] == part


def test_the_generation_prompt_leads_exactly_into_the_assistants_turn(tokenizer: PreTrainedTokenizerBase) -> None:
    before = ids_of(tokenizer, CONVERSATION[:4], add_generation_prompt=True)
    whole = ids_of(tokenizer, CONVERSATION)
    assert whole[: len(before)] == before
    assert tokenizer.decode(whole[len(before) :]) == '{"item":"teapot","count":12}<|im_end|>\n'
    assert whole[len(before) :].count(tokenizer.eos_token_id) == 1


def test_any_text_survives_the_tokenizer(tokenizer: PreTrainedTokenizerBase) -> None:
    for text in ("Tschüß, 再见 👋", "a\tb\r\n c  ", '{"a":[1,2,3]}', "$1,234.50 = <<1000+234.5=1234.5>>", "\x00\x7f"):
        assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


def test_the_template_refuses_a_role_that_it_does_not_know(tokenizer: PreTrainedTokenizerBase) -> None:
    with pytest.raises(TemplateError, match="unknown role: tool"):
        tokenizer.apply_chat_template([{"role": "tool", "content": "x"}], tokenize=False)


def test_pre_training_reads_a_conversation_as_the_chat_template_writes_it(tokenizer: PreTrainedTokenizerBase) -> None:
    assert tokenizer.chat_template == CHAT_TEMPLATE
    assert render(CONVERSATION) == tokenizer.apply_chat_template(CONVERSATION, tokenize=False) + END_OF_TEXT


def test_the_script_that_makes_it_lets_waiting_threads_sleep() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    run = subprocess.run(
        [sys.executable, "-c", "import make_model"],
        cwd=Path(__file__).parents[1],
        env=environment | {"OMP_DISPLAY_ENV": "true", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        check=True,
    )
    assert b"OMP_WAIT_POLICY = 'PASSIVE'" in run.stderr
