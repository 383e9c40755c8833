"""What to own, rent and sign, and when capacity is there."""
