"""``python -m mixedsim.cli``: the commands without the script."""

from mixedsim.cli import main

main()
