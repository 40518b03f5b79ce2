import json

import pytest

from lora_trainer.failure import TrainerFailure
from lora_trainer.rows import RowFault
from lora_trainer.shapes import read_shape
from lora_trainer.tokenize import ChatTokenizer
from tiny_model import CHAT_TEMPLATE, make_tokenizer

# Shows reasoning in the last answer only, as several current models do.
FORGETFUL_TEMPLATE = (
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' }}"
    "{% if m.role == 'assistant' and loop.last %}{{ '<think>\n\n</think>\n\n' }}{% endif %}"
    "{{ m.content + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
# Repeats the newest message at the beginning: no answer begins where its prompt ends.
UNMASKABLE_TEMPLATE = "{{ messages[-1].content }}{% for m in messages %}{{ m.role + ': ' + m.content }}{% endfor %}"
BRACKET_TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}{{ '[INST] ' + m.content + ' [/INST]' }}"
    "{% elif m.role == 'assistant' %}{% generation %}{{ ' ' + m.content + eos_token }}{% endgeneration %}"
    "{% else %}{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}{% endfor %}"
)
TWO_TURNS = [
    {"role": "user", "content": "How many legs have two spiders?"},
    {"role": "assistant", "content": "Sixteen 🕷🕷"},
    {"role": "user", "content": "And the sky?"},
    {"role": "assistant", "content": "Blue,\nmostly."},
]


@pytest.fixture
def tokenizer_of(tmp_path):
    def make(template):
        make_tokenizer(tmp_path / "model", template)
        return ChatTokenizer(tmp_path / "model")

    return make


def trained_text(chat, row, shape="chat"):
    conversation = read_shape(row, shape, {})
    tokens = chat.encode([conversation])[0]
    if isinstance(tokens, RowFault):
        raise tokens
    runs, before = [], 0
    for number, flag in zip(tokens.ids, tokens.mask, strict=True):
        if flag and not before:
            runs.append([])
        if flag:
            runs[-1].append(number)
        before = flag
    return [chat.tokenizer.decode(run, skip_special_tokens=False) for run in runs]


@pytest.mark.parametrize("template", [CHAT_TEMPLATE, FORGETFUL_TEMPLATE, BRACKET_TEMPLATE])
@pytest.mark.parametrize("messages", [TWO_TURNS, TWO_TURNS[:2]])
def test_ids_are_those_of_transformers(tokenizer_of, tmp_path, template, messages):
    from transformers import AutoTokenizer

    chat = tokenizer_of(template)
    theirs = AutoTokenizer.from_pretrained(tmp_path / "model")
    ours = chat.encode([read_shape({"messages": messages}, "chat", {})])[0]
    assert list(ours.ids) == theirs.apply_chat_template(messages, return_dict=False)
    prompt = theirs.apply_chat_template(messages[:1], add_generation_prompt=True, return_dict=False)
    assert chat.encode_prompt(messages[:1]) == prompt
    assert chat.render(read_shape({"messages": messages}, "chat", {}))[0] == theirs.apply_chat_template(
        messages, tokenize=False
    )


def test_only_answers_and_their_end_mark_are_trained(tokenizer_of):
    chat = tokenizer_of(CHAT_TEMPLATE)
    assert trained_text(chat, {"messages": TWO_TURNS}) == ["Sixteen 🕷🕷<|im_end|>", "Blue,\nmostly.<|im_end|>"]
    quiet = [TWO_TURNS[0], TWO_TURNS[1] | {"weight": 0}, *TWO_TURNS[2:]]
    assert trained_text(chat, {"messages": quiet}) == ["Blue,\nmostly.<|im_end|>"]


def test_a_template_without_a_generation_prompt_is_masked(tokenizer_of):
    assert trained_text(tokenizer_of(BRACKET_TEMPLATE), {"messages": TWO_TURNS}) == [
        " Sixteen 🕷🕷<|im_end|>",
        " Blue,\nmostly.<|im_end|>",
    ]


def test_a_template_that_shows_the_last_answer_otherwise_is_masked(tokenizer_of):
    assert trained_text(tokenizer_of(FORGETFUL_TEMPLATE), {"messages": TWO_TURNS}) == [
        "Sixteen 🕷🕷<|im_end|>",
        "<think>\n\n</think>\n\nBlue,\nmostly.<|im_end|>",
    ]


def test_a_template_that_cannot_be_masked_is_refused(tokenizer_of):
    with pytest.raises(RowFault) as caught:
        trained_text(tokenizer_of(UNMASKABLE_TEMPLATE), {"messages": TWO_TURNS})
    assert caught.value.code == "template_not_maskable"


def test_a_row_that_the_template_refuses_is_told(tokenizer_of):
    chat = tokenizer_of(BRACKET_TEMPLATE)
    with pytest.raises(RowFault, match="Only user and assistant"):
        trained_text(chat, {"messages": [{"role": "system", "content": "x"}, *TWO_TURNS]})


def test_a_template_cannot_reach_python(tokenizer_of):
    chat = tokenizer_of("{{ messages.__class__.__mro__ }}")
    with pytest.raises(RowFault) as caught:
        trained_text(chat, {"messages": TWO_TURNS})
    assert caught.value.code == "template_refused"


def test_plain_text_is_trained_whole_and_ended(tokenizer_of):
    chat = tokenizer_of(CHAT_TEMPLATE)
    assert trained_text(chat, {"text": "The sky is blue."}, "text") == ["The sky is blue.<|im_end|>"]


def test_without_a_template_pairs_are_joined_and_conversations_refused(tokenizer_of):
    chat = tokenizer_of(None)
    row = {"prompt": "The sky is", "completion": " blue."}
    assert trained_text(chat, row, "prompt_completion") == [" blue.<|im_end|>"]
    with pytest.raises(RowFault) as caught:
        trained_text(chat, {"messages": TWO_TURNS})
    assert caught.value.code == "no_chat_template"


def test_rows_encoded_together_are_those_encoded_alone(tokenizer_of):
    chat = tokenizer_of(CHAT_TEMPLATE)
    rows = [
        read_shape({"messages": TWO_TURNS}, "chat", {}),
        read_shape({"text": "The sky is blue."}, "text", {}),
        read_shape({"prompt": "x", "completion": "y"}, "prompt_completion", {}),
    ]
    assert chat.encode(rows) == [chat.encode([row])[0] for row in rows]


def test_segments_show_what_is_trained(tokenizer_of):
    chat = tokenizer_of(CHAT_TEMPLATE)
    conversation = read_shape({"messages": TWO_TURNS}, "chat", {})
    segments = chat.segments(conversation, 10_000)
    assert "".join(segment["text"] for segment in segments) == chat.render(conversation)[0]
    trained = [segment["text"] for segment in segments if segment["trained"]]
    assert trained == ["Sixteen 🕷🕷<|im_end|>", "Blue,\nmostly.<|im_end|>"]
    assert sum(len(segment["text"]) for segment in chat.segments(conversation, 30)) == 30


def test_generation_stops_at_the_end_of_a_text_and_of_a_turn(tokenizer_of, tmp_path):
    chat = tokenizer_of(CHAT_TEMPLATE)
    assert chat.stop_ids() == [chat.tokenizer.token_to_id("<|im_end|>")]
    (tmp_path / "model" / "generation_config.json").write_text(json.dumps({"eos_token_id": [0, 2]}))
    assert ChatTokenizer(tmp_path / "model").stop_ids() == [2, 0]


@pytest.mark.parametrize("content", [None, "{", "{}"])
def test_a_model_without_a_usable_tokenizer_is_refused(tmp_path, content):
    if content is not None:
        (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(TrainerFailure) as caught:
        ChatTokenizer(tmp_path)
    assert caught.value.code == "model_not_found"
