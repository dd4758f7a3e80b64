"""The asyncio shell around the engine: gathers a snapshot, lets the engine decide, carries the decision out.

What belongs here: caches, queues, workers and the order of writes. No policy: the engine says what should happen.
"""
