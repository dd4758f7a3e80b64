"""The thin layer on the official `kubernetes` package: requests, watches, caches, queues, events, leadership.

That package does configuration, authentication, TLS and transport; its models, Watch and informer stay out. Nothing
here knows what a Rollout is. Only the modules behind `client` import `kubernetes`: the rest stays cheap to import.
"""
