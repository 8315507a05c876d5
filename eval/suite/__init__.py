"""The suite itself: gold questions, what is asked of each stage, metrics with intervals, the runner, the kept runs."""
