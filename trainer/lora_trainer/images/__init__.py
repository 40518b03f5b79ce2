"""LoRA for image models: one recipe a family, and what they share."""
