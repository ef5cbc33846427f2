"""Random worlds for training: templates with other numbers, combined, and with drawn actors."""
