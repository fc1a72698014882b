"""Runs in MiniStack's own process: admits only our requests, is a forward proxy, fills gaps of its API."""
