"""What the site shows and nobody writes by hand: figures of the laws, fields, experiments, what is not known."""
