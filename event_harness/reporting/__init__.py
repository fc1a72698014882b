"""Reports of a test session: its facts, and the page, the job summary, the spans made of them."""
