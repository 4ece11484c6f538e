"""Reading: from a view and a request to ranked rows."""
