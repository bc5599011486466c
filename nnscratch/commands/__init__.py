"""The commands of the command line, one file each: `register` adds its parser to the others."""
