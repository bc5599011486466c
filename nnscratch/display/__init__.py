"""How results are laid out for people: tables and pages."""
