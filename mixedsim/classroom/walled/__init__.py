"""Where notebooks run: a process behind walls, with limits, that reports what its variables hold and nothing else."""
