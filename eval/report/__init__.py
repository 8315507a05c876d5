"""What a run says to a person: the HTML report and its parts, and the tables of the command line."""
