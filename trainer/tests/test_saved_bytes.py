"""The figures that the planner's formulas are held to are torch's own."""

import json

import pytest

from saved_bytes import FILE, cases, measure

RECORDED = {case["name"]: case for case in map(json.loads, FILE.read_text().splitlines())}


def test_every_case_is_recorded():
    assert list(RECORDED) == [case["name"] for case in cases()]


@pytest.mark.parametrize("case", cases(), ids=lambda case: case["name"])
def test_a_step_keeps_what_is_recorded(case):
    recorded = RECORDED[case["name"]]
    assert case | {"measured": measure(case)} == recorded
