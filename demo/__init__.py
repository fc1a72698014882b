"""The main job, shown: deploy, send, await, compare, destroy."""
