"""What instructor and students read after grading: the report, the feedback, and the statistics behind them."""
