"""The command line: a module a command or group of commands."""
