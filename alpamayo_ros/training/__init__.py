"""Expert, annotations, datasets and training stages for nano."""
