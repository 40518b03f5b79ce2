"""Image datasets as training meets them: read in place, put in buckets, captioned, ordered, cached."""
