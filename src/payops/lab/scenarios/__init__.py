"""One file a scenario; see `payops.lab.scenario` for what one is. A new file is found by itself."""
