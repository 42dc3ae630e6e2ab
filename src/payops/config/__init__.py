"""From a YAML file to frozen `Settings`."""
