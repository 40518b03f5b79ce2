import pytest

from lora_trainer.rows import RowFault
from lora_trainer.shapes import detect_shape, read_shape

USER, ASSISTANT = {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}
SYSTEM = {"role": "system", "content": "Be kind."}
CALL = {"function": {"name": "sum", "arguments": '{"a": 1}'}}


def roles(row, shape, mapping=None):
    conversation = read_shape(row, shape, mapping or {})
    return [(message["role"], message["content"]) for message in conversation.messages], conversation


@pytest.mark.parametrize(
    ("row", "shape"),
    [
        ({"messages": [], "prompt": 1, "completion": 2}, "chat"),
        ({"conversations": [], "text": ""}, "sharegpt"),
        ({"prompt": 1, "completion": 2, "text": 3}, "prompt_completion"),
        ({"instruction": 1, "input": 2, "output": 3}, "alpaca"),
        ({"text": 1}, "text"),
        ({"question": 1, "answer": 2}, None),
    ],
)
def test_a_shape_is_told_by_its_fields_in_a_fixed_order(row, shape):
    assert detect_shape(row, {}) == shape


def test_a_mapping_decides_on_the_shape():
    assert detect_shape({"messages": [], "q": 1}, {"prompt": "q", "completion": "a"}) == "prompt_completion"


def test_all_shapes_become_the_same_conversation():
    expected = [("user", "Hi"), ("assistant", "Hello")]
    assert roles({"messages": [USER, ASSISTANT]}, "chat")[0] == expected
    turns = [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]
    assert roles({"conversations": turns}, "sharegpt")[0] == expected
    assert roles({"instruction": "Hi", "output": "Hello"}, "alpaca")[0] == expected
    assert roles({"prompt": "Hi", "completion": "Hello"}, "prompt_completion")[0] == expected
    mapping = {"prompt": "question", "completion": "answer"}
    assert roles({"question": "Hi", "answer": "Hello", "prompt": 7}, "prompt_completion", mapping)[0] == expected
    lists = {"prompt": [USER], "completion": [ASSISTANT]}
    assert roles(lists, "prompt_completion")[0] == expected


def test_alpaca_joins_the_input_and_trains_its_history():
    row = {"instruction": "Add", "input": "1 2", "output": "3", "history": [["Hi", "Hello"]], "system": "Count."}
    messages, conversation = roles(row, "alpaca")
    assert messages[0] == ("system", "Count.")
    assert messages[3] == ("user", "Add\n1 2")
    assert conversation.trained == (False, False, True, False, True)


def test_weight_zero_takes_an_answer_out_of_the_loss():
    quiet = ASSISTANT | {"weight": 0}
    assert roles({"messages": [USER, quiet, USER, ASSISTANT]}, "chat")[1].trained == (False, False, False, True)


def test_a_list_prompt_trains_only_the_completion():
    row = {"prompt": [USER, ASSISTANT, USER], "completion": [ASSISTANT]}
    assert roles(row, "prompt_completion")[1].trained == (False, False, False, True)


def test_tool_calls_keep_their_arguments_as_an_object():
    row = {"messages": [USER, {"role": "assistant", "content": None, "tool_calls": [CALL]}, USER, ASSISTANT]}
    conversation = read_shape(row, "chat", {})
    assert conversation.messages[1]["tool_calls"][0]["function"]["arguments"] == {"a": 1}


def test_a_conversation_may_have_512_turns():
    assert read_shape({"messages": [USER, ASSISTANT] * 256}, "chat", {}).turns == 512


def test_content_in_text_parts_is_joined():
    parts = [{"type": "text", "text": "He"}, {"type": "text", "text": "llo"}]
    assert roles({"messages": [USER, {"role": "assistant", "content": parts}]}, "chat")[0][1] == ("assistant", "Hello")


@pytest.mark.parametrize(
    ("shape", "row", "code"),
    [
        ("chat", {}, "missing_field"),
        ("chat", {"messages": [USER, ASSISTANT] * 257}, "too_many_turns"),
        ("chat", {"messages": "Hi"}, "wrong_type"),
        ("chat", {"messages": []}, "empty_text"),
        ("chat", {"messages": ["Hi"]}, "wrong_type"),
        ("chat", {"messages": [{"role": "robot", "content": "x"}]}, "unknown_role"),
        ("chat", {"messages": [{"role": ["user"], "content": "x"}]}, "unknown_role"),
        ("chat", {"messages": [{"role": "user"}]}, "missing_field"),
        ("chat", {"messages": [USER | {"content": 7}, ASSISTANT]}, "wrong_type"),
        ("chat", {"messages": [USER | {"content": [{"type": "image_url"}]}, ASSISTANT]}, "wrong_type"),
        ("chat", {"messages": [USER | {"content": " "}, ASSISTANT]}, "empty_text"),
        ("chat", {"messages": [USER]}, "no_assistant_turn"),
        ("chat", {"messages": [SYSTEM, SYSTEM, USER, ASSISTANT]}, "invalid_conversation"),
        ("chat", {"messages": [USER, ASSISTANT, SYSTEM]}, "invalid_conversation"),
        ("chat", {"messages": [ASSISTANT, USER]}, "invalid_conversation"),
        ("chat", {"messages": [USER, USER, ASSISTANT]}, "invalid_conversation"),
        ("chat", {"messages": [USER, ASSISTANT, ASSISTANT]}, "invalid_conversation"),
        ("chat", {"messages": [USER, {"role": "tool", "content": "3"}, ASSISTANT]}, "invalid_conversation"),
        ("chat", {"messages": [USER, ASSISTANT | {"weight": 0}]}, "nothing_to_train"),
        ("chat", {"messages": [USER, ASSISTANT | {"weight": 2}]}, "wrong_type"),
        ("chat", {"messages": [USER, ASSISTANT], "tools": 7}, "wrong_type"),
        ("sharegpt", {"conversations": [{"from": "alien", "value": "x"}]}, "unknown_role"),
        ("sharegpt", {"conversations": [{"from": "human"}]}, "missing_field"),
        ("alpaca", {"instruction": "x", "output": ""}, "empty_text"),
        ("alpaca", {"instruction": "x", "output": "y", "history": [["a"]]}, "wrong_type"),
        ("prompt_completion", {"prompt": "x", "completion": None}, "missing_field"),
        ("text", {"text": "  "}, "empty_text"),
        ("text", {"text": ["a"]}, "wrong_type"),
    ],
)
def test_a_broken_row_is_refused_by_code(shape, row, code):
    with pytest.raises(RowFault) as caught:
        read_shape(row, shape, {})
    assert caught.value.code == code


def test_equal_content_has_an_equal_key_whatever_else_the_row_holds():
    one = read_shape({"prompt": "a", "completion": "b", "id": 1}, "prompt_completion", {})
    two = read_shape({"id": 2, "completion": "b", "prompt": "a"}, "prompt_completion", {})
    other = read_shape({"prompt": "a", "completion": "c"}, "prompt_completion", {})
    assert one.key == two.key != other.key
