"""What real scandals did to customers, and what is to be expected of a new one from what is known on the day."""
