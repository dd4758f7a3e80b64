"""The HTTP face of the embedded cluster: the Kubernetes API, as `kubectl` and any client speak it, over the store.

Here belong paths, verbs, content negotiation, discovery, schemas of custom resources, and the cascades of deletion.
What an object is and how it changes is the store's; what runs in the cluster is the workload controllers'.
"""
