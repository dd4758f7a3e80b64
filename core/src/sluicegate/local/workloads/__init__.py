"""What makes the embedded cluster's objects do something: ReplicaSets, pods, endpoints, node ports.

Each controller reads and writes the store of its own process, is level-triggered, and holds nothing that it could not
find again after a restart. Traffic is the business of a second process, the data plane (`dataplane`): there the pods'
servers and the node ports share an event loop that no API request can stall, and end together with the cluster. The
controllers tell it what to run over a socket pair (`messages`); `supervisor` starts it and starts it again.
"""
