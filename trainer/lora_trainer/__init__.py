"""Lowrank's own trainer: LoRA for causal language models."""

VERSION = "0.1.0"
