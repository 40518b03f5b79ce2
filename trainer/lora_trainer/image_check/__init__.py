"""What the check of an image dataset does with bytes that nobody has looked at yet."""
