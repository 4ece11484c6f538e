"""What a collection holds: fields, functions, index requests, and how rows become Arrow columns."""
