"""Speed as ratios within one run, since machines are noisy. `make bench` prints them."""
