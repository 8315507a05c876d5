"""The Eval tab of the page: runs in a process of their own, kept runs and their reports, drafts to review."""
