"""The images that can run without a container runtime: Argo Rollouts' demo application, as a built-in server."""
